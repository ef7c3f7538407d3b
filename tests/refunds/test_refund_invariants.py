"""Planted faults in owed and paid amounts: the invariant that names each fault finds it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from refunds.payouts import view_lists
from tests.owning import as_owner
from tests.refunds.conftest import House, jst
from tests.unguarded import taken_back
from winddown import clock
from winddown.evidence import invariants

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid_out(house: House) -> House:
    """Three refunds: one paid, one returned, one that nobody applied for."""
    rows = house.entitled(3)
    house.apply(rows[0])
    house.apply(rows[1], quality="closed_once")
    house.check_payees()
    house.send(house.paid_batch())
    clock.travel(jst("2019-11-15T15:00"), frozen=True)
    house.answers()
    view_lists.take(actor=house.treasury, reason="test")
    house.money_holds()
    return house


@pytest.fixture
def unguarded(paid_out: House) -> Iterator[House]:
    """The owner of the database can switch triggers off; the invariants are the second protection."""
    with transaction.atomic(), as_owner(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET session_replication_role = replica")
        yield paid_out
        cursor.execute("SET session_replication_role = DEFAULT")


FAULTS = {
    "an amount raised": ("I3", "UPDATE refunds_payout SET amount_minor = amount_minor + 1"),
    "an entitlement raised": (
        "I3",
        "UPDATE refunds_entitlement SET amount_minor = amount_minor + 1",
    ),
    "a payout of nobody's": ("I3b", "UPDATE refunds_payout SET holder_id = 0"),
    "a payout to a stranger": (
        "I3c",
        "UPDATE refunds_payout SET payee_id = (SELECT max(id) FROM refunds_payee)",
    ),
    "a forgotten approval": (
        "I10g",
        "DELETE FROM winddown_signature WHERE subject LIKE 'payout_batch:%' AND part = 'approved'",
    ),
    "a self-made transmission": (
        "I10g",
        "UPDATE refunds_payoutbatch SET transmitted_by_id = maker_id",
    ),
    "a changed total": ("I11", "UPDATE refunds_payoutbatch SET total_minor = total_minor + 1"),
    "a file above a cap": (
        "I11b",
        "UPDATE refunds_refundterms SET line_max_minor = 1000, batch_max_minor = 1999,"
        " day_max_minor = 1999",
    ),
    "a transfer above its cap": ("I11b", "UPDATE refunds_refundterms SET line_max_minor = 999"),
    "the bytes of a file": (
        "I52",
        "UPDATE refunds_payoutfilepart SET content_sealed = content_sealed || '\\x00'",
    ),
    "a part of a file gone": ("I52", "DELETE FROM refunds_payoutfilepart"),
    "another hash": ("I52", "UPDATE refunds_payoutbatch SET sha256 = repeat('0', 64)"),
    "another value date": ("I52", "UPDATE refunds_payoutbatch SET value_date = value_date + 1"),
    "a number left out": ("I12", "UPDATE refunds_payoutbatch SET sequence = 7"),
    "a payout settled by hand": (
        "I13",
        "UPDATE refunds_payout SET state = 'settled', live = true, return_reason = ''"
        " WHERE state = 'returned'",
    ),
    "a wallet in the wrong bucket": (
        "I17",
        "UPDATE wallets_wallet SET state = 'excluded' WHERE state = 'settled'",
    ),
    "an entitlement paid by hand": (
        "I60",
        "UPDATE refunds_entitlement SET state = 'paid' WHERE state = 'computed'",
    ),
    "a payout by voucher that has none": (
        "I62",
        "UPDATE refunds_payout SET method = 'claim_code', payee_id = NULL WHERE state = 'settled'",
    ),
    "a line of a payout view": (
        "I70",
        "DELETE FROM refunds_payoutviewpart WHERE list = 'excluded'",
    ),
    "another hash of a payout view": (
        "I70",
        "UPDATE refunds_payoutview SET payable_sha256 = repeat('0', 64)",
    ),
    "a decision of one person": (
        "I10h",
        "UPDATE refunds_refundapplication SET decided_by_id = applicant_id",
    ),
}


def test_every_planted_fault_is_found(unguarded: House) -> None:
    """P4: it is changed past every guard, and it is found."""
    overlooked = []
    for fault, (code, sql) in FAULTS.items():
        with taken_back(), connection.cursor() as cursor:
            cursor.execute(sql)
            assert cursor.rowcount > 0
            if code not in invariants.breached():
                overlooked.append(fault)
    assert overlooked == []


def test_a_second_living_payout_is_found(unguarded: House) -> None:
    """I2: this holds without the unique index."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX one_live_payout_per_claim")
        cursor.execute(
            "INSERT INTO refunds_payout (entitlement_id, holder_id, payee_id, batch_id,"
            " result_file_id, amount_minor, attempt, state, live, return_reason, booked_at,"
            " result_at) SELECT entitlement_id, holder_id, payee_id, batch_id, result_file_id,"
            " amount_minor, 2, state, live, return_reason, booked_at, result_at"
            " FROM refunds_payout WHERE state = 'settled'"
        )
    assert "I2" in invariants.breached()
