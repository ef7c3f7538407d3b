"""The rules that every kind of file shares, as SQL over the staged rows."""

from __future__ import annotations

from django.db import connection

from winddown.loading import file_kinds
from winddown.loading.file_kinds import REFUSED, ROWS, FileKind


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def has_column(name: str) -> bool:
    """Returns whether the file under load has the column, which a file may leave out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_attribute"
            " WHERE attrelid = to_regclass(%s) AND attname = %s)",
            [ROWS, name],
        )
        return bool(cursor.fetchone()[0])


def reference_rules(kind: FileKind) -> list[file_kinds.Rule]:
    return [
        file_kinds.Rule(
            column=column.name,
            breach=f"r.{column.name} IS NOT NULL AND r.{column.refers.name}_id IS NULL",
            reason=f"'is not {column.refers.says}'",
        )
        for column in kind.columns
        if column.refers is not None
    ]


def future_rules(kind: FileKind) -> list[file_kinds.Rule]:
    return [
        file_kinds.Rule(
            column=column.name,
            breach=f"r.{column.name} > clock.now",
            reason="'lies in the future'",
        )
        for column in kind.columns
        if column.sql_type == "timestamptz"
    ]


def rules_of(kind: FileKind) -> list[file_kinds.Rule]:
    """Returns the rules about one row of the kind alone."""
    return [*reference_rules(kind), *future_rules(kind), *kind.rules]


def breached(kind: FileKind) -> str:
    """Returns the SQL condition that a row `r` breaks one of the rules; it asks for `clock.now`."""
    return " OR ".join(f"({rule.breach})" for rule in rules_of(kind))


def refuse_repeated(columns: tuple[str, ...], *, shown: str) -> str:
    """Of rows with equal `columns`, the first is kept and every later one is refused."""
    listed = ", ".join(columns)
    same = " AND ".join(f"r.{column} = d.{column}" for column in columns)
    return f"""
        INSERT INTO {REFUSED} SELECT r.line, '{shown}', format('repeats line %s', d.first)
        FROM (
            SELECT {listed}, min(line) AS first FROM {ROWS} GROUP BY {listed} HAVING count(*) > 1
        ) d JOIN {ROWS} r ON {same} WHERE r.line > d.first
    """  # noqa: S608


def refuse_contradicting(kind: FileKind) -> str:
    """A row that already exists with other values is refused; the reason names the differences."""
    shown = {f"{column.refers.name}_id": column.name for column in kind.columns if column.refers}
    differs = {
        shown.get(name, name): f"r.{name} IS DISTINCT FROM {now}"
        for name, now in kind.compared.items()
    }
    named = ", ".join(f"CASE WHEN {wrong} THEN '{name}' END" for name, wrong in differs.items())
    return f"""
        INSERT INTO {REFUSED} SELECT r.line, '{kind.key[-1]}',
            'is already recorded with another ' || array_to_string(ARRAY[{named}], ', ')
        FROM {ROWS} r JOIN {kind.model._meta.db_table} e ON e.id = r.earlier_id
        WHERE {" OR ".join(differs.values())}
    """  # noqa: S608
