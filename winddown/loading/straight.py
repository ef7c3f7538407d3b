"""A plain file of events is copied straight into its table, and judged while it is copied.

Staging writes every row twice. For events that is most of the time of a load.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from django.db import connection

from winddown.loading.csv_source import CsvSource, Faulty
from winddown.loading.file_kinds import FileKind, Reference
from winddown.loading.staged_rules import future_rules

# A million keys take about 200 MB. Where more than these are known, the file is staged.
KEYS_MAX = 2_000_000
KEYS_AT_ONCE = 10_000


def copy(
    kind: FileKind,
    source: CsvSource,
    *,
    into: Mapping[str, str],
    lowered: str,
    progress: Callable[[int], None],
) -> None:
    """Every row of the file is in the kind's table. Raises `Faulty` if a row may break a rule; the
    caller then undoes what was copied, and stages the file, which says which row and why.

    `into` maps each column of the file to the table's column. The kind has one reference; its keys
    become ids here. Values of the column `lowered` are stored in lower case. The rules are those of
    the staged rows: COPY leaves out a row that breaks one.
    """
    header = source.header
    (referring,) = [column for column in kind.columns if column.refers is not None]
    at, lower_at = header.index(referring.name), header.index(lowered)
    # A value at an edge of its line stands beside the end of the line.
    if {at, lower_at} & {0, len(header) - 1}:
        raise Faulty
    if referring.refers is None:
        raise AssertionError("the column refers to nothing")
    known = _ids(referring.refers)
    stored = ", ".join(into[name] for name in header)
    blank = ", ".join(
        into[column.name]
        for column in kind.columns
        if column.sql_type == "text" and not column.required and column is not referring
    )
    # COPY knows neither aliases nor other tables. An unknown key has no id, and ends the copy.
    rules = " OR ".join(f"({rule.breach})" for rule in [*future_rules(kind), *kind.rules])
    rules = re.sub(r"\br\.(\w+)", lambda found: into[found[1]], rules)
    with connection.cursor() as cursor:
        cursor.execute("SELECT winddown_now()::text")
        rules = rules.replace("clock.now", f"'{cursor.fetchone()[0]}'")
        copied = (
            f"COPY {kind.model._meta.db_table} ({stored}) FROM STDIN"
            f" WITH (FORMAT csv, FORCE_NOT_NULL ({blank})) WHERE ({rules}) IS NOT TRUE"
        )
        with cursor.copy(copied) as target:
            for lines in _resolved(source, known, at=at, lower_at=lower_at):
                target.write(lines)
                progress(source.bytes_read)
        if cursor.rowcount != source.rows:
            raise Faulty


def _resolved(
    source: CsvSource, known: Mapping[str, str], *, at: int, lower_at: int
) -> Iterator[str]:
    """Yields the lines with ids in the place of keys."""
    # Split at commas, the last value of a line and the first of the next one are one piece.
    pieces_a_line = len(source.header) - 1
    for lines in source.faultless_blocks():
        pieces = lines.split(",")
        names = pieces[lower_at::pieces_a_line]
        together = "".join(names)
        # Python and PostgreSQL agree about the lower case of ASCII only.
        if not together.isascii():
            raise Faulty
        if together != together.lower():
            pieces[lower_at::pieces_a_line] = map(str.lower, names)
        try:
            pieces[at::pieces_a_line] = map(known.__getitem__, pieces[at::pieces_a_line])
        except KeyError as error:
            raise Faulty from error
        yield ",".join(pieces)


def _ids(to: Reference) -> dict[str, str]:
    """Returns the id of each key, and nothing for the empty key. Raises `Faulty` if there are too
    many.
    """
    known = {"": ""}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM (SELECT FROM {to.table} LIMIT {KEYS_MAX + 1}) AS keys"  # noqa: S608
        )
        if cursor.fetchone()[0] > KEYS_MAX:
            raise Faulty
        # Thousands of keys are one row, because each row that Python reads costs as much as ten keys.
        cursor.execute(
            f"SELECT string_agg({to.key}, E'\\n'), string_agg(id::text, E'\\n')"  # noqa: S608  declared names
            f" FROM {to.table} WHERE strpos({to.key}, E'\\n') = 0 GROUP BY id / {KEYS_AT_ONCE}"
        )
        for keys, ids in cursor.fetchall():
            known.update(zip(keys.split("\n"), ids.split("\n"), strict=True))
    return known
