"""What seals and the horizon must cover: each gap has its sentence, and what is whole has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction

from tests.unguarded import past_the_guards
from winddown.actors import SYSTEM
from winddown.evidence import audit, coverage
from winddown.models import AuditHorizon, AuditSeal

pytestmark = pytest.mark.usefixtures("database")

MOVED = "the audit horizon is not where a seal left it"
# A number that no transaction has yet.
TO_COME = 10**12


@dataclass
class Chain:
    """Two seals of the database's first cluster, and the horizon where the second one left it."""

    cluster: int
    end: int
    first: int = 0
    last: int = 0

    def seal(self, start: int, end: int, **facts: Any) -> int:
        covered: dict[str, Any] = {"from_xact": start, "to_xact": end, "tables": {}}
        with transaction.atomic():
            seq = audit.append(audit.SEAL, "audit", actor=SYSTEM, **covered, **facts)
            AuditSeal.objects.create(entry_id=seq, from_xact_id=start, to_xact_id=end, tables={})
        return seq

    def open_epoch(self) -> int:
        """As after a restore: transactions are counted anew."""
        # An epoch is refused in the cluster that the horizon counts.
        past_the_guards("UPDATE winddown_audithorizon SET cluster = cluster + 1")
        with transaction.atomic():
            seq = audit.append(
                audit.EPOCH, "audit", actor=SYSTEM, after_ids={}, cluster=self.cluster
            )
        past_the_guards("UPDATE winddown_audithorizon SET cluster = cluster - 1")
        return seq


@pytest.fixture
def chain(database: Any) -> Chain:
    cluster, oldest, _ = audit.cluster_now()
    made = Chain(cluster, oldest)
    # The first seals did not say of which cluster they were.
    made.first = made.seal(0, 10)
    made.last = made.seal(10, oldest, cluster=cluster)
    AuditHorizon.objects.create()
    past_the_guards(f"UPDATE winddown_audithorizon SET xact_id = {oldest}, cluster = {cluster}")
    return made


def test_a_chain_without_a_gap_has_no_sentence(chain: Chain) -> None:
    assert coverage.gaps() == []


def test_before_the_first_seal_nothing_is_to_be_covered(database: Any) -> None:
    assert coverage.gaps() == []
    AuditHorizon.objects.create()
    assert coverage.gaps() == []


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (
            "DELETE FROM winddown_auditseal WHERE entry_id = {last}",
            "seal {last} is missing or is not what its entry says",
        ),
        (
            "UPDATE winddown_auditseal SET tables = jsonb_build_object('t', 1)"
            " WHERE entry_id = {first}",
            "seal {first} is missing or is not what its entry says",
        ),
        (
            "INSERT INTO winddown_auditseal (entry_id, from_xact_id, to_xact_id, tables)"
            " SELECT 999, to_xact_id, to_xact_id, tables FROM winddown_auditseal"
            " WHERE entry_id = {last}",
            "seal 999 has no entry",
        ),
        (
            "UPDATE winddown_auditseal SET from_xact_id = 11 WHERE entry_id = {last}",
            "seal {last} does not begin where the one before ends",
        ),
        (
            "UPDATE winddown_auditseal SET from_xact_id = 1 WHERE entry_id = {first}",
            "seal {first} does not begin where the one before ends",
        ),
        ("DELETE FROM winddown_audithorizon", "the audit horizon is gone"),
        ("UPDATE winddown_audithorizon SET xact_id = xact_id - 1", MOVED),
        ("UPDATE winddown_audithorizon SET xact_id = 1000000000000", MOVED),
        ("UPDATE winddown_audithorizon SET cluster = cluster + 1", MOVED),
    ],
)
def test_a_seal_or_a_horizon_that_somebody_changed_is_named(
    chain: Chain, statement: str, sentence: str
) -> None:
    past_the_guards(statement.format(first=chain.first, last=chain.last))
    assert sentence.format(first=chain.first, last=chain.last) in coverage.gaps()


@pytest.mark.parametrize(
    ("statement", "found"),
    [("UPDATE winddown_audithorizon SET epoch = {epoch}", []), ("SELECT 1", [MOVED])],
)
def test_the_seals_of_each_epoch_begin_at_0_and_the_horizon_is_of_the_newest(
    chain: Chain, statement: str, found: list[str]
) -> None:
    epoch = chain.open_epoch()
    chain.seal(0, 5, cluster=chain.cluster)
    chain.seal(5, chain.end, cluster=chain.cluster)
    past_the_guards(statement.format(epoch=epoch))
    assert coverage.gaps() == found


def test_an_epoch_needs_a_horizon_also_before_its_first_seal(chain: Chain) -> None:
    chain.open_epoch()
    past_the_guards("DELETE FROM winddown_audithorizon")
    assert coverage.gaps() == ["the audit horizon is gone"]


# --- rows -----------------------------------------------------------------------------------------


@pytest.fixture
def logged(chain: Chain, wallet: Any) -> int:
    """A logged row of an earlier transaction, which no seal covers yet; returns its transaction."""
    wallet(paid_minor=1)
    past_the_guards(
        f"UPDATE winddown_auditseal SET to_xact_id = {chain.end - 2} WHERE entry_id = {chain.last}",
        "UPDATE winddown_auditentry SET facts = facts ||"
        f" jsonb_build_object('to_xact', {chain.end - 2}) WHERE seq = {chain.last}",
        "UPDATE winddown_rowdigest"
        f" SET xact_id = {chain.end - 1} WHERE id = (SELECT max(id) FROM winddown_rowdigest)",
    )
    return chain.end - 1


def test_a_row_before_the_horizon_is_in_a_seal_or_an_entry(chain: Chain, logged: int) -> None:
    assert coverage.gaps() == [
        f"winddown_rowdigest: no entry and no seal covers transaction {logged}"
    ]
    past_the_guards(f"UPDATE winddown_audithorizon SET xact_id = {logged}")
    assert coverage.gaps() == []


def test_rows_of_another_cluster_wait_for_the_first_seal_after_the_restore(
    chain: Chain, logged: int
) -> None:
    past_the_guards(
        "UPDATE winddown_audithorizon SET cluster = cluster + 1",
        "UPDATE winddown_auditentry SET facts = facts ||"
        f" jsonb_build_object('cluster', {chain.cluster + 1}) WHERE seq = {chain.last}",
    )
    assert coverage.gaps() == []


def test_a_row_of_a_transaction_to_come_is_named(chain: Chain, logged: int) -> None:
    past_the_guards(
        f"UPDATE winddown_audithorizon SET xact_id = {logged}",
        f"UPDATE winddown_rowdigest SET xact_id = {TO_COME} WHERE xact_id = {logged}",
    )
    assert coverage.gaps() == [
        f"winddown_rowdigest: no entry and no seal covers transaction {TO_COME}"
    ]
