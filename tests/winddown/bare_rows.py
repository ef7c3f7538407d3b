"""A row of any machine in any state, in a table with no guard except the one under test."""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError, connection, transaction

from tests.owning import as_owner
from winddown.machines.declare import Stateful

_VALUES = {
    "bool": "false",
    "bytea": "''",
    "date": "current_date",
    "float8": "0",
    "int2": "1",
    "int4": "1",
    "int8": "1",
    "interval": "'0'",
    "jsonb": "'{}'",
    "numeric": "0",
    "text": "'x'",
    "timestamptz": "now()",
    "uuid": "gen_random_uuid()",
    "varchar": "'x'",
}


def states_of(model: type[Stateful]) -> list[str]:
    return [value for value, _ in model._meta.get_field("state").flatchoices]


def guard_names(model: type[Stateful]) -> dict[str, str]:
    """Returns declared name -> name in the database, of the machine's triggers."""
    return {trigger.name: trigger.get_pgid(model) for trigger in model._meta.triggers}


class BareTable:
    """The machine's real table and its real guards, without CHECKs, foreign keys and other guards.

    Everything else is removed inside the test's transaction, so that only the guard of the machine
    can refuse.
    """

    def __init__(self, model: type[Stateful]) -> None:
        self.model = model
        self.table = model._meta.db_table
        self.guards = guard_names(model)
        with as_owner(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT conname FROM pg_constraint"
                " WHERE conrelid = %s::regclass AND contype IN ('c', 'f')",
                [self.table],
            )
            for (name,) in cursor.fetchall():
                cursor.execute(f'ALTER TABLE {self.table} DROP CONSTRAINT "{name}"')
            cursor.execute(
                "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal",
                [self.table],
            )
            machine = {self.guards["machine"], self.guards["machine_start"]}
            for (name,) in cursor.fetchall():
                if name not in machine:
                    cursor.execute(f'ALTER TABLE {self.table} DISABLE TRIGGER "{name}"')

    def insert(self, state: str, *, pk: int = 1) -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT attname, typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
                " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attnotnull"
                " AND attname NOT IN ('id', 'state') AND NOT atthasdef",
                [self.table],
            )
            columns = {name: _VALUES[kind] for name, kind in cursor.fetchall()}
            names = ", ".join(["id", "state", *(f'"{name}"' for name in columns)])
            values = ", ".join(["%s", "%s", *columns.values()])
            cursor.execute(f"INSERT INTO {self.table} ({names}) VALUES ({values})", [pk, state])
        return pk

    def put(self, pk: int, state: str) -> None:
        """The row is in `state`, as if it had come there by declared transitions."""
        with as_owner(), connection.cursor() as cursor:
            guard = self.guards["machine"]
            cursor.execute(f"ALTER TABLE {self.table} DISABLE TRIGGER {guard}")
            cursor.execute(f"UPDATE {self.table} SET state = %s WHERE id = %s", [state, pk])
            cursor.execute(f"ALTER TABLE {self.table} ENABLE TRIGGER {guard}")

    def refusal(self, sql: str, params: list[Any]) -> str | None:
        """Returns the SQLSTATE with which the statement is refused; None if it passed. It is
        undone.
        """
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(sql, params)
                transaction.set_rollback(True)
        except DatabaseError as error:
            return str(getattr(error.__cause__, "sqlstate", error))
        return None

    def log(self, pk: int) -> list[tuple[Any, ...]]:
        rows = self.model.log_model()._default_manager.filter(subject_id=pk).order_by("pk")
        return list(rows.values_list("transition", "source", "target", "actor_id", "reason"))
