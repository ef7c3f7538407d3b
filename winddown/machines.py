"""State machines: declared once with django-fsm transitions, run for one locked row or for a set,
guarded and logged by a trigger built from the same declaration.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

import pgtrigger
from django.apps import apps
from django.core.exceptions import EmptyResultSet
from django.db import connection, models, transaction
from django_fsm import FSMField, FSMModelMixin, Transition

from winddown.errors import ConditionNotMet, NotPermitted, TransitionRefused
from winddown.guards import Guard

if TYPE_CHECKING:
    from winddown.models import Run


class _System:
    """The worker acting by itself: the deadline that came, the rule that hit."""

    pk = None

    def __str__(self) -> str:
        return "system"


SYSTEM: Final = _System()

_LOGGED_BY = (
    "concat_ws(':', coalesce({actor_id}::text, '-'), coalesce({run_id}::text, '-'),"
    " extract(epoch FROM {at}), {reason})"
)
LOG_CONTENT: Final = (
    "concat_ws(':', subject_id, transition, source, target, "
    + _LOGGED_BY.format(actor_id="actor_id", run_id="run_id", at="at", reason="reason")
    + ")"
)
"""SQL of what the audit journal covers of a log row: all of it, so that who and why cannot be rewritten either."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One declared change of state."""

    name: str
    source: str
    target: str
    permission: str
    by_system: bool
    when: models.Q | None


class Stateful(FSMModelMixin, models.Model):
    """A model whose `state` changes only along its declared edges; each change leaves a row in
    `<Model>Transition`.
    """

    initial_states: ClassVar[tuple[str, ...]] = ()

    class Meta:
        abstract = True

    @classmethod
    def edges(cls) -> list[Edge]:
        """Every declared edge, in a stable order: what the guard, the console, the diagrams and the
        tests read.
        """
        field: Any = cls._meta.get_field("state")
        found = [_edge(declared) for declared in field.get_all_transitions(cls)]
        return sorted(found, key=lambda edge: (edge.name, edge.source))

    @classmethod
    def first_states(cls) -> tuple[str, ...]:
        return cls.initial_states or (str(cls._meta.get_field("state").default),)  # type: ignore[union-attr]

    @classmethod
    def log_model(cls) -> type[models.Model]:
        return apps.get_model(cls._meta.app_label, f"{cls.__name__}Transition")


class _StateField(FSMField):
    """To a migration the state is a column: a historical model has no transitions to collect.

    Each machine's field listens to every class that Django prepares, and migrations prepare
    thousands.
    """

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        kwargs.pop("protected", None)
        return name, "django.db.models.CharField", args, kwargs


def state_field(states: type[models.TextChoices], *, initial: str) -> Any:
    """The `state` column: no setter, no index (an index on the state of a mass table ends heap-only
    updates).
    """
    return _StateField(choices=states.choices, default=initial, protected=True, max_length=40)


def _edge(declared: Transition) -> Edge:
    assert declared.source not in ("*", "+"), f"{declared.qualname}: name the sources"
    return Edge(
        name=declared.name,
        source=str(declared.source),
        target=str(declared.target),
        permission=str(declared.permission or ""),
        by_system=bool(declared.custom.get("system")),
        when=declared.custom.get("when"),
    )


def _declared(model: Any) -> type[Stateful]:
    """The class with the declaration: migrations hand over a historical copy without its methods."""
    declared: type[Stateful] = apps.get_model(model._meta.label_lower)
    return declared


class MachineGuard(Guard):
    """Refuses every undeclared change of `state`, and writes the log row of every declared one, for
    every writer.

    Transition, actor, run and reason come from the transaction's settings `winddown.*`; without a
    transition's name (psql) the first declared edge with that source and target names it. What was
    logged is noted in `winddown.rows` for the audit entry of the same transaction.
    """

    def get_func(self, model: Any) -> str:
        model = _declared(model)
        cases = " ".join(
            f"WHEN (named IS NULL OR named = '{edge.name}') AND b.state = '{edge.source}'"
            f" AND a.state = '{edge.target}' THEN '{edge.name}'"
            for edge in model.edges()
        )
        table = model.log_model()._meta.db_table
        return f"""
            WITH logged AS (
                INSERT INTO {table}
                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)
                SELECT a.id,
                       CASE {cases}
                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,
                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact
                FROM before b JOIN after a ON a.id = b.id
                WHERE a.state <> b.state
                ORDER BY a.id
                RETURNING id, subject_id, transition, source, target
            )
            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(
                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))
            INTO logged_rows, first_id, last_id, digest FROM logged;
            IF logged_rows > 0 THEN
                PERFORM winddown_note_rows('{table}', first_id, last_id, logged_rows, digest);
            END IF;
            RETURN NULL;
        """  # noqa: S608

    def get_declare(self, model: Any) -> list[tuple[str, str]]:
        # What all rows of the statement share is made once, not once for every row of a batch.
        logged_by = _LOGGED_BY.format(
            actor_id="by_actor", run_id="by_run", at="instant", reason="for_reason"
        )
        return [
            ("named", "text := nullif(current_setting('winddown.transition', true), '')"),
            ("instant", "timestamptz := winddown_now()"),
            ("by_actor", "bigint := nullif(current_setting('winddown.actor', true), '')"),
            ("by_run", "bigint := nullif(current_setting('winddown.run', true), '')"),
            ("for_reason", "text := coalesce(current_setting('winddown.reason', true), '')"),
            ("this_xact", "bigint := pg_current_xact_id()::text"),
            ("logged_by", f"text := {logged_by}"),
            ("logged_rows", "bigint"),
            ("first_id", "bigint"),
            ("last_id", "bigint"),
            ("digest", "text"),
        ]


