"""Whether the database has every guard that the code declares, as the code declares it."""

from __future__ import annotations

import re

import pgtrigger
from django.apps import apps
from django.db import connection

# The catalogue's letter of a trigger that works in every ordinary session.
ENABLED = "O"
_OCCASION = re.compile(
    r"TRIGGER \S+ (BEFORE|AFTER) (.+?) ON \S+ (?:.+ )?FOR EACH (ROW|STATEMENT)( WHEN \()?"
)


def guards_gone() -> list[str]:
    """Returns one sentence for each trigger that is gone, switched off, or has another text."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname, t.tgname, t.tgenabled, p.prosrc, pg_get_triggerdef(t.oid)
            FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
            WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace
            """
        )
        there = {(table, name): rest for table, name, *rest in cursor.fetchall()}
    gone = []
    for model, guard in pgtrigger.registered():
        table = model._meta.db_table
        name = f"{table}.{guard.name}"
        enabled, source, definition = there.get((table, guard.get_pgid(model)), ("", "", ""))
        _, declared, when = guard.compile(model).install_sql.split("$$")
        if not enabled:
            gone.append(f"the trigger {name} is gone")
        elif enabled != ENABLED:
            gone.append(f"the trigger {name} is switched off")
        elif source.split() != declared.split():
            gone.append(f"the trigger {name} has another text")
        elif _occasion(definition) != _occasion(when):
            gone.append(f"the trigger {name} acts at another time")
    return gone


def _occasion(definition: str) -> list[tuple[str, frozenset[str], str, str]]:
    """Returns when the trigger acts: before or after, on which events, for a row or a statement,
    and whether under a condition.
    """
    text = " ".join(definition.replace('"', "").split())
    return [
        (when, frozenset(events.split(" OR ")), level, condition)
        for when, events, level, condition in _OCCASION.findall(text)
    ]


def constraints_gone() -> list[str]:
    """Returns one sentence for each constraint that is gone or does not hold for the rows from
    before it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT conname FROM pg_constraint WHERE convalidated
            UNION SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE i.indisunique AND i.indisvalid
            """
        )
        there = {name for (name,) in cursor.fetchall()}
    return [
        f"the constraint {model._meta.db_table}.{each.name} is gone"
        for model in apps.get_models()
        for each in model._meta.constraints
        if each.name not in there
    ]


def guards_skipped() -> list[str]:
    """Returns one sentence for each role or database whose sessions skip the triggers."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(r.rolname, d.datname, 'every role')
            FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole
            LEFT JOIN pg_database d ON d.oid = s.setdatabase
            WHERE array_to_string(s.setconfig, ' ') LIKE '%session_replication_role%'
            """
        )
        return [f"the sessions of {name} skip the triggers" for (name,) in cursor.fetchall()]
