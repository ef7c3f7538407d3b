"""The migrations match the models, and an empty database becomes exactly that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pgtrigger
import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AddField, RemoveField, RenameField
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import JSONField
from pgtrigger.migrations import AddTrigger

from winddown import guards
from winddown.witness import UpdateWitness

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("winddown", "accounts", "wallets", "refunds")

# A new migration is added here, so that none is added or removed without being noticed.
MIGRATIONS = {
    "winddown": ["0001_squashed_0028", "0029_completed_with_its_proof"],
    "accounts": [
        "0001_squashed_0001",
        "0002_squashed_0027",
        "0028_claim_codes",
        "0029_persons",
        "0030_documents_asked",
        "0031_arrival_and_codes",
        "0032_person_keys",
        "0033_ways_in",
        "0034_fraud_messages",
    ],
    "wallets": ["0001_squashed_0007", "0008_tokens_of_cards"],
    "refunds": [
        "0001_squashed_0028",
        "0029_claim_numbers",
        "0030_later_bank_codes_by_two",
        "0031_iban_payees",
        "0032_persons",
        "0033_unusual_applications",
        "0034_documents",
        "0035_arrivals_and_lost_vouchers",
        "0036_money_that_came_back",
        "0037_losses_are_lines",
        "0038_end_of_data",
        "0039_past_the_cut_off",
        "0040_other_people_on_appeal",
        "0041_quarantined_lines",
        "0042_ways_in_and_reserve",
        "0043_log_export",
        "0044_fraud_reports",
        "0045_results_in_one_step",
        "0046_chargebacks_hold_the_slot",
        "0047_doubts",
        "0048_lists_and_samples",
        "0049_unusual_again",
        "0050_contested_frees_the_slot",
    ],
}
# Tables whose rows change in masses. The models cannot declare this option.
FILLFACTORS = {
    "accounts_user": 50,
    "accounts_externalidentity": 50,
    "wallets_wallet": 50,
    "wallets_topup": 80,
    "refunds_entitlement": 60,
    "refunds_payout": 60,
    "refunds_refundapplication": 60,
    "refunds_payee": 80,
    "refunds_answerline": 50,
}
FUNCTIONS = {
    "accounts_summarise_attempts",
    "winddown_audit_append",
    "winddown_audit_hash",
    "winddown_end_of",
    "winddown_note_rows",
    "winddown_now",
    "winddown_pass",
    "winddown_refuse_edge",
    "winddown_rows_digest",
    "winddown_standing",
}


def rows(sql: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


@pytest.mark.django_db
def test_no_model_has_changed_without_a_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=3)


def test_the_migrations_are_the_listed_ones() -> None:
    there = {
        room: sorted(
            path.stem
            for path in (ROOT / room / "migrations").glob("*.py")
            if path.stem != "__init__"
        )
        for room in ROOMS
    }
    assert there == MIGRATIONS


@pytest.mark.django_db
def test_every_table_and_column_is_declared_and_exists() -> None:
    """The database of the test was empty before it was migrated."""
    declared = {
        (model._meta.db_table, field.column)
        for room in ROOMS
        for model in apps.get_app_config(room).get_models(include_auto_created=True)
        for field in model._meta.local_concrete_fields
        if field.column
    }
    there = rows(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND split_part(table_name, '_', 1)"
        " IN ('winddown', 'accounts', 'wallets', 'refunds')"
    )
    assert set(there) == declared


@pytest.mark.django_db
def test_every_trigger_is_declared_and_exists_with_its_text() -> None:
    declared = {}
    for model, trigger in pgtrigger.registered():
        sql = trigger.compile(model).sql
        _, body, _ = str(sql).split("$$")
        declared[sql.pgid] = (model._meta.db_table, sql.hash, body)
    there = {
        name: facts
        for name, *facts in rows(
            "SELECT t.tgname, t.tgrelid::regclass::text, obj_description(t.oid, 'pg_trigger'), p.prosrc"
            " FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE NOT t.tgisinternal"
        )
    }
    assert {name: tuple(facts) for name, facts in there.items()} == declared


@pytest.mark.django_db
def test_every_function_of_the_database_is_used() -> None:
    """The function of a removed trigger stays, unless the migration drops it."""
    used = {name for (name,) in rows("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")}
    there = {
        name
        for (name,) in rows(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        )
    }
    assert there == used | FUNCTIONS


@pytest.mark.django_db
def test_the_database_holds_what_the_models_cannot_declare() -> None:
    assert (
        dict(
            rows(
                "SELECT relname, (SELECT option_value::int FROM pg_options_to_table(reloptions)"
                " WHERE option_name = 'fillfactor') FROM pg_class"
                " WHERE relkind = 'r' AND reloptions IS NOT NULL AND relnamespace = 'public'::regnamespace"
            )
        )
        == FILLFACTORS
    )
    assert (
        rows(
            "SELECT indexrelid::regclass::text FROM pg_index"
            " WHERE indrelid = 'accounts_authevent'::regclass AND indisprimary"
        )
        == []
    )
    assert rows("SELECT id, rehearsal, frozen_at, shift = '0' FROM winddown_clock") == [
        (1, False, None, True)
    ]


@pytest.mark.as_owner
@pytest.mark.django_db
def test_an_unsupported_database_version_is_refused_before_any_migration() -> None:
    call_command("check", databases=["default"])
    recorder = MigrationRecorder(connection)
    recorder.record_applied("accounts", "0004_storage")
    recorder.record_unapplied("refunds", "0001_squashed_0028")
    with pytest.raises(SystemCheckError, match=r"winddown\.E001.*accounts\.0004_storage"):
        call_command("migrate", skip_checks=False, verbosity=0)
    assert ("refunds", "0001_squashed_0028") not in recorder.applied_migrations()


@pytest.mark.as_owner
@pytest.mark.django_db
def test_a_database_at_the_last_replaced_state_goes_on_with_nothing_to_do() -> None:
    recorder = MigrationRecorder(connection)
    for key, replaced in _replacing().items():
        assert {*replaced, key} <= set(recorder.applied_migrations())
        recorder.record_unapplied(*key)
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []
    call_command("migrate", skip_checks=False, verbosity=0)
    assert set(_replacing()) <= set(recorder.applied_migrations())


@pytest.mark.as_owner
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("app", "name"), [("refunds", "0028_break_matches"), ("winddown", "0006_witness")]
)
def test_a_database_before_the_last_replaced_state_is_refused(app: str, name: str) -> None:
    recorder = MigrationRecorder(connection)
    for key in _replacing():
        recorder.record_unapplied(*key)
    recorder.record_unapplied(app, name)
    before = set(recorder.applied_migrations())
    with pytest.raises(SystemCheckError, match=rf"winddown\.E005.*lacks {app}\.{name}\."):
        call_command("migrate", skip_checks=False, verbosity=0)
    assert set(recorder.applied_migrations()) == before


def _replacing() -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Returns the migrations that stand in place of earlier ones, with these."""
    files = MigrationLoader(None).disk_migrations
    return {key: each.replaces for key, each in files.items() if each.replaces and key[0] in ROOMS}


