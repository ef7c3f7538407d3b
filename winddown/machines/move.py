"""Declared transitions: for one locked row, for a set, or for rows named by their ids."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection, models, transaction

from winddown import actors
from winddown.actors import SYSTEM, Actor
from winddown.errors import ConditionNotMet, TransitionRefused
from winddown.machines.declare import Edge, Stateful

Row = TypeVar("Row", bound=Stateful)


def transition_one(
    row: Row,
    name: str,
    *,
    actor: Actor,
    reason: str = "",
    run: models.Model | None = None,
    **changes: Any,
) -> Row:
    """`row` is in the target state of `name`, locked, logged, and returned with its new values.

    `changes` are further columns, set in the same UPDATE. The row is read again under its lock, so
    a stale object cannot decide. Raises `TransitionRefused`, `ConditionNotMet` or `NotPermitted`. A
    second call is refused: the row is no longer in a source state. Must run inside the caller's
    transaction, which owns the audit entry.
    """
    model = type(row)
    locked = model._default_manager.select_for_update(no_key=True).get(pk=row.pk)
    edge = edge_from(locked, name)
    actors.require(
        actor, edge.permission, by_system=edge.by_system, action=f"{name} {model.__name__} {row.pk}"
    )
    if edge.when is not None and not model._default_manager.filter(edge.when, pk=row.pk).exists():
        raise ConditionNotMet(model=model.__name__, subject=row.pk, transition=name)
    getattr(locked, name)()
    for column, value in changes.items():
        setattr(locked, column, value)
    with named(name, actor=actor, run=run, reason=reason):
        locked.save(update_fields=["state", *changes])
    return locked


def edge_from(row: Stateful, name: str) -> Edge:
    """Returns the declared change `name` from the row's state. Raises `TransitionRefused`."""
    edges = [edge for edge in type(row).edges() if edge.name == name]
    edge = next((edge for edge in edges if edge.source == row.state), None)  # type: ignore[attr-defined]
    if edge is None:
        raise TransitionRefused(
            model=type(row).__name__,
            subject=row.pk,
            source=row.state,  # type: ignore[attr-defined]
            transition=name,
            sources=", ".join(edge.source for edge in edges) or "nowhere",
        )
    return edge


def transition_set(
    rows: models.QuerySet[Any],
    name: str,
    *,
    run: models.Model | None,
    actor: Actor = SYSTEM,
    reason: str = "",
) -> int:
    """Every row of `rows` that was in a source state of `name` and met its condition is in the
    target state.

    One statement locks the rows in id order and updates them; the trigger logs each. Returns how
    many moved. Rows in other states stay unchanged, so a second call moves none.
    """
    model: type[Stateful] = rows.model
    edges, target = _to_one_target(model, name)
    when = edges[0].when
    chosen = rows.filter(state__in=[edge.source for edge in edges])
    if when is not None:
        chosen = chosen.filter(when)
    chosen = chosen.order_by("pk").select_for_update(of=("self",), no_key=True).values("pk")
    try:
        inner, params = chosen.query.sql_with_params()
    except EmptyResultSet:
        return 0
    table = model._meta.db_table
    return named(name, actor=actor, run=run, reason=reason).execute(
        # As an array, because a join with `chosen` may be planned as a scan of the whole table for
        # every batch.
        f"WITH chosen (id) AS MATERIALIZED ({inner})"  # noqa: S608
        f" UPDATE {table} SET state = %s WHERE id = ANY (ARRAY(SELECT id FROM chosen))",
        [*params, target],
    )


def _to_one_target(model: type[Stateful], name: str) -> tuple[list[Edge], str]:
    """Returns the declarations of the transition, and the one state that they lead to."""
    edges = [edge for edge in model.edges() if edge.name == name]
    targets = {edge.target for edge in edges}
    if len(targets) != 1:
        raise AssertionError(f"{model.__name__}.{name} needs exactly one target")
    return edges, targets.pop()


_NAMED = (
    "SELECT set_config('winddown.transition', %s, true), set_config('winddown.actor', %s, true),"
    " set_config('winddown.run', %s, true), set_config('winddown.reason', %s, true)"
)
_NOBODY = ["", "", "", ""]


class named:  # noqa: N801
    """Inside, the guard logs changes under this transition, actor, run and reason; afterwards it
    does not.
    """

    def __init__(
        self, name: str, *, actor: Actor, run: models.Model | None = None, reason: str = ""
    ) -> None:
        self.values = [name, str(actor.pk or ""), str(run.pk) if run else "", reason]

    def __enter__(self) -> None:
        _need_a_transaction()
        with connection.cursor() as cursor:
            cursor.execute(_NAMED, self.values)

    def __exit__(self, kind: Any, *_: object) -> None:
        if kind is None:
            with connection.cursor() as cursor:
                cursor.execute(_NAMED, _NOBODY)

    def execute(self, statement: str, params: Sequence[Any]) -> int:
        """The statement has run inside, all in one round trip. Returns how many rows it moved."""
        _need_a_transaction()
        with connection.cursor() as cursor:
            cursor.execute(f"{_NAMED}; {statement}; {_NAMED}", [*self.values, *params, *_NOBODY])
            cursor.nextset()
            return int(cursor.rowcount)


def _need_a_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise AssertionError("a change of state needs a transaction")


def move_rows(
    model: type[Stateful],
    name: str,
    ids: Collection[int],
    *,
    actor: Actor,
    run: models.Model | None = None,
    reason: str = "",
    **columns: Any,
) -> int:
    """Every row of `ids` in a source state of `name` is in its target, with `columns` set.

    One statement. Rows in other states stay unchanged, so a second call moves none. Returns how
    many moved. The caller has checked the permission.
    """
    if not ids:
        return 0
    edges, target = _to_one_target(model, name)
    table = model._meta.db_table
    names = {field.name: field.column for field in model._meta.concrete_fields}
    sets = "".join(f", {names[field]} = %s" for field in columns)
    return named(name, actor=actor, run=run, reason=reason).execute(
        f"WITH chosen AS MATERIALIZED (SELECT id FROM {table}"  # noqa: S608  our own names
        " WHERE id = ANY (%s) AND state = ANY (%s) ORDER BY id FOR NO KEY UPDATE)"
        f" UPDATE {table} SET state = %s{sets} FROM chosen WHERE {table}.id = chosen.id",
        [list(ids), [edge.source for edge in edges], target, *columns.values()],
    )
