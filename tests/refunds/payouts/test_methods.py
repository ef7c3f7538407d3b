"""Refunds are paid by postal order and claim code too: issued, cashed or expired, never twice."""

from __future__ import annotations

import csv
import datetime as dt
import io
import uuid
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, transaction

from accounts import addresses
from accounts.models import Message, User
from refunds.applications import choosing, payees, review, submitting
from refunds.applications.submitting import MethodRefused
from refunds.models import (
    BankFile,
    Entitlement,
    MethodTerms,
    Payout,
    PayoutBatch,
    ReconciliationBreak,
    RefundApplication,
    Voucher,
)
from refunds.payouts import methods, payable, payout_batches, results, view_lists, voiding
from refunds.payouts.methods import costs, notices, vouchers
from refunds.payouts.methods.postal_addresses import AddressRefused, PostalAddress
from tests import factories
from tests.config.test_every_door import browser_of
from tests.refunds.conftest import House, jst
from tests.refunds.payouts.test_payable import block, change_channel, rob, suspect
from tests.unguarded import taken_back
from wallets.models import LedgerAccount, Posting
from winddown import clock
from winddown.errors import GuardNotMet, NotPermitted
from winddown.models import AuditEntry, Programme

pytestmark = [pytest.mark.django_db, pytest.mark.loads_files]

HOME = PostalAddress.typed(
    name="山田 太郎", postal_code="〒100-0001", lines="東京都千代田区千代田1-1"
)


@pytest.fixture
def priced(house: House) -> House:
    """The set-up file says what each method costs."""
    for place, (code, most, pairs, valid) in enumerate(
        (
            ("bank", 9_999_999_999, [[29_999, 110], [9_999_999_999, 220]], 0),
            ("postal_order", 100_000, [[10_000, 360], [100_000, 420]], 180),
            ("claim_code", 30_000, [[30_000, 250]], 60),
        ),
        start=1,
    ):
        MethodTerms.objects.create(
            code=code,
            place=place,
            amount_max_minor=most,
            costs=pairs,
            money_days=place,
            valid_days=valid,
            source="test",
        )
    return house


def listed(batch: PayoutBatch) -> list[dict[str, str]]:
    """The rows of the list for the provider."""
    text = b"".join(payout_batches.content(batch)).decode()
    return list(csv.DictReader(io.StringIO(text)))


def answer(*said: tuple[str, str]) -> bytes:
    """The provider's answer about (reference, status)."""
    columns = (
        "row,reference,status,reason,amount,currency,value_date,paid_from,bank_code,branch_code,"
        "account_type,account_number,payee_kana"
    )
    rows = [
        f"transfer,{reference},{status},{'expired' if status == 'expired' else ''},,,,,,,,,"
        for reference, status in said
    ]
    head, end = "file,LIST,accepted" + "," * 10, f"end,{len(rows)}" + "," * 11
    return "\r\n".join([columns, head, *rows, end]).encode()


def book(house: House, content: bytes) -> results.Imported:
    return results.import_file(content, actor=house.treasury, reason="test")


def issued(house: House, value_date: str) -> PayoutBatch:
    batch = house.send(house.paid_batch(value_date))
    clock.travel(jst(f"{value_date}T15:00"), frozen=True)
    return batch


def without_account(
    owed: Entitlement, *, method: str = "claim_code", **more: Any
) -> RefundApplication:
    """The holder has no bank account and asks for a claim code, or another method."""
    holder = owed.wallet.account
    return submitting.submit(
        holder,
        channel="app",
        op_id=uuid.uuid4(),
        actor=holder,
        confirmed_minor=owed.amount_minor,
        method=method,
        **more,
    )


def a_day_later() -> None:
    """What was chosen anew has cooled off."""
    clock.travel(clock.now() + dt.timedelta(hours=24, seconds=1), frozen=True)


def state_of(owed: Entitlement) -> tuple[str, ...]:
    vouchers = Voucher.objects.filter(payout__entitlement=owed).order_by("pk")
    return (Entitlement.objects.get(pk=owed.pk).state, *(each.state for each in vouchers))


def balance(account: str) -> int:
    return Posting.objects.balance_minor(account)


