"""Applications are approved by rules or by two people, in time or late, and never twice."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.db import connection

from accounts import outbox
from accounts.models import User
from refunds.applications import holds, payees, review, submitting
from refunds.applications.payees import PayeeRefused
from refunds.applications.submitting import Submission
from refunds.bank_accounts import Account
from refunds.models import Entitlement, Payee, RefundApplication
from tests.accounts.mail_server import mail_server, text_of
from tests.refunds.conftest import House, jst, person
from wallets.models import Posting
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import (
    CapabilityStopped,
    GuardNotMet,
    IdempotencyConflict,
    NotPermitted,
    PlanChanged,
    SamePerson,
    TransitionRefused,
)
from winddown.models import AuditEntry
from winddown.programme import capabilities

pytestmark = pytest.mark.django_db


def test_an_application_by_the_app_within_the_limit_is_approved_by_the_rules(house: House) -> None:
    (owed,) = house.entitled(1, paid_minor=1)
    done = house.apply(owed)
    assert (done.state, done.decided_by) == ("approved", None)
    assert Entitlement.objects.get().state == "approved"
    house.money_holds()


def test_the_same_submission_again_gives_the_first_result(house: House) -> None:
    """P1: one `op_id`, one application; another body under it is a conflict."""
    (owed,) = house.entitled(1)
    holder, account, op_id = owed.wallet.account, house.account(), uuid.uuid4()
    sent = {"channel": "app", "op_id": op_id, "actor": holder, "confirmed_minor": 1000}
    first = submitting.submit(holder, account=account, **sent)
    second = submitting.submit(holder, account=account, **sent)
    assert first.pk == second.pk
    assert RefundApplication.objects.count() == Payee.objects.count() == 1
    with pytest.raises(IdempotencyConflict):
        submitting.submit(holder, account=house.account(), **sent)
    with pytest.raises(submitting.AlreadyApplied):
        submitting.submit(holder, account=account, **(sent | {"op_id": uuid.uuid4()}))


def test_the_amount_confirmed_must_be_the_amount_owed(house: House) -> None:
    (owed,) = house.entitled(1)
    with pytest.raises(submitting.AmountDiffers):
        house.apply(owed, confirmed_minor=999)
    assert not RefundApplication.objects.exists()


def test_a_customer_without_a_wallet_cannot_apply(house: House, customer: Any) -> None:
    house.entitled(1)
    stranger = customer()
    with pytest.raises(submitting.NothingOwed):
        submitting.submit(
            stranger, channel="app", op_id=uuid.uuid4(), actor=stranger, account=house.account()
        )


def test_an_application_is_refused_while_applications_are_stopped(house: House) -> None:
    (owed,) = house.entitled(1)
    capabilities.stop(
        "refund_apply", actor=person("winddown.stop_capability"), reason="something is wrong"
    )
    with pytest.raises(CapabilityStopped):
        house.apply(owed)


def test_one_refused_submission_does_not_stop_the_others(house: House) -> None:
    rows = house.entitled(3)
    sent = [
        Submission(
            holder_id=row.wallet.account_id,
            channel="app",
            op_id=uuid.uuid4(),
            account=house.account(name="山田" if row is rows[1] else "ヤマダ"),
            confirmed_minor=1000,
        )
        for row in rows
    ]
    outcomes = submitting.submit_many(sent, actor=SYSTEM, reason="a file")
    assert [outcome.state for outcome in outcomes] == ["approved", "", "approved"]
    assert isinstance(outcomes[1].refusal, PayeeRefused)
    assert Payee.objects.count() == 2
    entry = AuditEntry.objects.get(action="application.submit_many")
    assert (entry.facts["taken"], entry.facts["refused"]) == (2, 1)
    house.money_holds()


def test_a_name_that_no_bank_carries_is_refused_with_its_characters(house: House) -> None:
    """Rule 47."""
    (owed,) = house.entitled(1)
    with pytest.raises(PayeeRefused) as refused:
        house.apply(owed, account=house.account(name="山田 O'Neil"))
    assert refused.value.facts["characters"] == ("山", "田", "'")
    assert "山" not in str(refused.value)
    done = house.apply(owed, account=house.account(name="キュウヨ　イチロウ"))
    assert done.payee.name_kana == "ｷﾕｳﾖ ｲﾁﾛｳ"


def test_a_branch_that_the_active_bank_data_lacks_is_refused(house: House) -> None:
    """Rule 51."""
    (owed,) = house.entitled(1)
    with pytest.raises(PayeeRefused, match="branch_code"):
        house.apply(owed, account=Account("0001", "999", "1", "1234567", "ヤマダ"))


def test_an_amount_above_the_limit_waits_for_two_people(house: House) -> None:
    """Rule 23 for applications: maker and checker."""
    (owed,) = house.entitled(1, paid_minor=100_001)
    waiting = house.apply(owed)
    assert (waiting.state, waiting.review_reason) == ("amount_confirmed", "amount")
    request = review.propose(waiting, actor=house.checker, reason="looked at")
    with pytest.raises(SamePerson):
        review.approve(waiting, actor=house.checker, digest=request.digest, reason="mine")
    with pytest.raises(NotPermitted):
        review.approve(waiting, actor=house.support, digest=request.digest, reason="no")
    done = review.approve(waiting, actor=house.approver2, digest=request.digest, reason="in order")
    assert (done.state, done.decided_by) == ("approved", house.approver2)
    assert Entitlement.objects.get().state == "approved"
    house.money_holds()


def test_the_web_channel_requires_an_identity_check_and_two_people(house: House) -> None:
    (owed,) = house.entitled(1)
    sent = house.apply(owed, channel="web", confirmed_minor=None)
    assert sent.state == "identity_check"
    asked = review.ask_for_info(sent, asked_for="licence", actor=house.support, reason="unreadable")
    assert asked.asked_for == "licence"
    holder = owed.wallet.account
    review.answer_info(asked, actor=holder)
    seen = review.verify(sent, actor=house.support, reason="licence seen")
    with pytest.raises(GuardNotMet):
        review.propose(seen, actor=house.support, reason="too early")
    review.confirm_amount(seen, confirmed_minor=1000, actor=holder)
    request = review.propose(seen, actor=house.support, reason="complete")
    done = review.approve(seen, actor=house.checker, digest=request.digest, reason="complete")
    assert done.state == "approved"
    house.money_holds()


def test_an_application_of_another_person_cannot_be_changed(house: House, customer: Any) -> None:
    (owed,) = house.entitled(1)
    sent = house.apply(owed)
    with pytest.raises(NotPermitted):
        review.withdraw(sent, actor=customer())


def test_an_application_can_be_withdrawn_until_its_payout_is_under_way(house: House) -> None:
    one, other = house.entitled(2)
    first, second = house.apply(one), house.apply(other)
    review.withdraw(first, actor=one.wallet.account)
    assert Entitlement.objects.get(pk=one.pk).state == "notified"
    house.check_payees()
    house.paid_batch()
    with pytest.raises(GuardNotMet, match="under way"):
        review.withdraw(second, actor=other.wallet.account)
    assert house.apply(Entitlement.objects.get(pk=one.pk)).state == "approved"
    house.money_holds()


def test_a_rejected_application_names_its_reason_and_may_be_followed_by_another(
    house: House,
) -> None:
    """Rule 24."""
    (owed,) = house.entitled(1)
    sent = house.apply(owed, channel="web")
    done = review.reject(sent, rejection="not_identified", actor=house.checker, reason="no papers")
    assert (done.state, done.rejection, done.live) == ("rejected", "not_identified", False)
    with pytest.raises(TransitionRefused):
        review.reject(sent, rejection="other", actor=house.checker, reason="again")
    assert house.apply(Entitlement.objects.get()).state == "approved"


def test_a_draft_is_kept_sealed_and_becomes_the_application(house: House) -> None:
    (owed,) = house.entitled(1)
    holder = owed.wallet.account
    answers = {"account_number": "1234567", "name": "ヤマダ"}
    draft = submitting.save_draft(holder, channel="app", step=3, answers=answers, actor=holder)
    assert submitting.draft_answers(draft) == answers
    with connection.cursor() as cursor:
        cursor.execute("SELECT draft_sealed FROM refunds_refundapplication")
        assert b"1234567" not in bytes(cursor.fetchone()[0])
    sent = house.apply(owed)
    assert (sent.pk, sent.state, sent.draft_sealed) == (draft.pk, "approved", None)
    with pytest.raises(submitting.AlreadyApplied):
        submitting.save_draft(holder, channel="app", step=1, answers={}, actor=holder)


@pytest.mark.parametrize(
    ("moment", "late"),
    [("2020-01-10T23:59:59.999999", False), ("2020-01-11T00:00:00", True)],
)
def test_the_window_ends_at_midnight_of_its_last_day(house: House, moment: str, late: bool) -> None:
    """Rule 40: a second later it is a late claim that needs a reason."""
    (owed,) = house.entitled(1)
    clock.travel(jst(moment), frozen=True)
    if late:
        with pytest.raises(submitting.WindowOver):
            house.apply(owed)
        assert house.apply(owed, late_reason="was abroad").late
        assert Entitlement.objects.get().state == "computed"
    else:
        assert house.apply(owed).state == "approved"


def test_a_late_claim_is_paid_after_exclusion_if_a_second_person_agrees(house: House) -> None:
    """Rules 40 and 42: an excluded entitlement is owed again and is settled as a late claim."""
    (owed,) = house.entitled(1)
    clock.travel(jst("2020-01-11T00:00"), frozen=True)
    late = house.apply(owed, late_reason="was in hospital")
    late = review.verify(late, actor=house.support, reason="papers seen")
    late = review.confirm_amount(late, confirmed_minor=1000, actor=owed.wallet.account)
    request = review.propose(late, actor=house.support, reason="papers seen")
    with pytest.raises(GuardNotMet, match="not posted"):
        review.approve(late, actor=house.checker, digest=request.digest, reason="ok")
    assert house.run("exclude").state == "succeeded"
    house.money_holds()
    request = review.propose(late, actor=house.support, reason="papers seen")
    with pytest.raises(NotPermitted):
        review.approve(late, actor=house.approver2, digest=request.digest, reason="ok")
    review.approve(late, actor=house.checker, digest=request.digest, reason="ok")
    house.money_holds()
    house.check_payees()
    clock.travel(jst("2020-01-14T10:00"), frozen=True)
    house.send(house.paid_batch("2020-01-20"))
    clock.travel(jst("2020-01-20T15:00"), frozen=True)
    house.answers()
    owed = Entitlement.objects.get()
    assert (owed.state, owed.wallet.state) == ("paid", "settled")
    house.money_holds()


def test_only_entitlements_without_an_application_are_excluded(house: House) -> None:
    """Rule 42: entitlements in process, returned, held or with undeliverable notices stay owed."""
    silent, applied, held, unreached = house.entitled(4)
    house.apply(applied, channel="web")
    holds.hold(held, actor=person("refunds.hold_entitlement"), reason="suspicion")
    Entitlement.objects.filter(pk=unreached.pk).update(notice_undeliverable=True)
    with pytest.raises(GuardNotMet, match="the window lasts until"):
        house.run("exclude")
    clock.travel(jst("2020-01-11T00:00"), frozen=True)
    done = house.run("exclude")
    assert done.state == "succeeded"
    assert done.plans.get().content["excluded"] == {
        "notice_undeliverable": 1,
        "open_hold": 0,
        "payment_blocked": 0,
        "not_traced": 0,
    }
    states = [Entitlement.objects.get(pk=r.pk).state for r in (silent, applied, held, unreached)]
    assert states == ["excluded", "applied", "held", "computed"]
    unclaimed = Posting.objects.filter(account="unclaimed").values_list("amount_minor", flat=True)
    assert list(unclaimed) == [1000]
    house.money_holds()


def test_an_account_of_too_many_holders_waits_for_review(house: House) -> None:
    """Rule 58: more than three holders give the same account."""
    rows = house.entitled(5)
    account = house.account()
    states = [house.apply(row, account=account) for row in rows]
    assert [s.review_reason for s in states] == ["", "", "", "shared_account", "shared_account"]
    house.check_payees()
    run = house.run("pay", value_date="2019-11-15")
    assert run.plans.get().content["counts"]["refunds"] == 0
    assert run.plans.get().content["estimates"]["left_out_shared_account"] == 3
    payee = Payee.objects.get(holder=rows[0].wallet.account)
    request = payees.ask_shared(payee, actor=house.support, reason="one family")
    with pytest.raises(NotPermitted):
        payees.clear_shared(payee, actor=house.support, digest=request.digest, reason="mine")
    payees.clear_shared(payee, actor=house.checker, digest=request.digest, reason="family register")
    clock.travel(jst("2019-11-05T10:01"), frozen=True)
    run = house.run("pay", value_date="2019-11-15")
    assert run.plans.get().content["counts"]["refunds"] == 1
    house.money_holds()


def test_an_application_changed_after_the_proposal_requires_a_new_one(house: House) -> None:
    """The proposal covers the application as it was proposed."""
    (owed,) = house.entitled(1, paid_minor=100_001)
    waiting = house.apply(owed)
    request = review.propose(waiting, actor=house.support, reason="looked at")
    RefundApplication.objects.filter(pk=waiting.pk).update(review_reason="shared_account")
    with pytest.raises(PlanChanged):
        review.approve(waiting, actor=house.checker, digest=request.digest, reason="agreed")
    assert RefundApplication.objects.get().state == "amount_confirmed"
    request = review.propose(waiting, actor=house.support, reason="looked again")
    done = review.approve(waiting, actor=house.checker, digest=request.digest, reason="agreed")
    assert done.state == "approved"
    house.money_holds()


def test_a_changed_account_waits_and_is_notified_on_the_old_channel(house: House) -> None:
    """Rule 57: a change waits for 24 hours, the first entry does not."""
    (owed,) = house.entitled(1)
    holder = owed.wallet.account
    first = house.apply(owed).payee
    assert (first.usable_from, first.change_notice_owed) == (first.entered_at, False)
    second = payees.enter(holder, house.account(), actor=holder)
    assert second.usable_from - second.entered_at == dt.timedelta(hours=24)
    assert (second.version, second.change_notice_owed) == (2, True)
    assert Payee.objects.get(pk=first.pk).replaced_at is not None
    house.check_payees()
    run = house.run("pay", value_date="2019-11-15")
    assert run.plans.get().content["estimates"] == {"left_out_cooling_off": 1}
    clock.travel(jst("2019-11-06T10:00"), frozen=True)
    assert house.paid_batch().items == 1


def test_the_holder_is_told_of_a_changed_account_by_mail(house: House, settings: Any) -> None:
    """Rule 57, through the outbox and a real mail server: to the address, once, without digits."""
    (owed,) = house.entitled(1)
    holder = owed.wallet.account
    User.objects.filter(pk=holder.pk).update(
        email="taro@example.com", email_verified_at=clock.now()
    )
    with mail_server(settings) as mailbox:
        house.apply(owed)
        changed = payees.enter(holder, house.account(), actor=holder)
        payees.enter(holder, house.account(), actor=holder)
        assert outbox.send_due() == 2
        sent = [text_of(mail) for mail in mailbox.mails]
    assert len(sent) == 2
    assert all(changed.account_number not in text for text in sent)
    assert "If it was not you" in sent[0] or "お心当たりがない場合" in sent[0]
    assert not Payee.objects.filter(change_notice_owed=True).exists()


def test_a_new_channel_of_the_holder_waits_like_a_new_account(house: House) -> None:
    """Rule 57: after an assisted recovery no money is paid for 24 hours."""
    (owed,) = house.entitled(1)
    house.apply(owed)
    house.check_payees()
    User.objects.filter(pk=owed.wallet.account_id).update(channel_changed_at=clock.now())
    run = house.run("pay", value_date="2019-11-15")
    assert run.plans.get().content["estimates"] == {"left_out_cooling_off": 1}
    clock.travel(clock.now() + dt.timedelta(hours=24), frozen=True)
    assert house.paid_batch().items == 1


def test_entering_the_same_account_again_is_no_change(house: House) -> None:
    (owed,) = house.entitled(1)
    holder, account = owed.wallet.account, house.account()
    first = payees.enter(holder, account, actor=holder)
    assert payees.enter(holder, account, actor=holder).pk == first.pk
