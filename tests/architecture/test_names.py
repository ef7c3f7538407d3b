"""Each thing has one name everywhere, and every machine has in the database what its declaration
promises.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.core.management import get_commands, load_command_class
from django.db import connection
from django.urls import reverse

from winddown.authority import roles
from winddown.machines.declare import all_machines
from winddown.models import TransitionLog
from winddown.runs import registry
from winddown.workflows import WORKFLOWS

ROOT = Path(__file__).resolve().parents[2]
HOME = {listed.name: listed.home for listed in WORKFLOWS}
MACHINES = list(all_machines())
# One row per account, wallet, movement or refund: what a run goes over.
MASS = {
    "accounts_externalidentity",
    "accounts_user",
    "refunds_entitlement",
    "wallets_payment",
    "wallets_topup",
    "wallets_wallet",
}

per_workflow = pytest.mark.parametrize("name", HOME)
per_machine = pytest.mark.parametrize("model", MACHINES, ids=lambda model: model._meta.label)


def rows(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


# --- one word for each workflow -----------------------------------------------------------------


def test_the_listed_workflows_are_registered_in_their_order() -> None:
    assert registry.names() == [listed.name for listed in WORKFLOWS]


@per_workflow
def test_a_workflow_lives_in_the_module_of_its_name(name: str) -> None:
    word = name.replace("-", "_")
    module = importlib.import_module(f"{HOME[name]}.workflows.{word}")
    kind = type(registry.get(name))
    assert kind.__module__.startswith(module.__name__)
    assert kind.__name__ == "".join(part.capitalize() for part in name.split("-"))


@per_workflow
def test_the_command_of_a_workflow_has_its_name(name: str) -> None:
    word = name.replace("-", "_")
    command: Any = load_command_class(get_commands()[word], word)
    assert get_commands()[word] == HOME[name]
    assert command.workflow == name


@per_workflow
def test_the_queue_of_a_workflow_has_its_name(name: str, settings: Any) -> None:
    assert name in {queue.name for queue in settings.CELERY_TASK_QUEUES}


@per_workflow
def test_the_url_of_a_workflow_has_its_name(name: str) -> None:
    assert f"/{name}/" in reverse("console:plan", args=[name])


def test_the_transition_that_freezes_a_wallet_has_the_name_of_its_workflow() -> None:
    from wallets.models import Wallet

    assert "freeze_charges" in {edge.name for edge in Wallet.edges()}


# --- permissions --------------------------------------------------------------------------------


@pytest.mark.django_db
def test_every_permission_that_is_named_exists() -> None:
    named = {edge.permission for model in MACHINES for edge in model.edges()} - {""}
    named |= {permission for held in roles.ROLES.values() for permission in held}
    known = {
        f"{label}.{codename}"
        for label, codename in Permission.objects.values_list("content_type__app_label", "codename")
    }
    assert named <= known


def test_every_transition_is_made_by_a_role_or_the_system() -> None:
    """The system makes the transitions whose permission no role holds."""
    held = {permission for each in roles.ROLES.values() for permission in each}
    orphans = {
        f"{model.__name__}.{edge.name}: {edge.permission}"
        for model in MACHINES
        for edge in model.edges()
        if edge.permission and edge.permission not in held and not edge.by_system
    }
    assert orphans == set()


def test_every_permission_of_a_role_is_asked_for_somewhere() -> None:
    """A permission is asked for by its name in the source, in a transition or a `require`."""
    source = "\n".join(
        path.read_text()
        for app in ("winddown", "accounts", "wallets", "refunds")
        for path in (ROOT / app).rglob("*.py")
        if path.name != "roles.py" and "migrations" not in path.parts
    )
    held = {permission for each in roles.ROLES.values() for permission in each}
    assert {permission for permission in held if f'"{permission}"' not in source} == set()


# --- what the database must have ----------------------------------------------------------------


@per_machine
def test_a_machine_has_its_log_table(model: Any) -> None:
    log = model.log_model()
    assert issubclass(log, TransitionLog)
    assert log.__module__ == model.__module__
    assert model.edges()


@pytest.mark.django_db
@per_machine
def test_the_guards_of_a_machine_are_installed_and_enabled(model: Any) -> None:
    declared = {trigger.name: trigger.get_pgid(model) for trigger in model._meta.triggers}
    assert set(declared) >= {"machine", "machine_start", "machine_row"}
    installed = dict(
        rows(
            "SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = %s::regclass"
            " AND NOT tgisinternal",
            model._meta.db_table,
        )
    )
    for pgid in declared.values():
        assert installed.get(pgid) == "O", pgid


@pytest.mark.django_db
def test_every_trigger_is_installed_as_declared() -> None:
    """The hash beside the trigger is that of the present declaration: no migration is missing."""
    stale = []
    for model in apps.get_models():
        for trigger in getattr(model._meta, "triggers", ()):
            compiled = trigger.compile(model)
            found = rows(
                "SELECT obj_description(oid, 'pg_trigger') FROM pg_trigger"
                " WHERE tgrelid = %s::regclass AND tgname = %s",
                model._meta.db_table,
                trigger.get_pgid(model),
            )
            if found != [(compiled.hash,)]:
                stale.append(f"{model._meta.label}.{trigger.name}")
    assert stale == []


@pytest.mark.django_db
def test_no_mass_table_has_an_index_on_its_state() -> None:
    """Such an index, even a partial one, prevents heap-only updates."""
    indexed = rows(
        """
        SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text
        FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
        WHERE t.relname = ANY (%s) AND (
            EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attname = 'state'
                    AND a.attnum = ANY (i.indkey::int2[]))
            OR pg_get_expr(i.indpred, i.indrelid) ~ '\\mstate\\M')
        """,
        sorted(MASS),
    )
    assert indexed == []


@pytest.mark.django_db
def test_the_mass_tables_exist() -> None:
    """Otherwise the test above would pass for renamed tables."""
    assert rows("SELECT count(*) FROM pg_class WHERE relname = ANY (%s)", sorted(MASS)) == [
        (len(MASS),)
    ]


@pytest.mark.django_db
def test_money_and_time_are_stored_as_agreed() -> None:
    """`_minor` is a whole number, `_at` an instant with a zone, `_on` a day."""
    wrong = rows(
        """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
          AND c.relname ~ '^(winddown|accounts|wallets|refunds)_'
          AND ((a.attname ~ '_minor$' AND a.atttypid <> 'bigint'::regtype)
            OR (a.attname ~ '_at$' AND a.atttypid <> 'timestamptz'::regtype)
            OR (a.attname ~ '_on$' AND a.atttypid <> 'date'::regtype)
            OR a.atttypid IN ('real'::regtype, 'numeric'::regtype, 'timestamp'::regtype))
        """
    )
    assert wrong == []