def test_a_method_is_offered_up_to_its_cap_with_its_cost(priced: House) -> None:
    small = {offer.code: offer.cost_minor for offer in methods.offered(10_000)}
    assert small == {"bank": 110, "postal_order": 360, "claim_code": 250}
    assert [offer.code for offer in methods.offered(30_001)] == ["bank", "postal_order"]
    assert [offer.code for offer in methods.offered(100_001)] == ["bank"]
    assert methods.next_after("bank", 1_000, has_address=False) == "claim_code"
    assert methods.next_after("bank", 1_000, has_address=True) == "postal_order"
    assert methods.next_after("claim_code", 1_000, has_address=True) is None
    Programme.objects.update(currency="EUR")
    assert [offer.code for offer in methods.offered(1_000)] == ["bank", "claim_code"]
    MethodTerms.objects.exclude(code="claim_code").update(amount_max_minor=1)
    assert [offer.code for offer in methods.offered(1_000)] == ["claim_code"]


def test_without_terms_there_is_the_transfer_alone(house: House) -> None:
    assert [(offer.code, offer.cost_minor) for offer in methods.offered(1_000)] == [("bank", None)]
    (owed,) = house.entitled(1)
    with pytest.raises(MethodRefused, match="not offered for this amount"):
        without_account(owed)


def test_a_postal_order_is_paid_when_it_is_cashed_and_not_before(priced: House) -> None:
    (owed,) = priced.entitled(1)
    sent = without_account(owed, method="postal_order", address=HOME)
    assert (sent.state, sent.method) == ("approved", "postal_order")
    view = view_lists.take(actor=priced.treasury, reason="test")
    assert (view.payable_rows, view.excluded_rows) == (1, 0)

    batch = priced.paid_batch()
    assert batch.run.plans.latest("pk").content["estimates"]["cost_postal_order"] == 360
    row, end = listed(batch)
    assert (row["amount"], row["expires_on"], row["name"], row["code"]) == (
        "1000", "2020-05-13", "山田 太郎", "",
    )  # fmt: skip
    assert (row["postal_code"], end["reference"], end["amount"]) == ("1000001", "1", "1000")
    priced.send(batch)
    clock.travel(jst("2019-11-15T15:00"), frozen=True)
    assert state_of(owed) == ("paying", "issued")
    assert (balance(LedgerAccount.PAYOUTS_IN_FLIGHT), balance(LedgerAccount.BANK)) == (1_000, 0)

    reference = row["reference"]
    assert book(priced, answer((reference, "issued"))).noted == 1
    assert state_of(owed) == ("paying", "issued")
    assert book(priced, answer((reference, "cashed"))).settled == 1

    assert state_of(owed) == ("paid", "cashed")
    assert (balance(LedgerAccount.PAYOUTS_IN_FLIGHT), balance(LedgerAccount.BANK)) == (0, 1_000)
    assert PayoutBatch.objects.get().state == PayoutBatch.State.RECONCILED
    priced.money_holds()


def test_an_expired_voucher_is_owed_again_and_reissued_once(priced: House) -> None:
    (owed,) = priced.entitled(1)
    without_account(owed)
    batch = issued(priced, "2019-11-15")
    (row, _end) = listed(batch)
    assert len(row["code"]) == 16

    book(priced, answer((row["reference"], "expired")))

    assert state_of(owed) == ("returned", "expired")
    assert balance(LedgerAccount.REFUNDS_PAYABLE) == 1_000
    asked = RefundApplication.objects.get()
    assert (asked.state, asked.asked_for) == ("needs_info", "voucher")
    with pytest.raises(GuardNotMet, match="another bank account is missing"):
        review.answer_info(asked, actor=owed.wallet.account)
    choosing.choose(asked, method="claim_code", fallback_consent=False, actor=owed.wallet.account)
    a_day_later()
    again = issued(priced, "2019-11-22")
    assert state_of(owed) == ("paying", "reissued", "issued")
    with pytest.raises(IntegrityError), transaction.atomic():
        Payout.objects.filter(batch=batch).update(live=True)

    # The provider pays the old code after all: nothing is settled by it, and the day is blocked.
    late = book(priced, answer((row["reference"], "cashed")))
    assert (late.settled, late.breaks) == (0, 1)
    assert ReconciliationBreak.objects.get().kind == ReconciliationBreak.Kind.CONTRADICTS
    (row, _end) = listed(again)
    book(priced, answer((row["reference"], "redeemed")))
    assert state_of(owed) == ("paid", "reissued", "cashed")
    assert balance(LedgerAccount.BANK) == 1_000
    priced.money_holds()


