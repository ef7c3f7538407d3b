"""Row digests: the triggers that note what a row says whenever somebody writes it.

An edit that goes past the triggers leaves the last digest as it was, so verification finds it.

A migration that adds a column changes what a digest covers, and no row says which columns its own
covers. So the model names what its rows lacked before (`older`), with the value that the migration
gave them. A row may have the digest of an older form while it still has exactly these values: an
edit of any column, the new one too, is found, and writing a digest costs what it did
(docs/decisions/0024).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import pgtrigger
from django.db import models

from winddown.guards import Guard

TABLE: Final = "winddown_rowdigest"


def _fields(model: Any, columns: tuple[str, ...], *, without: Collection[str] = ()) -> list[Any]:
    """Returns the fields of `columns`, of all columns if none is named, in a stable order."""
    chosen = [
        each
        for each in model._meta.concrete_fields
        if (not columns or each.column in columns) and each.column not in without
    ]
    return sorted(chosen, key=lambda field: str(field.column))


def digest_sql(
    model: Any, columns: tuple[str, ...], *, row: str, without: Collection[str] = ()
) -> str:
    """Returns SQL of the digest of `row`, the same in every session."""
    fields = _fields(model, columns, without=without)
    values = ", ".join(_stable(each, f"{row}.{each.column}") for each in fields)
    return f"sha256(convert_to(jsonb_build_array({values})::text, 'UTF8'))"


def _stable(field: Any, column: str) -> str:
    """Instants and durations are written in as many ways as a session has settings."""
    if isinstance(field, models.DateTimeField | models.DurationField):
        return f"extract(epoch FROM {column})"
    if isinstance(field, models.BinaryField):
        return f"encode(sha256({column}), 'hex')"
    return column


class Witness(Guard):
    """A trigger that notes digests: of these columns, of the rows for which `only` is true. `only`
    is SQL with `{row}` for the row.
    """

    columns: tuple[str, ...] = ()
    only: str = "true"
    older: tuple[Mapping[str, str], ...] = ()


class InsertWitness(Witness):
    """Notes the digest of each new row, once for each statement."""

    def get_func(self, model: Any) -> str:
        return f"""
            INSERT INTO {TABLE} (table_name, row_id, digest)
            SELECT TG_TABLE_NAME, a.id, {digest_sql(model, self.columns, row="a")}
            FROM after a{_where(self.only)} ORDER BY a.id;
            RETURN NULL;
        """  # noqa: S608  our own table and column names


class UpdateWitness(Witness):
    """Notes the digest of a row whose content changed.

    It fires only for statements that name one of the columns, so that the state and the balance of
    a mass table cost nothing.
    """

    def get_func(self, model: Any) -> str:
        return f"""
            INSERT INTO {TABLE} (table_name, row_id, digest)
            VALUES (TG_TABLE_NAME, NEW.id, {digest_sql(model, self.columns, row="NEW")});
            RETURN NULL;
        """  # noqa: S608

    def render_condition(self, model: Any) -> str:
        old, new = _both(model, self.columns, old="OLD", new="NEW")
        chosen = "" if self.only == "true" else f" AND {self.only.format(row='NEW')}"
        return f"WHEN (({old}) IS DISTINCT FROM ({new}){chosen})"


class SetWitness(UpdateWitness):
    """Notes the digests of all rows whose content a statement changed, in one statement.

    It fires for every UPDATE, because PostgreSQL hands the changed rows to no trigger of some
    columns. So it is for tables whose updates mostly change what it covers, many rows at once: there
    a row costs a quarter of what a call per row costs.
    """

    def get_func(self, model: Any) -> str:
        old, new = _both(model, self.columns, old="b", new="a")
        chosen = "" if self.only == "true" else f" AND {self.only.format(row='a')}"
        return f"""
            INSERT INTO {TABLE} (table_name, row_id, digest)
            SELECT TG_TABLE_NAME, a.id, {digest_sql(model, self.columns, row="a")}
            FROM before b JOIN after a ON a.id = b.id
            WHERE ({old}) IS DISTINCT FROM ({new}){chosen} ORDER BY a.id;
            RETURN NULL;
        """  # noqa: S608  our own table and column names

    def render_condition(self, model: Any) -> str:
        return ""


class DeleteWitness(Witness):
    """Notes that a row is gone: its last digest is empty."""

    def get_func(self, model: Any) -> str:
        return f"""
            INSERT INTO {TABLE} (table_name, row_id, digest)
            SELECT TG_TABLE_NAME, b.id, '' FROM before b ORDER BY b.id;
            RETURN NULL;
        """  # noqa: S608


def _both(model: Any, columns: tuple[str, ...], *, old: str, new: str) -> list[str]:
    """Returns the columns of the row before and of the row after."""
    return [
        ", ".join(f"{row}.{each.column}" for each in _fields(model, columns)) for row in (old, new)
    ]


def _where(only: str) -> str:
    return "" if only == "true" else f" WHERE {only.format(row='a')}"


def witnessed(
    *columns: str,
    only: str = "true",
    kept: bool = True,
    in_sets: bool = False,
    older: tuple[Mapping[str, str], ...] = (),
) -> list[Guard]:
    """Returns the triggers that note the digest of `columns` of each written row for which `only`
    is true; of all columns if none is named. Rows that are not `kept` may be deleted, which a third
    trigger notes. What is written `in_sets` has its digests noted once for each statement
    (`SetWitness`). Each of `older` has the columns that the rows lacked at one time, with SQL of the
    value that the migration gave to them.
    """
    insert = InsertWitness(
        name="witness_new",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="after"),
    )
    update = (
        SetWitness(
            name="witness",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=pgtrigger.Update,
            referencing=pgtrigger.Referencing(old="before", new="after"),
        )
        if in_sets
        else UpdateWitness(
            name="witness",
            when=pgtrigger.After,
            operation=pgtrigger.UpdateOf(*columns) if columns else pgtrigger.Update,
        )
    )
    insert.columns = update.columns = columns
    insert.only = update.only = only
    insert.older = update.older = older
    if kept:
        return [insert, update]
    delete = DeleteWitness(
        name="witness_gone",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Delete,
        referencing=pgtrigger.Referencing(old="before"),
    )
    return [insert, update, delete]


def digests_of_rows() -> list[tuple[Any, str]]:
    """Returns each model with SQL of its witnessed rows: `id`, `digest`, and in `older` the digests
    of older forms that the row may still have.
    """
    found = [
        (
            model,
            f"SELECT t.id, {digest_sql(model, trigger.columns, row='t')} AS digest,"  # noqa: S608
            f" {_older_sql(model, trigger)} AS older"
            f" FROM {model._meta.db_table} t WHERE {trigger.only.format(row='t')}",
        )
        for model, trigger in pgtrigger.registered()
        if isinstance(trigger, UpdateWitness)
    ]
    return sorted(found, key=lambda pair: str(pair[0]._meta.label))


def _older_sql(model: Any, trigger: Witness) -> str:
    forms = (
        f"CASE WHEN {' AND '.join(f't.{column} IS NOT DISTINCT FROM {value}' for column, value in form.items())}"
        f" THEN {digest_sql(model, trigger.columns, row='t', without=form)} END"
        for form in trigger.older
    )
    return f"ARRAY[{', '.join(forms)}]::bytea[]"


def witnesses(model: Any) -> list[str]:
    """Returns the names of the model's triggers that note digests."""
    return [
        trigger.get_pgid(model)
        for each, trigger in pgtrigger.registered()
        if each is model and isinstance(trigger, Witness)
    ]
