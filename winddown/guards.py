"""Database triggers that no session setting can switch off, and the append-only guard built from
them.
"""

from __future__ import annotations

from typing import Any

import pgtrigger
from pgtrigger import compiler

from winddown.sqlstates import SqlState


class GuardSql(compiler.UpsertTriggerSql):
    """The trigger's SQL without pgtrigger's ignore switch, so that a session cannot bypass a guard.

    Nested loops are off inside the function. PostgreSQL caches the function's plan for the session,
    and a plan made for one row would compare every row with every row in a later batch of
    thousands. Names are looked up in pg_catalog and public first, so that a temporary table
    of the caller cannot stand in for ours.
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


class Guard(pgtrigger.Trigger):
    """A trigger that every writer meets, always."""

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
