"""A line of the bank is held against the one inclusion that it names, and late news has a way in."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from refunds.applications import review
from refunds.bankfiles import zengin_result, zengin_transfer
from refunds.bankfiles.answers import ResultLine, ReturnReason
from refunds.bankfiles.zengin_result import AnswerKind
from refunds.models import (
    BankFile,
    Entitlement,
    Payout,
    PayoutBatch,
    ReconciliationBreak,
    RefundApplication,
)
from refunds.payouts import batch_ends, breaks, payout_batches, refund_limits, results
from tests import factories
from tests.refunds.conftest import House, jst, person
from tests.unguarded import past_the_guards
from wallets.models import Posting, Wallet
from winddown import clock
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NothingToDecide, SamePerson
from winddown.models import Failure
from winddown.runs import working
from winddown.sqlstates import SqlState, sqlstate_of

pytestmark = [pytest.mark.django_db, pytest.mark.loads_files]


@pytest.fixture
def waiting(house: House) -> PayoutBatch:
    """Two refunds of 1,000 in a sealed batch that waits for approval."""
    for row in house.entitled(2):
        house.apply(row)
    house.check_payees()
    return house.paid_batch()


def on(day: int) -> None:
    clock.travel(jst(f"2019-11-{day:02d}T15:00"), frozen=True)


def answer(
    batch: PayoutBatch,
    *reasons: ReturnReason | None,
    day: int = 15,
    kind: str = "R",
    only: tuple[int, ...] | None = None,
    line_end: bytes = b"\r\n",
    change: dict[str, Any] | None = None,
    **header: Any,
) -> bytes:
    """Returns the bank's answer to the file of the batch, a reason for each line (None is paid)."""
    file = zengin_transfer.read(b"".join(payout_batches.content(batch)))
    items = [each._replace(**(change or {})) for each in file.items]
    chosen = items if only is None else [items[number] for number in only]
    remitter = file.header.remitter
    if "number" in header:
        remitter = type(remitter)(
            **{
                name: getattr(remitter, name)
                for name in remitter.__dataclass_fields__
                if name != "account_number"
            },
            account_number=header["number"],
        )
    return b"".join(
        zengin_result.write_results(
            remitter=remitter,
            value_date=header.get("value_date", batch.value_date),
            answered_on=dt.date(2019, 11, day),
            kind=AnswerKind(kind),
            lines=[ResultLine(*each) for each in zip(chosen, reasons, strict=True)],
            line_end=line_end,
        )
    )


def book(house: House, content: bytes) -> results.Imported:
    return results.import_file(content, actor=house.treasury, reason="test")


def kinds() -> list[str]:
    return list(ReconciliationBreak.objects.order_by("pk").values_list("kind", flat=True))


def on_the_account(name: str) -> int:
    return sum(Posting.objects.filter(account=name).values_list("amount_minor", flat=True))


# --- one inclusion --------------------------------------------------------------------------------


def test_the_answer_to_a_voided_file_settles_no_line_of_the_next_one(
    house: House, waiting: PayoutBatch
) -> None:
    """The bank answers both files: the first answer is a break, and nothing is repeated."""
    house.approve(waiting)
    payout_batches.export_batch(waiting, directory=house.bank.inbox, actor=house.treasury)
    house.void(waiting)
    following = house.send(house.paid_batch("2019-11-15"))
    on(15)
    first = book(house, answer(waiting, None, None))
    assert (first.settled, first.repeated, first.breaks) == (0, 0, 2)
    assert set(kinds()) == {"dead_batch"}
    second = book(house, answer(following, None, None))
    assert (second.settled, second.repeated, second.breaks) == (2, 0, 0)
    house.money_holds()


@pytest.mark.parametrize(
    ("spoiled", "kind"),
    [
        ({"change": {"bank_code": "0005", "branch_code": "101"}}, "account_differs"),
        ({"change": {"account_number": "9999999"}}, "account_differs"),
        ({"change": {"account_type": "2"}}, "account_differs"),
        ({"change": {"payee_kana": "ｻﾄｳ ﾊﾅｺ"}}, "payee_differs"),
        ({"value_date": dt.date(2019, 11, 18)}, "value_date_differs"),
        ({"number": "7654329"}, "payer_differs"),
        ({"change": {"amount_minor": 999}}, "amount_differs"),
    ],
)
def test_a_line_that_differs_from_what_was_sent_settles_nothing(
    house: House, waiting: PayoutBatch, spoiled: dict[str, Any], kind: str
) -> None:
    batch = house.send(waiting)
    on(15)
    done = book(house, answer(batch, None, only=(0,), **spoiled))
    assert (done.settled, done.breaks, kinds()) == (0, 1, [kind])
    house.money_holds()


