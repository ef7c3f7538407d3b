"""The bank's answers are booked once, line by line, and never by a guess."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from refunds.applications import payees, review
from refunds.bankfiles import zengin_result, zengin_transfer
from refunds.bankfiles.answers import ResultLine, ReturnReason
from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.zengin_result import AnswerKind
from refunds.models import (
    BankFile,
    Entitlement,
    Payee,
    Payout,
    PayoutBatch,
    PayoutTransition,
    ReconciliationBreak,
)
from refunds.models.payout import reference_of
from refunds.payouts import payout_batches, refund_limits, results
from tests.refunds.conftest import House, jst, person
from wallets.models import Journal, Posting, Wallet
from winddown import clock
from winddown.errors import LoadRefused, NotPermitted
from winddown.models import RowDigest

pytestmark = [pytest.mark.django_db, pytest.mark.loads_files]

Answer = Callable[..., bytes]


@pytest.fixture
def batch(house: House) -> PayoutBatch:
    """Three refunds of 1,000 with the bank, on their value date."""
    for row in house.entitled(3):
        house.apply(row)
    house.check_payees()
    batch = house.send(house.paid_batch())
    clock.travel(jst("2019-11-15T15:00"), frozen=True)
    return batch


@pytest.fixture
def answer(house: House, batch: PayoutBatch) -> Answer:
    """Returns the bank's file with these reasons, one per item (None is paid). `change` alters an
    item first.
    """

    def write(
        *reasons: ReturnReason | None,
        change: dict[int, Any] | None = None,
        kind: str = "R",
        day: int = 15,
    ) -> bytes:
        file = zengin_transfer.read(b"".join(payout_batches.content(batch)))
        lines = []
        for number, (item, reason) in enumerate(zip(file.items, reasons, strict=False)):
            lines.append(ResultLine(item._replace(**(change or {}).get(number, {})), reason))
        return b"".join(
            zengin_result.write_results(
                remitter=file.header.remitter,
                value_date=batch.value_date,
                answered_on=dt.date(2019, 11, day),
                kind=AnswerKind(kind),
                lines=lines,
            )
        )

    return write


def book(house: House, content: bytes) -> results.Imported:
    return results.import_file(content, actor=house.treasury, reason="test")


def test_the_same_file_again_changes_nothing(house: House, answer: Answer) -> None:
    """Rule 25, I13."""
    content = answer(None, None, ReturnReason.ACCOUNT_CLOSED)
    first = book(house, content)
    assert (first.settled, first.returned) == (2, 1)
    before = (Journal.objects.count(), BankFile.objects.count())
    second = book(house, content)
    assert (second.known_before, second.file_id) == (True, first.file_id)
    assert (Journal.objects.count(), BankFile.objects.count()) == before
    house.money_holds()


def test_a_booked_transfer_is_paid_and_a_returned_one_is_owed_again(
    house: House, answer: Answer
) -> None:
    """Rule 55: liability restored, entitlement returned, the holder asked, no fee."""
    book(house, answer(None, ReturnReason.ACCOUNT_CLOSED, None))
    sums = {
        account: sum(Posting.objects.filter(account=account).values_list("amount_minor", flat=True))
        for account in ("bank", "refunds_payable", "payouts_in_flight")
    }
    assert sums == {"bank": 2000, "refunds_payable": 1000, "payouts_in_flight": 0}
    back = Payout.objects.get(state="returned")
    owed = back.entitlement
    assert owed is not None
    assert (back.return_reason, owed.state, owed.returns) == ("account_closed", "returned", 1)
    application = owed.applications.get()
    assert (application.state, application.asked_for) == ("needs_info", "bank_account")
    assert Wallet.objects.filter(state="settled").count() == 2
    assert PayoutBatch.objects.get().state == "reconciled"
    house.money_holds()


def test_the_same_lines_of_the_same_day_are_known(house: House, answer: Answer) -> None:
    book(house, answer(None, ReturnReason.ACCOUNT_CLOSED, None))
    again = book(house, answer(None, ReturnReason.ACCOUNT_CLOSED))
    assert (again.repeated, again.settled, again.breaks) == (2, 0, 0)


def test_results_may_come_in_several_files(house: House, answer: Answer) -> None:
    first = book(house, answer(None))
    assert first.settled == 1
    assert PayoutBatch.objects.get().state == "reconciling"
    house.money_holds()
    book(house, answer(None, None, ReturnReason.OTHER))
    assert PayoutBatch.objects.get().state == "reconciled"
    house.money_holds()


def test_a_file_that_holds_only_returns_is_booked(house: House, answer: Answer) -> None:
    done = book(house, answer(ReturnReason.ACCOUNT_CLOSED, kind="F"))
    assert (done.returned, done.settled) == (1, 0)
    assert Payout.objects.filter(state="executed").count() == 2
    house.money_holds()


def test_a_payout_of_which_the_answer_is_the_first_word_is_written_once(
    house: House, answer: Answer
) -> None:
    """Decision 40: those of the same file without a result count as carried out."""
    book(house, answer(ReturnReason.ACCOUNT_CLOSED, kind="F"))
    back = Payout.objects.get(state="returned")
    steps = PayoutTransition.objects.filter(source="exported")
    assert list(steps.filter(subject_id=back.pk).values_list("transition", "target")) == [
        ("give_back", "returned")
    ]
    rest = steps.exclude(subject_id=back.pk)
    assert list(rest.values_list("transition", "target")) == [("execute", "executed")] * 2
    noted = RowDigest.objects.filter(table_name="refunds_payout", row_id=back.pk)
    assert noted.latest("pk").xact_id == steps.get(subject_id=back.pk).xact_id


def test_a_payout_has_no_result_before_its_batch_was_carried_out(
    house: House, batch: PayoutBatch
) -> None:
    with pytest.raises(DatabaseError, match="its batch was not carried out"), transaction.atomic():
        Payout.objects.filter(batch=batch).update(
            state="settled", result_at=clock.now(), result_file=BankFile.objects.latest("pk")
        )


def test_a_contradicting_result_is_a_break_and_changes_nothing(
    house: House, answer: Answer
) -> None:
    """Rule 59, I13."""
    book(house, answer(None, None, ReturnReason.ACCOUNT_CLOSED))
    done = book(house, answer(None, None, ReturnReason.NAME_MISMATCH, day=16))
    assert (done.breaks, done.repeated, done.returned) == (3, 0, 0)
    kinds = ReconciliationBreak.objects.order_by("line").values_list("kind", flat=True)
    assert list(kinds) == ["paid_twice", "paid_twice", "contradicts"]
    assert sorted(Payout.objects.values_list("state", flat=True)) == [
        "returned", "settled", "settled",
    ]  # fmt: skip
    house.money_holds()


def test_no_result_is_matched_by_amount_alone(house: House, answer: Answer) -> None:
    """Rule 59: an unknown reference and a wrong amount are breaks."""
    stranger = reference_of(1, 999_999)
    done = book(
        house,
        answer(None, None, None, change={1: {"amount_minor": 999}, 2: {"reference": stranger}}),
    )
    assert (done.settled, done.breaks) == (1, 2)
    kinds = ReconciliationBreak.objects.order_by("line").values_list("kind", "expected_minor")
    assert list(kinds) == [("amount_differs", 1000), ("unknown_reference", None)]
    house.money_holds()


def test_a_result_before_the_value_date_is_refused_and_booked_later(
    house: House, answer: Answer
) -> None:
    clock.travel(jst("2019-11-14T15:00"), frozen=True)
    content = answer(None, None, None)
    with pytest.raises(LoadRefused, match=r"value date of payout batch \d+ is 2019-11-15"):
        book(house, content)
    assert set(Payout.objects.values_list("state", flat=True)) == {"exported"}
    clock.travel(jst("2019-11-15T15:00"), frozen=True)
    assert book(house, content).settled == 3
    house.money_holds()


def test_a_result_for_a_file_that_was_not_sent_is_refused_and_booked_later(house: House) -> None:
    for row in house.entitled(1):
        house.apply(row)
    house.check_payees()
    batch = house.approve(house.paid_batch())
    path = payout_batches.export_batch(batch, directory=house.bank.inbox, actor=house.treasury)
    clock.travel(jst("2019-11-15T15:00"), frozen=True)
    (taken,) = house.bank.work(today=payout_batches.today())
    content = taken.answers[0].read_bytes()
    assert path.exists()
    with pytest.raises(LoadRefused, match="transmit_payout_batch"):
        book(house, content)
    assert not BankFile.objects.filter(kind="results").exists()
    payout_batches.mark_transmitted(batch, actor=house.sender, reason="late")
    assert book(house, content).settled == 1
    house.money_holds()


def test_a_damaged_file_is_refused_as_a_whole(house: House, answer: Answer, tmp_path: Path) -> None:
    content = bytearray(answer(None, None, None))
    content[122 + 80 : 122 + 90] = b"0000001001"
    with pytest.raises(BankFileError, match="amounts"):
        book(house, bytes(content))
    path = tmp_path / "damaged.txt"
    path.write_bytes(content)
    with pytest.raises(CommandError, match="refused whole"):
        call_command("import_bank_results", str(path), by=house.treasury.login_id, reason="test")
    assert set(Payout.objects.values_list("state", flat=True)) == {"exported"}
    assert not BankFile.objects.filter(kind="results").exists()


def test_our_own_question_is_no_answer(house: House) -> None:
    house.apply(house.entitled(1)[0])
    path = payees.export_check_file(house.bank.inbox, actor=house.treasury, reason="test")
    assert path is not None
    with pytest.raises(LoadRefused, match="our question"):
        results.import_file(path, actor=house.treasury, reason="wrong file")
    assert Payee.objects.get().state == "asked"


def test_an_answer_to_another_remitter_is_refused(house: House, answer: Answer) -> None:
    content = answer(None, None, None).replace(b"1234567890", b"1234567891")
    with pytest.raises(LoadRefused, match="another remitter"):
        book(house, content)


def test_results_are_imported_only_by_a_person_who_may_reconcile(
    house: House, answer: Answer
) -> None:
    with pytest.raises(NotPermitted):
        results.import_file(answer(None, None, None), actor=house.sender, reason="mine")


def test_three_returns_lead_to_a_postal_order(house: House) -> None:
    """Rule 55."""
    (owed,) = house.entitled(1)
    house.apply(owed, quality="always_bad")
    holder = owed.wallet.account
    for attempt, day in enumerate(("2019-11-15", "2019-11-22", "2019-11-29"), start=1):
        house.check_payees()
        house.send(house.paid_batch(day))
        clock.travel(jst(f"{day}T15:00"), frozen=True)
        (done,) = house.answers()
        assert done.returned == 1
        fresh = Entitlement.objects.get()
        assert (fresh.returns, fresh.postal_order_offered) == (attempt, attempt == 3)
        house.money_holds()
        if attempt < 3:
            review.correct_payee(holder, house.account("always_bad"), actor=holder)
            clock.travel(jst(day + "T15:00") + dt.timedelta(hours=25), frozen=True)
    assert list(Payout.objects.order_by("pk").values_list("attempt", "live")) == [
        (1, False), (2, False), (3, False),
    ]  # fmt: skip
    last = Payout.objects.get(attempt=3)
    assert payout_batches.give_up(last, actor=house.treasury, reason="postal order").state == (
        "uncollectable"
    )


def test_the_command_imports_and_reports(house: House, answer: Answer, tmp_path: Path) -> None:
    path = tmp_path / "results.txt"
    path.write_bytes(answer(None, None, None))
    said = StringIO()
    for _ in range(2):
        call_command(
            "import_bank_results",
            str(path),
            by=house.treasury.login_id,
            reason="test",
            stdout=said,
        )
    assert "3 settled" in said.getvalue()
    assert "nothing changed" in said.getvalue()


def test_a_reconciled_batch_can_be_closed(house: House, answer: Answer) -> None:
    book(house, answer(None, None, None))
    done = payout_batches.close_batch(
        PayoutBatch.objects.get(), actor=house.treasury, reason="all answered"
    )
    assert done.state == "closed"


def test_a_limit_is_a_version_with_a_source(house: House) -> None:
    before = refund_limits.current()
    after = refund_limits.adopt(
        actor=person("refunds.adopt_terms"),
        reason="board",
        source="minutes",
        cooling_off_hours=48,
    )
    assert (after.cooling_off_hours, after.remitter_code) == (48, before.remitter_code)
    with pytest.raises(NotPermitted):
        refund_limits.adopt(actor=house.support, reason="mine", source="none")
