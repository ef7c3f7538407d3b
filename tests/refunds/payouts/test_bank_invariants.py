"""Planted faults in matches, ties and void files: the invariant that names each fault finds it."""

from __future__ import annotations

import pytest

from refunds.models import BankFile
from refunds.payouts import bank_days, voiding
from tests.refunds.conftest import House
from tests.refunds.payouts.camt import camt, entry
from tests.refunds.payouts.test_matching import breaks, matched, paid
from tests.refunds.payouts.test_statements_and_reports import book, euro, sent
from tests.unguarded import past_the_guards, taken_back
from winddown.evidence import invariants

__all__ = ["euro", "paid", "sent"]
pytestmark = [pytest.mark.django_db, pytest.mark.loads_files]

FAULTS = {
    "a match made smaller": ("I72", "UPDATE refunds_breakmatch SET amount_minor = 1"),
    "a match gone": (
        "I72",
        "DELETE FROM refunds_breakmatch WHERE id = (SELECT min(id) FROM refunds_breakmatch)",
    ),
    "a matched break that is open": (
        "I72",
        "UPDATE refunds_reconciliationbreak SET state = 'open'",
    ),
    "another sum of a tie": (
        "I73",
        "UPDATE refunds_bankdaytie SET named_minor = named_minor + 1",
    ),
    "a payout of a void file": (
        "I74",
        "UPDATE refunds_payout SET result_file_id = (SELECT max(file_id) FROM refunds_voidedfile)",
    ),
    "a journal of a void file that was not undone": (
        "I74",
        "UPDATE wallets_journal SET reverses_id = NULL WHERE source = 'void'",
    ),
    "a file that counts as void": (
        "I74",
        "INSERT INTO refunds_voidedfile (file_id, at) SELECT max(result_file_id), winddown_now()"
        " FROM refunds_payout",
    ),
}


def test_every_planted_fault_is_found(euro: House, paid: list[int]) -> None:
    """P4: one file was matched and is void, and the day is tied. Each fault is found."""
    book(euro, camt(entry("CRDT", 2_000, ref="C"), before=8_000))
    matched(euro, breaks(), paid)
    bank_days.tie(actor=euro.treasury, reason="test")
    file = BankFile.objects.latest("pk")
    euro.agree_as_second(voiding.ask_void(file, actor=euro.treasury, reason="test"))
    euro.money_holds()
    overlooked = []
    for fault, (code, sql) in FAULTS.items():
        with taken_back():
            past_the_guards(sql)
            if code not in invariants.breached():
                overlooked.append(fault)
    assert overlooked == []
