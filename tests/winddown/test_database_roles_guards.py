"""What the application's role may write by its grants, and the guards refuse: deadlines, switches,
amounts, approved runs, staff numbers, logs and the audit horizon.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from tests import factories
from tests.conftest import Database
from tests.owning import as_owner
from tests.refused_sql import refusal
from tests.winddown.evidence.test_audit import seal
from wallets.models import Wallet
from wallets.movements import charging, spending, withholding
from winddown import clock
from winddown.actors import SYSTEM
from winddown.database_roles import Roles
from winddown.evidence import audit, invariants
from winddown.models import AuditEntry, Capability, Milestone
from winddown.programme import capabilities
from winddown.sqlstates import SqlState

LOGGED = (
    "(subject_id, transition, source, target, reason, at, xact_id) SELECT id, 'freeze_charge',"
    " 'active', 'charge_frozen', '', now(), pg_current_xact_id()::text::bigint FROM wallets_wallet"
)
DIGEST = "(table_name, row_id, digest) VALUES ('winddown_milestone', 1, '')"

REFUSED = {
    "UPDATE winddown_milestone SET fired_at = NULL, late_by = NULL WHERE fired_at IS NOT NULL": (
        SqlState.COLUMN_IS_FIXED
    ),
    "UPDATE winddown_milestone SET at = at - interval '9 days' WHERE fired_at IS NOT NULL": (
        SqlState.COLUMN_IS_FIXED
    ),
    "UPDATE winddown_milestone SET at = at - interval '1 day'"
    " WHERE kind = 'refund_window_ends'": SqlState.COLUMN_IS_FIXED,
    "UPDATE winddown_milestone SET fired_at = at WHERE fired_at IS NULL": SqlState.COLUMN_IS_FIXED,
    "UPDATE winddown_milestone SET kind = 'refund_opens' WHERE fired_at IS NULL": (
        SqlState.COLUMN_IS_FIXED
    ),
    "UPDATE winddown_capability SET state = 'enabled' WHERE state = 'restoring'": (
        SqlState.NOT_APPROVED
    ),
    "UPDATE winddown_capability SET since = since - interval '1 day'": SqlState.COLUMN_IS_FIXED,
    "UPDATE winddown_capability SET code = 'x' WHERE code = 'spend'": SqlState.COLUMN_IS_FIXED,
    "UPDATE wallets_topup SET amount_minor = amount_minor + 1": SqlState.COLUMN_IS_FIXED,
    "UPDATE wallets_payment SET amount_minor = 2, paid_part_minor = 2": SqlState.COLUMN_IS_FIXED,
    "UPDATE wallets_hold SET amount_minor = 1": SqlState.COLUMN_IS_FIXED,
    "UPDATE wallets_wallet SET account_id = account_id + 1": SqlState.COLUMN_IS_FIXED,
    "UPDATE winddown_run SET params = '{}'": SqlState.COLUMN_IS_FIXED,
    "UPDATE winddown_run SET plan_digest = repeat('0', 64)": SqlState.COLUMN_IS_FIXED,
    "UPDATE accounts_user SET staff_number = 'x' || staff_number WHERE staff_number <> ''": (
        SqlState.COLUMN_IS_FIXED
    ),
    f"INSERT INTO wallets_wallettransition {LOGGED}": SqlState.WRITTEN_BY_TRIGGERS,
    f"INSERT INTO winddown_rowdigest {DIGEST}": SqlState.WRITTEN_BY_TRIGGERS,
    "UPDATE winddown_audithorizon SET xact_id = xact_id - 1": SqlState.COLUMN_IS_FIXED,
    "UPDATE winddown_audithorizon SET xact_id = xact_id + 1000000": SqlState.COLUMN_IS_FIXED,
    "UPDATE winddown_audithorizon SET epoch = epoch + 1": SqlState.COLUMN_IS_FIXED,
    "UPDATE winddown_audithorizon SET cluster = cluster + 1": SqlState.COLUMN_IS_FIXED,
    "UPDATE winddown_audithorizon SET last_ids = '{}'": SqlState.COLUMN_IS_FIXED,
    "UPDATE winddown_audithorizon SET last_ids = last_ids || '{\"wallets_posting\": 1000000}'": (
        SqlState.COLUMN_IS_FIXED
    ),
    "SELECT winddown_audit_append(NULL, 'audit.epoch', 'audit', '', NULL,"
    ' \'{"after_ids": {"wallets_posting": 1000000}}\')': SqlState.ENTRY_REFUSED,
    "SELECT set_config('winddown.rows', pg_current_xact_id() || ' wallets_posting:x:1:1:', true),"
    " winddown_audit_append(NULL, 'x', 'x', '', NULL, '{}')": SqlState.ENTRY_REFUSED,
}
KEPT_FROM_THE_OWNER_TOO = [
    "DELETE FROM winddown_milestone",
    "DELETE FROM winddown_capability",
    "DELETE FROM winddown_audithorizon",
    "UPDATE winddown_milestone SET id = id + 1000",
]


@pytest.fixture
def something_of_each(
    own_database: Database, programme: Any, wallet: Callable[..., Any], staff: Callable[..., Any]
) -> None:
    """A fired and a coming deadline, a switch to be restored, movements, an approved run, a seal."""
    at = clock.now()
    Milestone.objects.create(kind="spend_ends", at=at - dt.timedelta(days=1))
    Milestone.objects.filter(kind="spend_ends").update(fired_at=at, late_by=dt.timedelta(days=1))
    factories.publish_notice(at.date() + dt.timedelta(days=60))
    one = wallet(paid_minor=1_000)
    charging.top_up(one.pk, source="points", amount_minor=5, top_up_ref="t", actor=SYSTEM)
    spending.pay(one.pk, amount_minor=7, merchant_ref="m", payment_ref="p", actor=SYSTEM)
    withholding.hold(one.pk, amount_minor=20, reason="taint", actor=SYSTEM)
    maker, checker = staff("incident_commander"), staff("compliance")
    capabilities.stop("transfer", actor=maker, reason="test")
    capabilities.request_restore("transfer", actor=maker, reason="test")
    factories.worked_off(factories.started_run("freeze-charges", maker=maker, checker=checker))
    seal()


def test_the_application_moves_no_deadline_amount_or_number(something_of_each: None) -> None:
    """Every test's connection is the application's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (Roles().application,)
    assert {sql: refusal(sql) for sql in REFUSED} == REFUSED
    assert invariants.breached() == {}


