"""Two people void a file of the bank, and everything is as it was before it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from refunds.applications import review
from refunds.models import (
    BankFile,
    Entitlement,
    Payout,
    PayoutBatch,
    ReconciliationBreak,
    RefundApplication,
    StatementLine,
    VoidedFile,
)
from refunds.payouts import bank_days, voiding
from tests import factories
from tests.config.test_every_door import browser_of
from tests.refunds.conftest import House, person
from tests.refunds.payouts.camt import camt, entry, of
from tests.refunds.payouts.test_one_inclusion import kinds, on_the_account
from tests.refunds.payouts.test_statements_and_reports import (
    book,
    euro,
    references,
    report,
    sent,
    states,
)
from wallets.models import Journal, Wallet
from winddown.errors import GuardNotMet, LoadRefused, NothingToDecide, NotPermitted
from winddown.models import Approval, AuditEntry

__all__ = ["euro", "sent"]
pytestmark = [pytest.mark.django_db, pytest.mark.loads_files]


def newest() -> BankFile:
    return BankFile.objects.latest("pk")


def void(house: House, file: BankFile | None = None) -> None:
    request = voiding.ask_void(file or newest(), actor=house.treasury, reason="another customer's")
    house.agree_as_second(request)


def picture() -> dict[str, Any]:
    """Everything that a file may change, without when."""
    rows = {
        "payouts": Payout.objects.values_list(
            "pk", "state", "live", "return_reason", "result_file_id", "batch_id"
        ),
        "refunds": Entitlement.objects.values_list("pk", "state", "returns"),
        "wallets": Wallet.objects.values_list("pk", "state"),
        "applications": RefundApplication.objects.values_list("pk", "state", "live", "asked_for"),
    }
    accounts = ("refunds_payable", "payouts_in_flight", "bank")
    return {
        **{name: sorted(found) for name, found in rows.items()},
        **{name: on_the_account(name) for name in accounts},
    }


def as_carried_out(before: dict[str, Any]) -> dict[str, Any]:
    """That the value date came is no word of the file."""
    payouts = [(pk, "executed", *more) for pk, _state, *more in before["payouts"]]
    return {**before, "payouts": payouts}


def test_a_void_report_leaves_everything_as_it_was(euro: House, sent: PayoutBatch) -> None:
    one, two = references(sent)
    before = picture()
    content = report((one, "ACSC", ""), (two, "RJCT", "AC04"))
    book(euro, content)
    assert states() == ["settled", "returned"]
    void(euro)
    assert picture() == as_carried_out(before)
    euro.money_holds()
    (entry_of,) = AuditEntry.objects.filter(action="bank_file.void")
    # Two payouts, refunds and applications, one payee, one wallet, the batch and two journals.
    assert entry_of.facts["changed"] == {
        "refunds_payout": 2,
        "refunds_entitlement": 2,
        "refunds_refundapplication": 2,
        "refunds_payee": 1,
        "wallets_wallet": 1,
        "refunds_payoutbatch": 1,
        "refunds_reconciliationbreak": 0,
        "wallets_journal": 2,
        "refunds_voucher": 0,
        "refunds_remedy": 0,
    }
    assert entry_of.facts["rows"] == 11
    assert Journal.objects.filter(reverses__isnull=False).count() == 2
    with pytest.raises(LoadRefused, match="two people voided it"):
        book(euro, content)
    with pytest.raises(NothingToDecide):
        voiding.ask_void(newest(), actor=euro.treasury, reason="again")
    # The file that holds is booked as if there had been no other.
    assert book(euro, report((one, "RJCT", "AC04"), (two, "ACSC", ""))).settled == 1
    assert states() == ["returned", "settled"]
    euro.money_holds()


def test_a_void_return_leaves_the_money_paid(euro: House, sent: PayoutBatch) -> None:
    one, two = references(sent)
    book(
        euro,
        camt(
            entry("DBIT", 1_000, refs=of(one), ref="A"), entry("DBIT", 1_000, refs=of(two), ref="B")
        ),
    )
    before = picture()
    back = camt(entry("CRDT", 1_000, refs=of(one), why="AC04", ref="C"), before=8_000)
    book(euro, back)
    assert states() == ["returned", "settled"]
    void(euro)
    assert picture() == before
    euro.money_holds()
    # Its movement is unknown again, so the statement that holds may tell of it.
    again = camt(
        entry("CRDT", 1_000, refs=of(one), why="AC06", ref="C"),
        entry("CRDT", 5, ref="D"),
        before=8_000,
    )
    done = book(euro, again)
    assert (done.returned, done.repeated, kinds()) == (1, 0, ["unknown_credit"])
    assert StatementLine.objects.standing().count() == 4
    euro.money_holds()


def test_open_breaks_of_a_void_file_are_over(euro: House, sent: PayoutBatch) -> None:
    book(euro, camt(entry("CRDT", 300)))
    assert bank_days.tie(actor=euro.treasury, reason="test").statement_minor == -300
    void(euro)
    assert not ReconciliationBreak.objects.filter(state="open").exists()
    assert bank_days.tie(actor=euro.treasury, reason="test").statement_minor == 0


def test_the_newest_file_is_voided_first(euro: House, sent: PayoutBatch) -> None:
    one, two = references(sent)
    book(euro, camt(entry("DBIT", 1_000, refs=of(one))))
    first = newest()
    book(euro, camt(entry("DBIT", 1_000, refs=of(two), ref="B"), before=9_000))
    with pytest.raises(GuardNotMet, match=f"file {newest().pk} was booked on top of it"):
        voiding.ask_void(first, actor=euro.treasury, reason="test")
    void(euro)
    void(euro, first)
    assert set(states()) == {"executed"}
    euro.money_holds()


def test_a_file_stays_when_its_holder_gave_another_account(euro: House, sent: PayoutBatch) -> None:
    one, _two = references(sent)
    book(euro, report((one, "RJCT", "AC04")))
    holder = Entitlement.objects.get(state="returned").wallet.account
    review.correct_payee(holder, euro.account(), actor=holder)
    with pytest.raises(GuardNotMet, match="1 of its payouts went on since"):
        voiding.ask_void(newest(), actor=euro.treasury, reason="test")


def test_one_person_voids_nothing(euro: House, sent: PayoutBatch) -> None:
    one, _two = references(sent)
    book(euro, report((one, "ACSC", "")))
    with pytest.raises(NotPermitted):
        voiding.ask_void(newest(), actor=person("refunds.make_payout_batch"), reason="test")
    with pytest.raises(DatabaseError, match="by two people"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO refunds_voidedfile (file_id, at) VALUES (%s, now())", [newest().pk]
            )
    assert not VoidedFile.objects.exists()


def test_the_command_asks_and_the_page_shows_what_was_voided(
    euro: House, sent: PayoutBatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one, _two = references(sent)
    book(euro, report((one, "ACSC", "")))
    file = newest()
    by = factories.make_staff("treasury_operator")
    call_command("void_bank_file", number=str(file.pk), by=by.login_id, reason="wrong")
    assert "It waits for a second person." in capsys.readouterr().out
    english = {"accept-language": "en"}
    reader = browser_of(factories.make_staff("treasury_operator"))
    address = f"/console/bank-answers/file/{file.sha256}/"
    shown = reader.get(address, headers=english).content
    assert b"Ask to void a file of the bank" in shown
    waiting = Approval.objects.latest("pk")
    assert f"/approvals/{waiting.pk}/approve/".encode() in shown
    reader.post(
        f"/console/approvals/{waiting.pk}/approve/",
        {"reason": "agreed", "digest": waiting.digest, "amount": "10.00"},
        headers=english,
    )
    assert VoidedFile.objects.get().file == file
    assert b"Two people voided this file" in reader.get(address, headers=english).content