class InitialStateGuard(Guard):
    """Refuses a new row in any but a declared first state."""

    def get_func(self, model: Any) -> str:
        firsts = ", ".join(f"'{state}'" for state in _declared(model).first_states())
        return f"""
            IF (SELECT count(*) FROM after WHERE state NOT IN ({firsts})) > 0 THEN
                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)
                FROM after a WHERE a.state NOT IN ({firsts}) ORDER BY a.id LIMIT 1;
            END IF;
            RETURN NULL;
        """  # noqa: S608


def machine_guards() -> list[Guard]:
    """The three triggers every `Stateful` model lists in its Meta.

    The third fires for no ordinary statement and so costs none: a row that could be deleted and
    made anew, or given another id on its way, would come back to its first state without an edge.
    """
    return [
        MachineGuard(
            name="machine",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=pgtrigger.Update,
            referencing=pgtrigger.Referencing(old="before", new="after"),
        ),
        InitialStateGuard(
            name="machine_start",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=pgtrigger.Insert,
            referencing=pgtrigger.Referencing(new="after"),
        ),
        Guard(
            name="machine_row",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Delete | pgtrigger.Truncate | pgtrigger.UpdateOf("id"),
            func=(
                "RAISE EXCEPTION USING ERRCODE = 'WD011',"
                " MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);"
            ),
        ),
    ]


Row = TypeVar("Row", bound=Stateful)


def transition_one(
    row: Row, name: str, *, actor: Any, reason: str = "", run: Run | None = None, **changes: Any
) -> Row:
    """`row` is in the target state of `name`, locked, logged, and returned as it now stands.

    `changes` are further columns set in the same UPDATE. The row is read again under its lock, so a
    stale object cannot decide. Raises `TransitionRefused`, `ConditionNotMet` or `NotPermitted`; a
    second call is refused, because the row is no longer in a source state. Must run inside the
    caller's transaction, which owns the audit entry.
    """
    model = type(row)
    locked = model._default_manager.select_for_update(no_key=True).get(pk=row.pk)
    edges = [edge for edge in model.edges() if edge.name == name]
    edge = next((edge for edge in edges if edge.source == locked.state), None)  # type: ignore[attr-defined]
    if edge is None:
        raise TransitionRefused(
            model=model.__name__,
            subject=row.pk,
            source=locked.state,  # type: ignore[attr-defined]
            transition=name,
            sources=", ".join(edge.source for edge in edges) or "nowhere",
        )
    require(
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


def transition_set(
    rows: models.QuerySet[Any], name: str, *, run: Run | None, actor: Any = SYSTEM, reason: str = ""
) -> int:
    """Every row of `rows` that stands in a source state of `name` and meets its condition is in the
    target state.

    One statement: lock in id order, update, and by the trigger one log row each. Returns how many
    moved; rows in other states are left alone, so a second call moves none.
    """
    model: type[Stateful] = rows.model
    edges = [edge for edge in model.edges() if edge.name == name]
    assert edges, f"{model.__name__} declares no transition {name}"
    targets = {edge.target for edge in edges}
    assert len(targets) == 1, f"{model.__name__}.{name} has more than one target"
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
    with named(name, actor=actor, run=run, reason=reason), connection.cursor() as cursor:
        cursor.execute(
            # As an array, because a join with `chosen` may be planned as a scan of the whole table
            # for every batch.
            f"WITH chosen (id) AS MATERIALIZED ({inner})"  # noqa: S608
            f" UPDATE {table} SET state = %s WHERE id = ANY (ARRAY(SELECT id FROM chosen))",
            [*params, targets.pop()],
        )
        return int(cursor.rowcount)


class named:  # noqa: N801
    """Inside, the guard logs changes under this transition, actor, run and reason; afterwards no
    name lingers.
    """

    def __init__(self, name: str, *, actor: Any, run: Run | None = None, reason: str = "") -> None:
        self.values = [name, str(actor.pk or ""), str(run.pk) if run else "", reason]

    def __enter__(self) -> None:
        assert transaction.get_connection().in_atomic_block, "a change of state needs a transaction"
        self._set(self.values)

    def __exit__(self, kind: Any, *_: object) -> None:
        if kind is None:
            self._set(["", "", "", ""])

    def _set(self, values: list[str]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('winddown.transition', %s, true), set_config('winddown.actor', %s, true),"
                " set_config('winddown.run', %s, true), set_config('winddown.reason', %s, true)",
                values,
            )


def require(actor: Any, permission: str, *, by_system: bool = False, action: str = "") -> None:
    """`actor` holds `permission`; the system itself only where the declaration says so.

    Raises `NotPermitted`. An empty permission is the customers' own: it takes a person who may act
    at all. A superuser holds every permission, and still cannot be both maker and checker.
    """
    if actor is SYSTEM:
        if not by_system:
            raise NotPermitted(actor="system", action=action, permission=permission)
        return
    if not actor.is_active or (permission and not actor.has_perm(permission)):
        raise NotPermitted(actor=actor.pk, action=action, permission=permission)


def all_machines() -> Iterator[type[Stateful]]:
    """Every concrete machine of every installed app, by label."""
    found = [
        model
        for model in apps.get_models()
        if issubclass(model, Stateful) and not model._meta.proxy
    ]
    yield from sorted(found, key=lambda model: model._meta.label)