def test_a_returned_transfer_falls_back_by_rule_with_consent_and_is_asked_without(
    priced: House,
) -> None:
    agreed, asked, addressed = priced.entitled(3)
    priced.apply(agreed, quality="closed_once", fallback_consent=True)
    priced.apply(asked, quality="closed_once")
    priced.apply(addressed, quality="closed_once", fallback_consent=True, address=HOME)
    priced.check_payees()
    issued(priced, "2019-11-15")
    priced.answers()

    by_owed = {each.entitlement_id: each for each in RefundApplication.objects.all()}
    assert [(by_owed[each.pk].state, by_owed[each.pk].method) for each in (agreed, asked, addressed)] == [
        ("approved", "claim_code"), ("needs_info", "bank"), ("approved", "postal_order"),
    ]  # fmt: skip
    assert state_of(asked) == ("returned",)
    a_day_later()
    done = priced.run("pay", value_date="2019-11-22")
    assert done.state == "succeeded"
    batches = PayoutBatch.objects.filter(run=done).order_by("method")
    assert [(each.method, each.bank_code, each.items) for each in batches] == [
        ("claim_code", "9992", 1), ("postal_order", "9991", 1),
    ]  # fmt: skip
    priced.money_holds()


def test_a_list_that_is_never_sent_voids_its_vouchers(priced: House) -> None:
    (owed,) = priced.entitled(1)
    without_account(owed)
    first = priced.paid_batch()
    priced.void(first)
    assert state_of(owed) == ("paying", "voided")
    issued(priced, "2019-11-18")
    assert state_of(owed) == ("paying", "voided", "issued")
    assert Payout.objects.count() == 1
    priced.money_holds()


def test_a_chosen_method_cools_off_and_the_holder_is_told(priced: House) -> None:
    """Rule 57: who takes over an account cannot have its refund in cash at once."""
    (owed,) = priced.entitled(1)
    holder = owed.wallet.account
    User.objects.filter(pk=holder.pk).update(
        email="holder@example.com", email_verified_at=clock.now()
    )
    payees.enter(holder, priced.account(), actor=holder)
    without_account(owed)
    assert Message.objects.filter(kind=Message.Kind.PAYEE_CHANGED, user=holder).count() == 1

    done = priced.run("pay", value_date="2019-11-15")
    assert (Payout.objects.count(), payable.left_out(done)) == (0, {"method_cooling_off": 1})
    view = view_lists.take(actor=priced.treasury, reason="test")
    assert (view.payable_rows, view.excluded_rows) == (0, 1)
    a_day_later()
    assert priced.paid_batch("2019-11-18").items == 1


def test_a_method_that_a_thief_chose_is_not_paid(priced: House) -> None:
    """I5."""
    (owed,) = priced.entitled(1)
    without_account(owed)
    rob(owed)
    done = priced.run("pay", value_date="2019-11-15")
    assert (Payout.objects.count(), payable.left_out(done)) == (0, {"chosen_during_compromise": 1})


