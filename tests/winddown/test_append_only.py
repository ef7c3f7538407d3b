"""No writer can UPDATE, DELETE or TRUNCATE rows that were written once."""

from __future__ import annotations

import psycopg
import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError

from tests import factories
from tests.conftest import ROLES
from tests.owning import as_owner
from tests.refused_sql import refusal
from wallets.models import Journal, Posting, WalletTransition
from wallets.movements import spending
from winddown.actors import SYSTEM
from winddown.evidence import audit
from winddown.models import Approval, AuditEntry, Plan, Signature

pytestmark = pytest.mark.usefixtures("database")

FROZEN = sorted(
    (
        model
        for model in apps.get_models()
        if any(each.name == "append_only" for each in getattr(model._meta, "triggers", ()))
    ),
    key=lambda model: model._meta.label,
)


def test_every_table_of_evidence_is_append_only():
    """Rules 33 and 63: every table that an auditor relies on is frozen."""
    frozen = {model._meta.label for model in FROZEN}
    assert frozen >= {
        "wallets.Journal",
        "wallets.Posting",
        "wallets.Snapshot",
        "wallets.SnapshotLine",
        "winddown.Approval",
        "winddown.AuditEntry",
        "winddown.AuditSeal",
        "winddown.LoadedFile",
        "winddown.Plan",
        "winddown.PublicNotice",
        "winddown.PublishedFigure",
        "winddown.Signature",
    }
    from winddown.machines.declare import all_machines

    assert frozen >= {model.log_model()._meta.label for model in all_machines()}


@pytest.mark.parametrize("model", FROZEN, ids=lambda model: model._meta.label)
def test_a_frozen_table_refuses_every_way_to_change_it(model):
    """The statement itself is refused, even on an empty table."""
    table = model._meta.db_table
    column = model._meta.concrete_fields[-1].column
    for sql in (
        f'UPDATE {table} SET "{column}" = "{column}"',
        f"DELETE FROM {table}",
        f"TRUNCATE {table} CASCADE",
    ):
        assert refusal(sql) == "42501"
        with as_owner():
            assert refusal(sql) == "WD020"


@pytest.fixture
def evidence(staff, programme, wallet):
    """One row of each kind that the money and the approvals leave."""
    maker, checker = staff("incident_commander"), staff("compliance")
    factories.started_run("freeze-charges", maker=maker, checker=checker)
    one = wallet(paid_minor=500)
    spending.pay(one.pk, amount_minor=1, merchant_ref="m", payment_ref="p", actor=SYSTEM)
    factories.move(one, "hold", actor=SYSTEM)
    with transaction.atomic():
        audit.append("test", "test", actor=SYSTEM)


@pytest.mark.parametrize(
    "model", [Approval, AuditEntry, Journal, Plan, Posting, Signature, WalletTransition]
)
def test_the_orm_cannot_change_a_written_row(evidence, model):
    row = model._default_manager.first()
    assert row is not None
    for change in (
        lambda: model._default_manager.all().delete(),
        lambda: row.delete(),
        lambda: row.save(),
        lambda: model._default_manager.update(**{model._meta.pk.attname: 0}),
    ):
        # Django itself protects some of them; the table protects the others.
        with pytest.raises((DatabaseError, ProtectedError)), transaction.atomic():
            change()
    assert model._default_manager.filter(pk=row.pk).exists()


def test_psql_cannot_change_a_written_row(own_database, evidence):
    tables = ("wallets_posting", "wallets_wallettransition", "winddown_auditentry")
    for role, state in (("none", "WD020"), (ROLES.application, "42501")):
        with own_database.connect(role) as psql:
            for table in tables:
                for sql in (f"DELETE FROM {table}", f"UPDATE {table} SET xact_id = 0"):
                    with pytest.raises(psycopg.Error) as met:
                        psql.execute(sql)
                    assert met.value.sqlstate == state


def test_a_session_cannot_switch_the_guards_off(evidence):
    """A guard does not contain pgtrigger's own ignore switch."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pgtrigger.ignore', '{winddown_auditentry:all}', true)")
        assert refusal("DELETE FROM winddown_auditentry") == "WD020"
