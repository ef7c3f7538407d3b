"""Movements that name no payout are matched by two people, one to many or many to one."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from refunds.models import (
    BankFile,
    BreakMatch,
    Entitlement,
    Payout,
    PayoutBatch,
    ReconciliationBreak,
)
from refunds.payouts import bank_days, matching, voiding
from tests import factories
from tests.config.test_every_door import browser_of
from tests.refunds.conftest import House, person
from tests.refunds.payouts.camt import camt, entry, of
from tests.refunds.payouts.test_one_inclusion import on_the_account
from tests.refunds.payouts.test_statements_and_reports import book, euro, references, sent, states
from winddown.errors import GuardNotMet, NotPermitted
from winddown.models import Approval, AuditEntry

__all__ = ["euro", "sent"]
pytestmark = [pytest.mark.django_db, pytest.mark.loads_files]


@pytest.fixture
def paid(euro: House, sent: PayoutBatch) -> list[int]:
    """Two transfers of EUR 10.00 arrived, by the statement."""
    one, two = references(sent)
    book(
        euro,
        camt(
            entry("DBIT", 1_000, refs=of(one), ref="A"), entry("DBIT", 1_000, refs=of(two), ref="B")
        ),
    )
    return list(Payout.objects.order_by("pk").values_list("pk", flat=True))


def breaks() -> list[int]:
    rows = ReconciliationBreak.objects.filter(state="open").order_by("pk")
    return list(rows.values_list("pk", flat=True))


def matched(house: House, breaks: list[int], payouts: list[int]) -> None:
    house.agree_as_second(
        matching.ask_match(breaks, payouts, actor=house.treasury, reason="the bank called")
    )


def test_one_credit_brings_two_transfers_back(euro: House, paid: list[int]) -> None:
    book(euro, camt(entry("CRDT", 2_000, ref="C"), before=8_000))
    found = breaks()
    with pytest.raises(GuardNotMet, match="come to 2,000, payouts to 1,000: 1,000 is missing"):
        matching.ask_match(found, paid[:1], actor=euro.treasury, reason="test")
    match = matching.chosen(found, paid[:1])
    assert match.missing_minor == 1_000
    assert [each.pk for each in matching.fitting(match)] == paid[1:]
    matched(euro, found, paid)
    assert states() == ["returned", "returned"]
    assert set(Entitlement.objects.values_list("state", "returns")) == {("returned", 1)}
    assert (on_the_account("refunds_payable"), on_the_account("bank")) == (2_000, 0)
    assert breaks() == []
    assert list(BreakMatch.objects.order_by("payout").values_list("payout", "amount_minor")) == [
        (paid[0], 1_000),
        (paid[1], 1_000),
    ]
    tie = bank_days.tie(actor=euro.treasury, reason="test")
    assert (tie.ledger_minor, tie.statement_minor, tie.differences.count()) == (0, 0, 0)
    euro.money_holds()


def test_two_credits_bring_one_transfer_back(euro: House, paid: list[int]) -> None:
    book(euro, camt(entry("CRDT", 600, ref="C"), entry("CRDT", 400, ref="D"), before=8_000))
    matched(euro, breaks(), paid[:1])
    assert states() == ["returned", "settled"]
    assert list(BreakMatch.objects.order_by("found").values_list("amount_minor", flat=True)) == [
        600,
        400,
    ]
    euro.money_holds()
    assert bank_days.tie(actor=euro.treasury, reason="test").differences.count() == 0


def test_two_debits_pay_two_transfers(euro: House, sent: PayoutBatch) -> None:
    """The bank debits the file in two lumps that are neither of its transfers."""
    book(euro, camt(entry("DBIT", 1_400, ref="A"), entry("DBIT", 600, ref="B")))
    payouts = list(Payout.objects.order_by("pk").values_list("pk", flat=True))
    matched(euro, breaks(), payouts)
    assert states() == ["settled", "settled"]
    assert PayoutBatch.objects.get().state == "reconciled"
    assert list(BreakMatch.objects.order_by("pk").values_list("payout", "amount_minor")) == [
        (payouts[0], 1_000),
        (payouts[1], 400),
        (payouts[1], 600),
    ]
    euro.money_holds()
    assert bank_days.tie(actor=euro.treasury, reason="test").differences.count() == 0


def test_what_does_not_come_to_the_same_is_refused(euro: House, sent: PayoutBatch) -> None:
    book(euro, camt(entry("DBIT", 2_005, ref="A"), entry("CRDT", 5, ref="B")))
    debit, credit = breaks()
    payouts = list(Payout.objects.order_by("pk").values_list("pk", flat=True))
    with pytest.raises(GuardNotMet, match="5 is missing"):
        matching.ask_match([debit], payouts, actor=euro.treasury, reason="test")
    with pytest.raises(GuardNotMet, match="are not matched together"):
        matching.ask_match([debit, credit], payouts, actor=euro.treasury, reason="test")
    assert set(states()) == {"exported"}


def test_voiding_the_file_undoes_its_match_whole(euro: House, paid: list[int]) -> None:
    book(euro, camt(entry("CRDT", 2_000, ref="C"), before=8_000))
    matched(euro, breaks(), paid)
    file = BankFile.objects.latest("pk")
    euro.agree_as_second(voiding.ask_void(file, actor=euro.treasury, reason="test"))
    assert states() == ["settled", "settled"]
    assert (on_the_account("refunds_payable"), on_the_account("bank")) == (0, 2_000)
    euro.money_holds()
    tie = bank_days.tie(actor=euro.treasury, reason="test")
    assert (tie.ledger_minor, tie.statement_minor, tie.differences.count()) == (2_000, 2_000, 0)


def test_a_second_person_agrees_before_anything_moves(euro: House, paid: list[int]) -> None:
    book(euro, camt(entry("CRDT", 2_000, ref="C"), before=8_000))
    found = breaks()
    with pytest.raises(NotPermitted):
        matching.ask_match(found, paid, actor=person("refunds.make_payout_batch"), reason="test")
    request = matching.ask_match(found, paid, actor=euro.treasury, reason="test")
    assert states() == ["settled", "settled"]
    with pytest.raises(DatabaseError, match="is matched by two people"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO refunds_breakmatch (approval_id, found_id, payout_id, amount_minor)"
                " VALUES (%s, %s, %s, 5)",
                [request.pk, found[0], paid[0]],
            )


def test_the_page_runs_the_difference_to_nothing_and_the_command_asks(
    euro: House, paid: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    book(euro, camt(entry("CRDT", 2_000, ref="C"), before=8_000))
    (found,) = breaks()
    english = {"accept-language": "en"}
    operator = factories.make_staff("treasury_operator")
    reader = browser_of(operator)

    def shown(query: str) -> str:
        return str(reader.get(f"/console/matching/?{query}", headers=english).content.decode())

    assert "Movements that fit nothing yet" in shown("")
    assert f"breaks={found}&amp;payouts={paid[0]},{paid[1]}" in shown(
        f"breaks={found}&payouts={paid[0]}"
    )
    assert "Payouts still missing for" in shown(f"breaks={found}&payouts={paid[0]}")
    whole = shown(f"breaks={found}&payouts={paid[0]},{paid[1]}")
    assert "Nothing is missing." in whole
    assert "Ask to match movements with payouts" in whole
    call_command(
        "match_breaks",
        breaks=str(found),
        payouts=f"{paid[0]}, {paid[1]}",
        by=operator.login_id,
        reason="one credit",
    )
    assert "It waits for a second person." in capsys.readouterr().out
    asked = Approval.objects.latest("pk")
    other = browser_of(factories.make_staff("treasury_operator"))
    other.post(
        f"/console/approvals/{asked.pk}/approve/",
        {"reason": "agreed", "digest": asked.digest, "amount": "20.00"},
        headers=english,
    )
    assert states() == ["returned", "returned"]
    assert AuditEntry.objects.filter(action="break.match").count() == 1