def test_no_writer_chooses_the_number_or_the_instant_of_an_entry(something_of_each: None) -> None:
    """A number at the end of all numbers would leave none for the entry of an emergency stop."""
    last = AuditEntry.objects.order_by("-seq")[0]
    sql = (
        "INSERT INTO winddown_auditentry"
        " (seq, at, action, subject, reason, facts, rows, xact_id, previous, hash)"
        " VALUES (9223372036854775807, '2001-01-01Z', 'x', 'x', '', '{}', 'x', 1, '', '')"
    )
    assert refusal(sql) is None
    entry = AuditEntry.objects.order_by("-seq")[0]
    assert entry.seq == last.seq + 1
    assert last.at <= entry.at <= clock.now()
    assert invariants.breached() == {}


def test_what_a_session_noted_before_is_in_no_entry(something_of_each: None) -> None:
    """A role may give each of its sessions any first value of the setting."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('winddown.rows', 'wallets_posting:x:1:1:', false)")
    with transaction.atomic():
        audit.append("test", "test", actor=SYSTEM)
    assert AuditEntry.objects.order_by("-seq")[0].rows == ""
    spending.pay(
        Wallet.objects.all()[0].pk,
        amount_minor=1,
        merchant_ref="m",
        payment_ref="after",
        actor=SYSTEM,
    )
    seal()
    assert invariants.breached() == {}


def test_neither_does_the_owner_while_the_triggers_are_on(something_of_each: None) -> None:
    with as_owner():
        assert {sql: refusal(sql) for sql in KEPT_FROM_THE_OWNER_TOO} == dict.fromkeys(
            KEPT_FROM_THE_OWNER_TOO, SqlState.ROW_IS_KEPT
        )


def test_two_people_restore_a_switch(something_of_each: None, staff: Callable[..., Any]) -> None:
    capabilities.restore("transfer", actor=staff("compliance"), reason="test")
    assert Capability.objects.get(code="transfer").state == Capability.State.ENABLED