def test_a_second_payment_of_one_payout_is_a_break_and_the_same_line_is_known(
    house: House, waiting: PayoutBatch
) -> None:
    batch = house.send(waiting)
    on(15)
    book(house, answer(batch, None, None))
    resaved = book(house, answer(batch, None, None, line_end=b""))
    assert (resaved.repeated, resaved.breaks) == (2, 0)
    again = book(house, answer(batch, None, None, day=16))
    assert (again.repeated, again.breaks, set(kinds())) == (0, 2, {"paid_twice"})
    house.money_holds()


def test_an_answer_is_judged_by_the_terms_of_its_batch(house: House, waiting: PayoutBatch) -> None:
    """The operator has changed its account and its remitter code since."""
    batch = house.send(waiting)
    refund_limits.adopt(
        actor=person("refunds.adopt_terms"),
        reason="another account",
        source="test",
        remitter_code="9999999999",
        account_number="1111111",
        returns_before_postal_order=1,
    )
    on(15)
    done = book(house, answer(batch, None, ReturnReason.ACCOUNT_CLOSED))
    assert (done.settled, done.returned) == (1, 1)
    assert not Entitlement.objects.get(state="returned").postal_order_offered
    house.money_holds()


# --- two people end a batch -----------------------------------------------------------------------


def test_two_people_void_a_batch_and_nobody_after_transmission(
    house: House, waiting: PayoutBatch
) -> None:
    request = batch_ends.ask_void(waiting, actor=house.treasury, reason="wrong day")
    assert PayoutBatch.objects.get().state == "submitted_for_approval"
    house.treasury.user_permissions.add(*house.approver2.user_permissions.all())
    same = type(house.treasury).objects.get(pk=house.treasury.pk)
    with pytest.raises(SamePerson):
        approvals.carry_out(request, shown=request.digest, actor=same, reason="mine", approve=True)
    for state in ("voided", "bank_rejected"):
        with pytest.raises(DatabaseError), transaction.atomic():
            PayoutBatch.objects.filter(pk=waiting.pk).update(state=state)
    house.send(waiting)
    with pytest.raises(NothingToDecide):
        house.agreed(request)
    with pytest.raises(NothingToDecide):
        batch_ends.ask_void(waiting, actor=house.treasury, reason="late")
    assert PayoutBatch.objects.get().state == "transmitted"


def test_one_person_cannot_void_a_batch_in_sql(house: House, waiting: PayoutBatch) -> None:
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        factories.move(waiting, "void", actor=house.approver2)
    assert sqlstate_of(refused.value) == SqlState.BATCH_NOT_APPROVED


def test_the_bank_refuses_a_file_by_its_kept_letter(house: House, waiting: PayoutBatch) -> None:
    batch = house.send(waiting)
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        factories.move(batch, "refuse", actor=house.approver2)
    assert sqlstate_of(refused.value) == SqlState.BATCH_NOT_APPROVED
    house.refuse(batch, sha256="b" * 64)
    done = PayoutBatch.objects.get()
    assert done.rejection is not None
    assert (done.state, done.rejection.kind, done.rejection.sha256) == (
        "bank_rejected",
        "rejection",
        "b" * 64,
    )
    following = house.send(house.paid_batch("2019-11-15"))
    on(15)
    assert book(house, answer(following, None, None)).settled == 2
    house.money_holds()


# --- late news ------------------------------------------------------------------------------------


@pytest.fixture
def paid(house: House, waiting: PayoutBatch) -> PayoutBatch:
    """The bank reported both refunds as paid."""
    batch = house.send(waiting)
    house.bank.taken.add(payout_batches.file_name(batch))
    on(15)
    assert book(house, answer(batch, None, None)).settled == 2
    return PayoutBatch.objects.get()


