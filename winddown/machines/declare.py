"""State machines declared once with django-fsm transitions, and the triggers built from the same
declaration.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import pgtrigger
from django.apps import apps
from django.db import models
from django_fsm import FSMField, FSMModelMixin, Transition

from winddown.guards import Guard, rows_are_kept

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
    """A model whose `state` changes only along its declared edges. Each change writes a row into
    `<Model>Transition`.
    """

    initial_states: ClassVar[tuple[str, ...]] = ()

    class Meta:
        abstract = True

    @classmethod
    def edges(cls) -> list[Edge]:
        """Returns every declared edge in a stable order. The guard, the console, the diagrams and
        the tests read them here.
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
    """The state column, without transitions in migrations: a historical model has none to collect.

    Each such field listens to every class that Django prepares, and migrations prepare thousands.
    """

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        kwargs.pop("protected", None)
        return name, "django.db.models.CharField", args, kwargs


def state_field(states: type[models.TextChoices], *, initial: str) -> Any:
    """Returns the `state` column: no setter, no index (an index on the state of a mass table
    prevents heap-only updates).
    """
    return _StateField(choices=states.choices, default=initial, protected=True, max_length=40)


def _edge(declared: Transition) -> Edge:
    if declared.source in ("*", "+"):
        raise AssertionError(f"{declared.qualname}: name the sources")
    return Edge(
        name=declared.name,
        source=str(declared.source),
        target=str(declared.target),
        permission=str(declared.permission or ""),
        by_system=bool(declared.custom.get("system")),
        when=declared.custom.get("when"),
    )


def _declared(model: Any) -> type[Stateful]:
    """Returns the class with the declaration: migrations pass a historical copy without its
    methods.
    """
    declared: type[Stateful] = apps.get_model(model._meta.label_lower)
    return declared


class MachineGuard(Guard):
    """Refuses every undeclared change of `state` and logs every declared one, for every writer.

    Transition, actor, run and reason come from the transaction's settings `winddown.*`. Without a
    transition's name (psql), the first declared edge with that source and target gives the name.
    The trigger notes the logged rows in `winddown.rows`, for the audit entry of the same
    transaction.
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
        # The values that all rows of the statement share are computed once, not once per row.
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
    """Refuses a new row unless its state is a declared first state."""

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
    """Returns the three triggers that every `Stateful` model lists in its Meta.

    The third refuses a DELETE and a change of the id: a row that is deleted and inserted again
    would return to its first state without an edge. No ordinary statement fires this trigger.
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
        rows_are_kept("machine_row"),
    ]


def all_machines() -> Iterator[type[Stateful]]:
    """Returns every concrete machine of every installed app, by label."""
    found = [
        model
        for model in apps.get_models()
        if issubclass(model, Stateful) and not model._meta.proxy
    ]
    yield from sorted(found, key=lambda model: model._meta.label)
