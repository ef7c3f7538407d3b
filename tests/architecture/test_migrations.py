"""The migrations match the models, and an empty database becomes exactly that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pgtrigger
import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AddField, RemoveField, RenameField
from django.db.migrations.recorder import MigrationRecorder
from pgtrigger.migrations import AddTrigger

from winddown import guards
from winddown.witness import UpdateWitness

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("winddown", "accounts", "wallets", "refunds")

# A new migration is added here, so that none is added or removed without being noticed.
MIGRATIONS = {
    "winddown": [
        "0001_functions",
        "0002_initial",
        "0003_batch_held_up",
        "0004_clocks_of_hosts",
        "0005_seals_after_a_restore",
        "0006_witness",
        "0007_kept_rows",
        "0008_entries_continue_the_chain",
        "0009_journal_is_searched",
        "0010_jurisdiction",
        "0011_window_follows_the_notice",
        "0012_publications",
        "0013_declared_sources_and_providers",
        "0014_instruments_and_merchants",
        "0015_set_up_code",
        "0016_zone_of_the_notice",
        "0017_milestones_and_filings",
        "0018_one_standing_of_a_switch",
        "0019_announcements",
        "0020_alarms",
        "0021_witnessed_alarms",
        "0022_numbers_of_the_law",
        "0023_evidence_of_receipts",
        "0024_milestones_of_the_clock",
        "0025_withdrawn_incident",
        "0026_merchant_notices",
        "0027_receipts_from_before_the_files",
        "0028_told_duty_addresses",
    ],
    "accounts": [
        "0001_initial",
        "0002_initial",
        "0003_one_person_one_staff_number",
        "0004_roles_in_one_hand",
        "0005_summaries_by_the_owner",
        "0006_access_added_message",
        "0007_witness",
        "0008_hits_of_a_minute",
        "0009_imported_hash_cost",
        "0010_link_for_a_browser",
        "0011_addresses_that_reach",
        "0012_login_id_in_one_spelling",
        "0013_kept_rows",
        "0014_access_changed_message",
        "0015_link_for_an_address",
        "0016_witnessed_roles",
        "0017_guards_of_named_columns",
        "0018_declared_providers",
        "0019_bulk_messages",
        "0020_visible_staff_numbers",
        "0021_carrier_files",
        "0022_merchant_notices",
        "0023_ids_of_attempts",
        "0024_payee_changed",
        "0025_voucher_messages",
        "0026_postal_addresses",
        "0027_application_in",
    ],
    "wallets": [
        "0001_initial",
        "0002_witness",
        "0003_kept_rows",
        "0004_declared_sources",
        "0005_result_of_one_inclusion",
        "0006_parts_of_an_entitlement",
        "0007_deposited",
    ],
    "refunds": [
        "0001_initial",
        "0002_witness",
        "0003_same_file_after_a_rejection",
        "0004_request_list",
        "0005_kept_rows",
        "0006_bank_profiles",
        "0007_payment_blocks",
        "0008_reminders",
        "0009_result_of_one_inclusion",
        "0010_ways_out",
        "0011_parts_of_an_entitlement",
        "0012_answers_of_the_bank",
        "0013_payout_views",
        "0014_statements_of_the_bank",
        "0015_payees_left_unchecked",
        "0016_tracing",
        "0017_closing_proof",
        "0018_caps_and_releases",
        "0019_bank_days",
        "0020_closing_documents",
        "0021_payout_methods",
        "0022_voided_files",
        "0023_versions_of_a_batch",
        "0024_payout_waves",
        "0025_breaks_together",
        "0026_recalls",
        "0027_other_ends",
        "0028_break_matches",
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
    MigrationRecorder(connection).record_applied("accounts", "0004_storage")
    MigrationRecorder(connection).record_unapplied("refunds", "0001_initial")
    with pytest.raises(SystemCheckError, match=r"winddown\.E001.*accounts\.0004_storage"):
        call_command("migrate", skip_checks=False, verbosity=0)
    assert ("refunds", "0001_initial") not in MigrationRecorder(connection).applied_migrations()


@pytest.mark.as_owner
@pytest.mark.django_db
def test_a_database_with_migrations_of_another_program_is_accepted() -> None:
    MigrationRecorder(connection).record_applied("elsewhere", "0001_initial")
    call_command("check", databases=["default"])


def test_a_migration_renders_no_model_anew_for_a_trigger() -> None:
    loader = MigrationLoader(None)
    migration = loader.get_migration("winddown", "0011_window_follows_the_notice")
    for _ in range(2):
        guards.keep_models(plan=[(migration, False)])
    state = loader.project_state(("winddown", "0010_jurisdiction"))
    before = state.apps.get_model("winddown", "milestone")
    for operation in migration.operations:
        operation.state_forwards("winddown", state)
    added = [each.name for each in state.models["winddown", "milestone"].options["triggers"]]
    assert "window_follows_the_notice" in added
    assert state.apps.get_model("winddown", "milestone") is before
    state.reload_model("winddown", "milestone")
    assert state.apps.get_model("winddown", "milestone") is not before


# A column renamed, and so digested at another place: older rows of this table are witnessed again.
RENAMED = {("refunds.issueraction", "ask_list")}


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
    found: set[str] = set()
    for label, operation in _changes_after_the_witness():
        if isinstance(operation, AddField):
            if operation.name not in covered[label]:
                continue
            column = covered[label][operation.name].column
            assert column in declared[label], (label, column)
            assert declared[label][column] == _first_value(operation.field), (label, column)
            found.add(f"{label}.{column}")
        elif isinstance(operation, RenameField):
            assert (label, operation.old_name) in RENAMED
        else:
            raise AssertionError(f"{label}: keep the column, its digests cover it: {operation}")
    assert {"winddown.milestone.owner_id", "winddown.filingreceipt.evidence_id"} <= found


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
    if value == []:
        return "'{}'"
    return str(value) if isinstance(value, int) else f"'{value}'"
