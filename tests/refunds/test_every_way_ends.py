"""What an application leaves behind when it ends can be applied for, excluded or paid again."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from refunds.applications import holds, payees, review, submitting
from refunds.invariants import without_a_door
from refunds.models import Entitlement, Payee, Payout, RefundApplication
from tests.refunds.conftest import House, jst, person
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import GuardNotMet, NothingToDecide, TransitionRefused
from winddown.evidence import audit
from winddown.machines.move import transition_one
from winddown.models import Programme

pytestmark = pytest.mark.django_db

AFTER = "2020-01-11T00:00"


def now(owed: Entitlement) -> str:
    return Entitlement.objects.get(pk=owed.pk).state


def exclude(house: House) -> None:
    """The exclusion ran, and nothing is left that no door moves."""
    if clock.now() < jst(AFTER):
        clock.travel(jst(AFTER), frozen=True)
    assert house.run("exclude").state == "succeeded"
    assert without_a_door() == []
    house.money_holds()


def returned(house: House, owed: Entitlement, *, value_date: str = "2019-11-15") -> Any:
    """Returns the application of a transfer that came back."""
    house.apply(owed, quality="closed_once")
    house.check_payees()
    house.send(house.paid_batch(value_date))
    clock.travel(jst(f"{value_date}T15:00"), frozen=True)
    house.answers()
    assert now(owed) == "returned"
    return RefundApplication.objects.get(entitlement=owed, live=True)


def supervisors() -> tuple[Any, Any]:
    return person("wallets.release_wallet"), person(
        "wallets.release_wallet", "refunds.hold_entitlement"
    )


def release(owed: Entitlement, first: Any, second: Any) -> None:
    request = holds.ask_release(owed, actor=first, reason="checked")
    holds.release(owed, actor=second, digest=request.digest, reason="checked")


def approved_late(house: House, owed: Entitlement) -> Any:
    """Returns the late claim that two people approved after the exclusion."""
    late = house.apply(owed, late_reason="abroad")
    review.verify(late, actor=house.support, reason="papers")
    review.confirm_amount(
        late,
        confirmed_minor=owed.amount_minor,
        actor=RefundApplication.objects.get(pk=late.pk).applicant,
    )
    request = review.propose(late, actor=house.support, reason="papers")
    return review.approve(late, actor=house.checker, digest=request.digest, reason="papers")


def test_what_is_released_after_the_exclusion_is_excluded_by_the_next_one(house: House) -> None:
    (owed,) = house.entitled(1)
    first, second = supervisors()
    holds.hold(owed, actor=second, reason="suspicion")
    exclude(house)
    assert (now(owed), Programme.current().state) == ("held", "settling")
    release(owed, first, second)

    exclude(house)

    assert now(owed) == "excluded"


def test_what_is_rejected_for_silence_after_the_exclusion_is_excluded(house: House) -> None:
    (owed,) = house.entitled(1)
    sent = house.apply(owed, channel="web")
    exclude(house)
    assert now(owed) == "applied"
    review.reject(sent, rejection="no_answer", actor=house.checker, reason="silent")

    exclude(house)

    assert now(owed) == "excluded"


def test_a_holder_who_withdraws_after_a_return_applies_again(house: House) -> None:
    (owed,) = house.entitled(1)
    review.withdraw(returned(house, owed), actor=owed.wallet.account)
    assert (now(owed), without_a_door()) == ("notified", [])

    house.apply(owed)
    house.check_payees()
    clock.travel(jst("2019-11-18T15:00"), frozen=True)
    house.send(house.paid_batch("2019-11-22"))
    clock.travel(jst("2019-11-22T15:00"), frozen=True)
    house.answers()

    assert now(owed) == "paid"
    house.money_holds()


def test_what_was_returned_and_rejected_for_silence_is_excluded(house: House) -> None:
    (owed,) = house.entitled(1)
    review.reject(
        returned(house, owed), rejection="no_answer", actor=house.checker, reason="silent"
    )

    exclude(house)

    assert now(owed) == "excluded"


def test_an_application_whose_payee_was_refused_can_be_rejected(house: House) -> None:
    (owed,) = house.entitled(1)
    sent = house.apply(owed, quality="no_such_account")
    house.check_payees()
    assert RefundApplication.objects.get(pk=sent.pk).state == "needs_info"
    review.reject(sent, rejection="no_answer", actor=house.checker, reason="silent")
    assert (now(owed), without_a_door()) == ("notified", [])

    exclude(house)

    assert now(owed) == "excluded"


def test_an_account_that_is_refused_while_the_identity_is_checked_is_corrected(
    house: House,
) -> None:
    """Before the approval the account is replaced in place; at the approval it is asked for."""
    one, other = house.entitled(2)
    for owed in (one, other):
        house.apply(owed, channel="web", quality="no_such_account")
    house.check_payees()
    holder = one.wallet.account
    assert Payee.objects.get(holder=holder, replaced_at=None).state == "refused"

    corrected = review.correct_payee(holder, house.account(), actor=holder)

    assert corrected.state == "identity_check"
    assert corrected.payee.state == "entered"
    late = RefundApplication.objects.get(entitlement=other)
    review.verify(late, actor=house.support, reason="papers")
    review.confirm_amount(late, confirmed_minor=1000, actor=late.applicant)
    request = review.propose(late, actor=house.support, reason="papers")
    done = review.approve(late, actor=house.checker, digest=request.digest, reason="papers")
    assert (done.state, done.asked_for) == ("needs_info", RefundApplication.BANK_ACCOUNT)
    holder = other.wallet.account
    assert review.correct_payee(holder, house.account(), actor=holder).state == "approved"
    assert now(other) == "approved"


def test_a_late_claim_that_ends_unpaid_is_excluded_again(house: House) -> None:
    one, other = house.entitled(2)
    exclude(house)
    for _ in range(2):
        review.withdraw(approved_late(house, one), actor=one.wallet.account)
        assert (now(one), without_a_door()) == ("excluded", [])
        house.money_holds()

    late = approved_late(house, other)
    holder = late.applicant
    refused = payees.enter(holder, house.account("no_such_account"), actor=holder)
    assert refused.state == "entered"
    house.check_payees()
    assert RefundApplication.objects.get(pk=late.pk).state == "needs_info"
    review.reject(late, rejection="no_answer", actor=house.checker, reason="silent")
    assert now(other) == "excluded"
    house.money_holds()


def test_a_late_claim_can_be_held_and_goes_on_when_it_is_released(house: House) -> None:
    (owed,) = house.entitled(1)
    exclude(house)
    approved_late(house, owed)
    first, second = supervisors()
    holds.hold(owed, actor=second, reason="suspicion")
    house.money_holds()

    release(owed, first, second)

    assert now(owed) == "approved"
    house.money_holds()
    assert without_a_door() == []


def test_nobody_is_asked_to_release_what_is_not_held(house: House) -> None:
    (owed,) = house.entitled(1)
    first, second = supervisors()
    with pytest.raises(NothingToDecide):
        holds.ask_release(owed, actor=first, reason="checked")
    holds.hold(owed, actor=second, reason="suspicion")
    with pytest.raises(TransitionRefused):
        holds.hold(owed, actor=second, reason="suspicion")
    release(owed, first, second)
    with pytest.raises(NothingToDecide):
        release(owed, first, second)


def test_a_payout_in_no_batch_is_dropped_with_its_application(house: House) -> None:
    (owed,) = house.entitled(1)
    sent = house.apply(owed)
    house.check_payees()
    batch = house.paid_batch()
    with pytest.raises(GuardNotMet, match="a payout is under way"):
        review.withdraw(sent, actor=owed.wallet.account)
    house.void(batch)

    review.withdraw(sent, actor=owed.wallet.account)

    assert (Payout.objects.get().state, now(owed)) == ("cancelled", "notified")
    assert without_a_door() == []
    house.money_holds()


def test_drafts_end_with_the_window(house: House) -> None:
    (owed,) = house.entitled(1)
    holder = owed.wallet.account
    draft = submitting.save_draft(
        holder, channel="web", step=2, answers={"bank_code": "0001"}, actor=holder
    )
    assert submitting.expire_drafts() == 0
    clock.travel(jst("2020-01-14T00:00"), frozen=True)

    assert (submitting.expire_drafts(), submitting.expire_drafts()) == (1, 0)

    ended = RefundApplication.objects.get(pk=draft.pk)
    assert (ended.state, ended.live, ended.draft_sealed) == ("withdrawn", False, None)


def test_verify_names_what_no_door_moves(house: House) -> None:
    """The row is planted: no verb makes it any more."""
    (owed,) = house.entitled(1)
    sent = house.apply(owed, channel="web")
    with transaction.atomic():
        transition_one(sent, "withdraw", actor=owed.wallet.account, live=False)
        audit.append("test.plant", sent.subject, actor=SYSTEM)

    assert without_a_door() == [
        f"entitlement {owed.pk} is applied, and no application is under way"
    ]