@pytest.mark.parametrize("closed", [False, True])
def test_a_return_after_paid_is_owed_again_and_paid_to_another_account(
    house: House, paid: PayoutBatch, *, closed: bool
) -> None:
    if closed:
        payout_batches.close_batch(paid, actor=house.treasury, reason="all answered")
    on(20)
    late = answer(paid, ReturnReason.ACCOUNT_CLOSED, day=20, kind="F", only=(1,))
    assert book(house, late).returned == 1
    back = Payout.objects.get(state="returned")
    owed = back.entitlement
    assert owed is not None
    assert (back.live, back.return_reason, owed.state, owed.returns) == (
        False,
        "account_closed",
        "returned",
        1,
    )
    assert (on_the_account("bank"), on_the_account("refunds_payable")) == (1000, 1000)
    application = RefundApplication.objects.get(entitlement=owed)
    assert (application.state, application.asked_for, application.live) == (
        "needs_info",
        "bank_account",
        True,
    )
    assert Wallet.objects.get(pk=owed.wallet_id).state == "entitled"
    house.money_holds()
    assert book(house, late).known_before
    resaved = answer(paid, None, None, line_end=b"")
    assert book(house, resaved).repeated == 2, "the older word is known and changes nothing"
    house.money_holds()
    review.correct_payee(owed.wallet.account, house.account(), actor=owed.wallet.account)
    clock.travel(jst("2019-11-22T10:00"), frozen=True)
    house.check_payees()
    second = house.send(house.paid_batch("2019-11-25"))
    on(25)
    assert book(house, answer(second, None, day=25)).settled == 1
    assert Entitlement.objects.filter(state="paid").count() == 2
    house.money_holds()


def test_a_return_that_was_none_stops_the_second_payment(house: House, paid: PayoutBatch) -> None:
    on(18)
    book(house, answer(paid, ReturnReason.ACCOUNT_CLOSED, day=18, kind="F", only=(0,)))
    on(20)
    done = book(house, answer(paid, None, day=20, only=(0,)))
    assert (done.settled, done.breaks) == (1, 0)
    assert Entitlement.objects.filter(state="paid").count() == 2
    assert not RefundApplication.objects.filter(live=True).exists()
    house.money_holds()
    assert not PayoutBatch.objects.filter(run=house.run("pay", value_date="2019-11-25")).exists()


@pytest.fixture
def paid_again(house: House, paid: PayoutBatch) -> PayoutBatch:
    """The first refund came back, and its second payment waits in a file that was not sent."""
    on(18)
    book(house, answer(paid, ReturnReason.ACCOUNT_CLOSED, day=18, kind="F", only=(0,)))
    holder = Entitlement.objects.get(state="returned").wallet.account
    review.correct_payee(holder, house.account(), actor=holder)
    clock.travel(jst("2019-11-19T16:00"), frozen=True)
    house.check_payees()
    return house.approve(house.paid_batch("2019-11-25"))


def test_a_second_payment_that_is_not_sent_is_cancelled_by_two(
    house: House, paid: PayoutBatch, paid_again: PayoutBatch
) -> None:
    on(20)
    assert book(house, answer(paid, None, day=20, only=(0,))).breaks == 1
    found = ReconciliationBreak.objects.get()
    assert (found.kind, found.owner) == ("paid_after_all", house.treasury)
    with pytest.raises(GuardNotMet, match="not cleared yet"):
        payout_batches.export_batch(paid_again, directory=house.bank.inbox, actor=house.treasury)
    with pytest.raises(GuardNotMet, match="void the batch first"):
        house.clear(found)
    house.void(paid_again)
    house.clear(found)
    assert Payout.objects.get(attempt=2).state == "cancelled"
    assert Entitlement.objects.filter(state="paid").count() == 2
    assert on_the_account("payouts_in_flight") == 0
    house.money_holds()
    assert not PayoutBatch.objects.filter(run=house.run("pay", value_date="2019-11-25")).exists()


def test_a_second_payment_that_was_sent_stays_a_matter_of_people(
    house: House, paid: PayoutBatch, paid_again: PayoutBatch
) -> None:
    payout_batches.export_batch(paid_again, directory=house.bank.inbox, actor=house.treasury)
    payout_batches.mark_transmitted(paid_again, actor=house.sender, reason="sent")
    on(20)
    assert book(house, answer(paid, None, day=20, only=(0,))).breaks == 1
    house.clear(ReconciliationBreak.objects.get())
    assert Payout.objects.get(attempt=1, entitlement__returns=1).state == "returned"
    assert Payout.objects.get(attempt=2).state == "exported"
    house.money_holds()


# --- breaks ---------------------------------------------------------------------------------------