@pytest.mark.as_owner
@pytest.mark.django_db
def test_a_database_with_migrations_of_another_program_is_accepted() -> None:
    MigrationRecorder(connection).record_applied("elsewhere", "0001_initial")
    call_command("check", databases=["default"])


def test_a_migration_renders_only_a_new_model() -> None:
    loader = MigrationLoader(None)
    migration = loader.get_migration("refunds", "0001_squashed_0028")
    for _ in range(2):
        guards.keep_models(plan=[(migration, False)])
    state = loader.project_state(("wallets", "0001_squashed_0007"))
    before = state.apps.get_model("wallets", "wallet")
    for operation in migration.operations:
        operation.state_forwards("refunds", state)
    added = [each.name for each in state.models["refunds", "payout"].options["triggers"]]
    assert "payout_is_fixed" in added
    assert state.apps.get_model("wallets", "wallet") is before
    entitlement = state.apps.get_model("refunds", "entitlement")
    assert entitlement._meta.get_field("wallet").related_model is before
    state.reload_model("wallets", "wallet")
    assert state.apps.get_model("wallets", "wallet") is not before


# What the replaced migrations added to witnessed tables, with the value that older rows got. Databases
# that began with them have such rows.
ADDED_BEFORE = {
    "refunds.bankfile.answered_on": "NULL",
    "refunds.bankprofile.format": "'zengin'",
    "refunds.payout.method": "'bank'",
    "refunds.payoutbatch.leaves_at": "NULL",
    "refunds.payoutbatch.method": "'bank'",
    "refunds.payoutbatch.rejection_id": "NULL",
    "refunds.payoutbatch.replaces_id": "NULL",
    "refunds.reconciliationbreak.owner_id": "NULL",
    "refunds.refundapplication.fallback_consent": "False",
    "refunds.refundapplication.method": "'bank'",
    "refunds.refundterms.batch_max_minor": "999999999999",
    "refunds.refundterms.day_max_minor": "9999999999999",
    "refunds.refundterms.file_sum_max_minor": "999999999999",
    "refunds.refundterms.line_max_minor": "9999999999",
    "refunds.refundterms.pays_from": "''",
    "refunds.refundterms.release_grace_minutes": "0",
    "refunds.refundterms.straight_through_percent": "90",
    "refunds.statementline.line": "NULL",
    "winddown.filingreceipt.evidence_id": "NULL",
    "winddown.filingreceipt.evidence_sha256": "''",
    "winddown.milestone.gate": "''",
    "winddown.milestone.needs": "'{}'",
    "winddown.milestone.owner_id": "NULL",
    "winddown.milestone.owner_role": "''",
    "winddown.milestone.reached_at": "NULL",
    "winddown.milestone.reached_by_id": "NULL",
    "winddown.programme.jurisdiction": "'japan'",
    "winddown.programme.legal_basis": "'discontinued_all'",
}


