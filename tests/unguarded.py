"""What only the owner of the tables can do: change rows while no trigger and no foreign key looks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from tests.owning import as_owner


def past_the_guards(*statements: str) -> None:
    """Each statement is carried out with the triggers off, and each finds something to change."""
    with as_owner(), connection.cursor() as cursor:
        # PostgreSQL drops nothing of a table whose deferred checks still wait.
        cursor.execute(
            "SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL session_replication_role = replica"
        )
        for statement in statements:
            cursor.execute(statement)
            assert cursor.rowcount != 0, statement
        cursor.execute("SET LOCAL session_replication_role = origin")


@contextmanager
def without(table: str, trigger: str) -> Iterator[None]:
    """Inside, this trigger of the table is off, and the others look."""
    _switch(table, trigger, "DISABLE")
    yield
    _switch(table, trigger, "ENABLE")


def _switch(table: str, trigger: str, verb: str) -> None:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname LIKE %s",
            [table, f"%{trigger}%"],
        )
        ((name,),) = cursor.fetchall()
        cursor.execute(f"ALTER TABLE {table} {verb} TRIGGER {name}")


@contextmanager
def taken_back() -> Iterator[None]:
    """What happens inside has not happened afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def give_past_the_guards(person: Any, role: str) -> None:
    """The person has the role, whatever else one person may hold with it."""
    past_the_guards(
        "INSERT INTO accounts_user_groups (user_id, group_id)"
        f" SELECT {person.pk}, id FROM auth_group WHERE name = '{role}'"
    )
