"""Database triggers that no session setting can switch off, and the guards that many tables
share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pgtrigger
from django.db.migrations.operations import CreateModel
from pgtrigger import compiler, registry
from pgtrigger.migrations import AddTrigger, RemoveTrigger

from winddown.sqlstates import SqlState


class GuardSql(compiler.UpsertTriggerSql):
    """The trigger's SQL without pgtrigger's ignore switch, so that a session cannot bypass a guard.

    Nested loops are off inside the function. PostgreSQL caches the function's plan for the session,
    and a plan made for one row would compare every row with every row in a later batch of
    thousands. Names are looked up in pg_catalog and public first, so that a temporary table of the
    caller cannot stand in for ours.
    """

    def get_template(self) -> str:
        return """
            CREATE OR REPLACE FUNCTION {pgid}()
            RETURNS TRIGGER AS $$
                {declare}
                BEGIN
                    {func}
                END;
            $$ LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp SET enable_nestloop TO off;

            DROP TRIGGER IF EXISTS {pgid} ON {table};
            CREATE {constraint} TRIGGER {pgid}
                {when} {operation} ON {table}
                {timing}
                {referencing}
                FOR EACH {level} {condition}
                EXECUTE PROCEDURE {execute};

            COMMENT ON TRIGGER {pgid} ON {table} IS '{hash}';
        """


# When a process starts, pgtrigger compares each trigger with all others. It asks its registry for one
# key after the other, which took a quarter of the start.
registry._registry.values = registry._registry.data.values  # type: ignore[method-assign]


class Guard(pgtrigger.Trigger):
    """A trigger that fires for every writer and cannot be switched off."""

    def get_pgid(self, model: Any) -> str:
        """Returns the name of the trigger and its function, which is hashed once for each model."""
        known: dict[Any, str] = self.__dict__.setdefault("pgids", {})
        if model not in known:
            known[model] = super().get_pgid(model)
        return known[model]

    def compile(self, model: Any) -> compiler.Trigger:
        return compiler.Trigger(
            name=self.name,
            sql=GuardSql(
                pgid=self.get_pgid(model),
                declare=self.render_declare(model),
                func=self.render_func(model),
                table=model._meta.db_table,
                constraint="CONSTRAINT" if self.timing else "",
                when=self.when,
                operation=self.operation,
                timing=f"DEFERRABLE INITIALLY {self.timing}" if self.timing else "",
                referencing=self.referencing or "",
                level=self.level,
                condition=self.render_condition(model),
                execute=self.render_execute(model),
            ),
        )


def append_only() -> list[Guard]:
    """Returns the triggers of an append-only table: UPDATE, DELETE and TRUNCATE are refused for
    every writer.
    """
    refusal = (
        f"RAISE EXCEPTION USING ERRCODE = '{SqlState.APPEND_ONLY}',"
        " MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);"
    )
    return [
        Guard(
            name="append_only",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Update | pgtrigger.Delete | pgtrigger.Truncate,
            func=refusal,
        )
    ]


def rows_are_kept(name: str = "row_is_kept") -> Guard:
    """Returns the trigger that refuses a DELETE, a TRUNCATE and a change of the id."""
    return Guard(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Delete | pgtrigger.Truncate | pgtrigger.UpdateOf("id"),
        func=(
            f"RAISE EXCEPTION USING ERRCODE = '{SqlState.ROW_IS_KEPT}',"
            " MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);"
        ),
    )


def columns_are_fixed(*columns: str, once: str = "true", name: str = "columns_are_fixed") -> Guard:
    """Returns the trigger that refuses another value in these columns, once the SQL condition on
    OLD and NEW is true. A statement that names none of the columns does not fire it.
    """
    old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW"))
    listed = ", ".join(columns)
    return Guard(
        name=name,
        when=pgtrigger.Before,
        operation=pgtrigger.UpdateOf(*columns),
        condition=pgtrigger.Condition(f"(({old}) IS DISTINCT FROM ({new}) AND ({once}))"),
        func=(
            f"RAISE EXCEPTION USING ERRCODE = '{SqlState.COLUMN_IS_FIXED}',"
            f" MESSAGE = format('%s %s: {listed} cannot change any more', TG_TABLE_NAME, OLD.id);"
        ),
    )


def written_by_triggers() -> Guard:
    """Returns the trigger that refuses an INSERT which no other trigger makes."""
    return Guard(
        name="written_by_triggers",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func=f"""
            IF pg_trigger_depth() < 2 THEN
                RAISE EXCEPTION USING ERRCODE = '{SqlState.WRITTEN_BY_TRIGGERS}',
                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);
            END IF;
            RETURN NULL;
        """,
    )


def keep_models(*, plan: list[tuple[Any, bool]], **kwargs: Any) -> None:
    """The migrations of the plan render no model anew for a trigger, which changes no field, nor for
    a new model that refers to it: only the new model is rendered.

    `migrate` on an empty database takes a quarter of the time. It receives Django's signal
    `pre_migrate`.
    """
    for migration, _backwards in plan:
        for operation in migration.operations:
            own: Any = operation
            # A process that migrates twice meets the same operations again.
            if "state_forwards" in vars(own):
                continue
            if isinstance(operation, AddTrigger | RemoveTrigger):
                own.state_forwards = _rendering(own.state_forwards, _nothing)
            elif isinstance(operation, CreateModel):
                own.state_forwards = _rendering(own.state_forwards, _only)


def _rendering(
    forwards: Callable[[str, Any], None], render: Callable[..., None]
) -> Callable[[str, Any], None]:
    def noted(app_label: str, state: Any) -> None:
        state.reload_model = partial(render, state)
        try:
            forwards(app_label, state)
        finally:
            del state.reload_model

    return noted


def _nothing(_state: Any, *_args: Any, **_kwargs: Any) -> None:
    """No model is rendered."""


def _only(state: Any, app_label: str, model_name: str, **_kwargs: Any) -> None:
    """This model is rendered, and those that it refers to stay as they are."""
    state.apps.render_multiple([state.models[app_label, model_name]])