def test_a_blocked_holder_gets_no_voucher(priced: House, staff: Any) -> None:
    from tests.refunds.payouts.test_payment_blocks import block

    (owed,) = priced.entitled(1)
    without_account(owed)
    block(owed.wallet.account, staff("compliance"))
    done = priced.run("pay", value_date="2019-11-15")
    assert (Payout.objects.count(), payable.left_out(done)) == (0, {"payment_blocked": 1})


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"name": " ", "postal_code": "1000001", "lines": "東京都"}, "name"),
        ({"name": "山田", "postal_code": "100-000", "lines": "東京都"}, "postal_code"),
        ({"name": "山田", "postal_code": "1000001", "lines": "京" * 161}, "lines"),
    ],
)
def test_an_address_that_no_letter_reaches_is_refused(given: dict[str, str], why: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        PostalAddress.typed(**given)
    assert refused.value.facts["field"] == why


def test_page_and_command_pay_by_another_method(
    priced: House, staff: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_page, by_command = priced.entitled(2)
    for each in (by_page, by_command):
        priced.apply(each, quality="closed_once")
    priced.check_payees()
    issued(priced, "2019-11-15")
    priced.answers()
    support = staff("support")
    first, other = RefundApplication.objects.order_by("pk")
    typed = {"application": first.pk, "method": "postal_order", "reason": "letter"}
    browser = browser_of(support, headers={"accept-language": "ja"})
    address = "/console/applications/method/"
    assert "郵便" in browser.post(address, typed).content.decode()
    wrong = {**typed, "name": "山田", "postal_code": "1", "address": "東京都"}
    assert "7桁" in browser.post(address, wrong).content.decode()
    browser.post(address, {**wrong, "postal_code": "100-0001"})
    first.refresh_from_db()
    assert (first.state, first.method) == ("approved", "postal_order")
    with pytest.raises(NotPermitted):
        choosing.choose(other, method="claim_code", fallback_consent=False, actor=priced.sender)
    monkeypatch.setattr("sys.stdin", io.StringIO("\n\n\n"))
    call_command(
        "choose_method", "--by", support.login_id, "--reason", "call", "--application",
        str(other.pk), "--method", "claim_code",
    )  # fmt: skip
    other.refresh_from_db()
    assert (other.state, other.method) == ("approved", "claim_code")
    refused = browser_of(staff("auditor")).post(address, typed)
    assert refused.status_code == 403


def test_a_holder_is_told_reminded_and_sees_the_code_once(priced: House, staff: Any) -> None:
    (owed,) = priced.entitled(1)
    holder = owed.wallet.account
    address = addresses.understood("holder@example.com")
    assert address is not None
    User.objects.filter(pk=holder.pk).update(
        email=address.text, mail_address=address.text, email_verified_at=clock.now()
    )
    without_account(owed)
    batch = issued(priced, "2019-11-15")
    (row, _end) = listed(batch)
    voucher = Voucher.objects.get()

    assert (notices.follow_up(), notices.follow_up()) == (1, 0)
    assert AuditEntry.objects.filter(action="voucher.notify").count() == 1
    assert state_of(owed) == ("paying", "notified")
    # 2020-01-14 is the last day. Wave after wave, and none in the last ten days.
    for day, queued in (("2019-12-15", 1), ("2019-12-16", 0), ("2020-01-04", 1), ("2020-01-14", 0)):
        clock.travel(jst(f"{day}T12:00"), frozen=True)
        assert (notices.follow_up(), notices.follow_up()) == (queued, 0), day
    kinds = Message.objects.filter(user=holder).order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["voucher_issued", "voucher_reminder", "voucher_reminder"]
    assert not any(row["code"] in str(each.facts) for each in Message.objects.all())

    browser = browser_of(holder, headers={"accept-language": "en"})
    page = f"/account/refund/code/{voucher.pk}/"
    assert page in browser.get("/").content.decode()
    assert row["code"] not in browser.get(page).content.decode()
    assert browser_of(factories.make_customer()).get(page).status_code == 404
    assert row["code"] in browser.post(page).content.decode()
    again = browser.post(page).content.decode()
    assert row["code"] not in again
    assert "it was shown before" in again
    with pytest.raises(NotPermitted):
        vouchers.reveal(voucher, actor=staff("support"))
    with pytest.raises(DatabaseError), transaction.atomic():
        Voucher.objects.update(shown_at=None)


def test_a_void_answer_of_the_provider_leaves_its_vouchers_out(priced: House) -> None:
    """One was cashed and one expired by a file that two people void; both can be cashed again."""
    one, other = priced.entitled(2)
    for owed in (one, other):
        without_account(owed)
    batch = issued(priced, "2019-11-15")
    cashed, expired = (row["reference"] for row in listed(batch)[:2])
    book(priced, answer((cashed, "cashed"), (expired, "expired")))
    assert (state_of(one), state_of(other)) == (("paid", "cashed"), ("returned", "expired"))
    file = BankFile.objects.latest("pk")
    priced.agree_as_second(voiding.ask_void(file, actor=priced.treasury, reason="of another list"))
    assert (state_of(one), state_of(other)) == (("paying", "issued"), ("paying", "issued"))
    assert balance(LedgerAccount.PAYOUTS_IN_FLIGHT) == 2_000
    priced.money_holds()
    book(priced, answer((cashed, "expired"), (expired, "cashed")))
    assert (state_of(one), state_of(other)) == (("returned", "expired"), ("paid", "cashed"))
    assert Entitlement.objects.get(pk=one.pk).returns == 0
    priced.money_holds()


@pytest.mark.parametrize(
    ("spoiled", "why"),
    [
        (change_channel, "your address was changed"),
        (suspect, "a theft from your wallet is being looked at"),
        (block, "nothing may be paid to you now"),
    ],
)
def test_a_code_is_not_shown_while_a_thief_may_be_reading(
    priced: House, spoiled: Any, why: str
) -> None:
    """Whoever has the code has the money, so what keeps an account from being paid keeps it."""
    (owed,) = priced.entitled(1)
    without_account(owed)
    issued(priced, "2019-11-15")
    voucher = Voucher.objects.get()
    with taken_back():
        spoiled(owed)
        with pytest.raises(GuardNotMet, match=why):
            vouchers.reveal(voucher, actor=owed.wallet.account)
    assert len(vouchers.reveal(voucher, actor=owed.wallet.account)) == 16


def test_the_programme_page_says_what_each_method_costs(priced: House, staff: Any) -> None:
    priced.entitled(2)
    assert [each.cost_minor for each in costs.of_all_owed()] == [220, 720, 500]
    page = browser_of(staff("compliance"), headers={"accept-language": "en"})
    said = page.get("/console/programme/").content.decode()
    assert "What paying costs" in said
    assert "720" in said