def test_a_column_added_to_a_witnessed_table_is_named_with_its_first_value() -> None:
    """Otherwise I14b would report every row from before the migration."""
    declared = {
        model._meta.label_lower: {
            column: value for form in trigger.older for column, value in form.items()
        }
        for model, trigger in pgtrigger.registered()
        if isinstance(trigger, UpdateWitness)
    }
    covered = {
        model._meta.label_lower: {
            each.name: each
            for each in model._meta.concrete_fields
            if not trigger.columns or each.column in trigger.columns
        }
        for model, trigger in pgtrigger.registered()
        if isinstance(trigger, UpdateWitness)
    }
    told = {f"{label}.{column}" for label, forms in declared.items() for column in forms}
    found = set(ADDED_BEFORE)
    for name, value in ADDED_BEFORE.items():
        label, column = name.rsplit(".", 1)
        assert declared[label][column] == value, name
    for label, operation in _changes_after_the_witness():
        if not isinstance(operation, AddField):
            raise AssertionError(f"{label}: keep the column, its digests cover it: {operation}")
        if operation.name not in covered[label]:
            continue
        column = covered[label][operation.name].column
        assert column in declared[label], (label, column)
        assert declared[label][column] == _first_value(operation.field), (label, column)
        found.add(f"{label}.{column}")
    assert found == told


def _changes_after_the_witness() -> Iterator[tuple[str, Any]]:
    """Yields what migrations did to the columns of tables that a witness watched already."""
    loader, watched, done = MigrationLoader(None), set[str](), set[tuple[str, str]]()
    for leaf in loader.graph.leaf_nodes():
        for key in loader.graph.forwards_plan(leaf):
            if key in done:
                continue
            done.add(key)
            before = set(watched)
            for operation in loader.graph.nodes[key].operations:
                label = f"{key[0]}.{getattr(operation, 'model_name', '').lower()}"
                if isinstance(operation, AddTrigger) and operation.trigger.name == "witness":
                    watched.add(label)
                if label in before and isinstance(operation, AddField | RemoveField | RenameField):
                    yield label, operation


def _first_value(field: Any) -> str:
    """Returns SQL of the value that older rows got."""
    if field.null:
        return "NULL"
    value = field.get_default()
    if isinstance(field, JSONField):
        return f"'{json.dumps(value)}'::jsonb"
    if value == []:
        return "'{}'"
    return str(value) if isinstance(value, int) else f"'{value}'"
