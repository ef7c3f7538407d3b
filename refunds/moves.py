"""Sets of rows, named by their ids, moved along one declared edge together with other columns."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import connection

from winddown.machines import Stateful, named
from winddown.models import Run


def move(
    model: type[Stateful],
    name: str,
    ids: Collection[int],
    *,
    actor: Any,
    run: Run | None = None,
    reason: str = "",
    **columns: Any,
) -> int:
    """Every row of `ids` in a source state of `name` is in its target, with `columns` set.

    One statement; rows in other states are left alone, so a second call moves none. Returns how
    many moved. Who may do it, the caller has decided.
    """
    if not ids:
        return 0
    edges = [edge for edge in model.edges() if edge.name == name]
    targets = {edge.target for edge in edges}
    assert len(targets) == 1, f"{model.__name__}.{name} needs exactly one target"
    table = model._meta.db_table
    names = {field.name: field.column for field in model._meta.concrete_fields}
    sets = "".join(f", {names[field]} = %s" for field in columns)
    with named(name, actor=actor, run=run, reason=reason), connection.cursor() as cursor:
        cursor.execute(
            f"WITH chosen AS MATERIALIZED (SELECT id FROM {table}"  # noqa: S608  our own names
            " WHERE id = ANY (%s) AND state = ANY (%s) ORDER BY id FOR NO KEY UPDATE)"
            f" UPDATE {table} SET state = %s{sets} FROM chosen WHERE {table}.id = chosen.id",
            [list(ids), [edge.source for edge in edges], targets.pop(), *columns.values()],
        )
        return int(cursor.rowcount)