def test_two_people_clear_a_break_and_somebody_owns_it(house: House, paid: PayoutBatch) -> None:
    on(16)
    book(house, answer(paid, None, day=16, only=(0,)))
    found = ReconciliationBreak.objects.get()
    assert found.owner == house.treasury
    breaks.take(found, actor=house.second, reason="mine now")
    assert ReconciliationBreak.objects.get().owner == house.second
    request = breaks.ask_clear(
        found, explanation="a copy", actor=house.second, reason="the bank called"
    )
    with pytest.raises(SamePerson):
        approvals.carry_out(
            request, shown=request.digest, actor=house.second, reason="mine", approve=True
        )
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        factories.move(found, "resolve", actor=house.treasury, resolution="alone")
    assert sqlstate_of(refused.value) == SqlState.NOT_APPROVED
    with pytest.raises(GuardNotMet, match="1 breaks of its payouts are open"):
        payout_batches.close_batch(paid, actor=house.treasury, reason="close")
    approvals.carry_out(
        request, shown=request.digest, actor=house.treasury, reason="agreed", approve=True
    )
    cleared = ReconciliationBreak.objects.get()
    assert (cleared.state, cleared.resolution) == ("resolved", "a copy")
    with pytest.raises(NothingToDecide):
        breaks.take(found, actor=house.second, reason="late")
    done = payout_batches.close_batch(paid, actor=house.treasury, reason="close")
    assert done.state == "closed"


def test_a_batch_with_open_payouts_is_closed_by_two_and_answered_later(
    house: House, waiting: PayoutBatch
) -> None:
    batch = house.send(waiting)
    on(15)
    book(house, answer(batch, None, only=(0,)))
    with pytest.raises(GuardNotMet, match="ask a second person to waive them"):
        payout_batches.close_batch(batch, actor=house.treasury, reason="tired")
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        factories.move(PayoutBatch.objects.get(), "waive", actor=house.approver)
    assert sqlstate_of(refused.value) == SqlState.BATCH_NOT_APPROVED
    house.agreed(batch_ends.ask_waiver(batch, actor=house.treasury, reason="the bank searches"))
    assert PayoutBatch.objects.get().state == "closed"
    house.money_holds()
    assert book(house, answer(batch, ReturnReason.OTHER, kind="F", only=(1,))).returned == 1
    assert BankFile.objects.filter(kind="results").count() == 2
    house.money_holds()


# --- limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        ({"remitter_name": "株式会社セブン"}, "cannot carry 株 式 会 社"),
        ({"remitter_name": "セブン・ペイ"}, "remitter name of 1 to 40 bytes"),
        ({"remitter_code": "123"}, "remitter code of ten digits"),
        ({"account_type": "4"}, "account type 1, 2 or 9"),
        ({"account_number": "12"}, "account number of seven digits"),
    ],
)
def test_what_no_bank_file_carries_is_refused_when_it_is_adopted(
    house: House, limits: dict[str, Any], why: str
) -> None:
    before = refund_limits.current().pk
    with pytest.raises(GuardNotMet, match=why):
        refund_limits.adopt(
            actor=person("refunds.adopt_terms"), reason="test", source="test", **limits
        )
    assert refund_limits.current().pk == before


def test_a_file_that_cannot_be_written_is_a_stored_failure_of_its_run(house: House) -> None:
    """The run does not stay running, and a retry seals the file after the cause is mended."""
    for row in house.entitled(2):
        house.apply(row)
    house.check_payees()
    run = factories.started_run(
        "refund-balances",
        maker=house.treasury,
        checker=house.approver,
        params={"part": "pay", "value_date": "2019-11-15"},
    )
    while Payout.objects.filter(state="batched").count() < 2:
        working.work(run.pk, batches_max=1)
    past_the_guards("UPDATE refunds_payee SET name_kana = '山田'")
    done = factories.worked_off(run)
    failure = Failure.objects.get(run=run)
    assert (done.state, failure.step, failure.reason_code) == (
        "partially_failed",
        "seal_batches",
        "GuardNotMet",
    )
    assert "payee of 1 to 30 bytes" in failure.detail
    assert PayoutBatch.objects.get().state == "open"


# --- one file of several days ---------------------------------------------------------------------


def test_one_file_answers_two_value_dates_and_an_empty_day_books_nothing(house: House) -> None:
    batches = []
    for owed, value_date in zip(house.entitled(2), ("2019-11-15", "2019-11-18"), strict=True):
        house.apply(owed)
        house.check_payees()
        batches.append(house.send(house.paid_batch(value_date)))
    on(18)
    first, second = (answer(batch, None, day=18) for batch in batches)
    end = 122
    assert book(house, first[:-end] + second).settled == 2
    assert kinds() == []
    assert on_the_account("bank") == 2000

    header = answer(batches[0], ReturnReason.OTHER, day=18, kind="F")[:end]
    empty = header + b"8".ljust(37, b"0").ljust(120) + b"\r\n" + first[-end:]
    done = book(house, empty)
    assert (done.lines, done.breaks, done.known_before) == (0, 0, False)
    assert book(house, empty).known_before
    house.money_holds()
