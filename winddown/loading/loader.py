"""The loading of a file: staged by COPY, checked by SQL, and written completely or not at all."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.db import OperationalError, connection, transaction

from winddown import locks, texts
from winddown.actors import SYSTEM, Actor, require
from winddown.card_numbers import CARD_NUMBER
from winddown.errors import LoadRefused
from winddown.evidence import audit
from winddown.loading import file_kinds, staged_rules
from winddown.loading.csv_source import (
    CODECS,
    RECORD_SEPARATOR,
    UNIT_SEPARATOR,
    CsvSource,
    Examined,
    Faulty,
    examined,
)
from winddown.loading.file_kinds import REFUSED, ROWS, STAGED, FileKind
from winddown.loading.outcome import Loaded, Progress, Refusal, Totals
from winddown.locks import Lock
from winddown.models import LoadedFile
from winddown.sqlstates import ServerState, sqlstate_of

REFUSALS_SHOWN = 10
# What stands in the file of refused rows for a value of a secret column.
HIDDEN = "(hidden)"

PERMISSION = "winddown.load_data"


def load(
    kind: str,
    path: Path | str,
    *,
    actor: Actor = SYSTEM,
    expect_rows: int | None = None,
    expect_sum: int | None = None,
    encoding: str = "utf-8",
    reason: str = "",
    progress: Progress = lambda phase, done, total: None,
) -> Loaded:
    """Every row of the file is in the database, or `LoadRefused` is raised and nothing was changed.

    `kind` is the name after `load_`. Rows that already exist with the same values stay unchanged. A
    file with the same bytes as an earlier one changes nothing. Every refused row is written to
    `<file>.refused.csv` with line, column and reason; the error carries the first few. Memory does
    not grow with the file.
    """
    require(actor, PERMISSION, by_system=True, action=f"load {kind}")
    declared = file_kinds.get(kind)
    if encoding not in CODECS:
        raise AssertionError(f"{encoding} is no encoding of files")
    path = Path(path)
    if expect_sum is not None and not declared.amount:
        raise LoadRefused(
            file=texts.name_of(path), why=f"{kind} has no amounts that could have a sum"
        )
    found = examined(path, encoding=encoding)
    load_ = _Load(
        declared,
        path,
        found=found,
        encoding=encoding,
        totals=Totals(rows=expect_rows, sum_minor=expect_sum),
        progress=progress,
    )
    try:
        with transaction.atomic(durable=True):
            done = load_.run(actor=actor, reason=reason)
    except OperationalError as error:
        if sqlstate_of(error) != ServerState.LOCK_NOT_AVAILABLE:
            raise
        raise LoadRefused(
            file=texts.name_of(path),
            why="other work holds rows that it touches; load it when that is done",
        ) from error
    with suppress(OSError):
        load_.refused_path.unlink(missing_ok=True)
    return done


class _Load:
    """One load under way, inside its transaction."""

    def __init__(
        self,
        kind: FileKind,
        path: Path,
        *,
        found: Examined,
        encoding: str,
        totals: Totals,
        progress: Progress,
    ) -> None:
        self.kind = kind
        self.path = path
        self.refused_path = path.with_name(f"{path.name}.refused.csv")
        self._found = found
        self._encoding = encoding
        self._totals = totals
        self._progress = progress
        self._faultless = False

    def run(self, *, actor: Actor, reason: str) -> Loaded:
        self._begin()
        self.kind = self.kind.as_declared()
        earlier = LoadedFile.objects.filter(kind=self.kind.name, sha256=self._found.sha256).first()
        if earlier is not None:
            self._refuse_contradictions(rows=earlier.rows, sum_minor=earlier.sum_minor)
            return self._loaded(earlier.rows, 0, earlier.sum_minor, repeated=True)
        source = CsvSource(self.path, encoding=self._encoding, found=self._found)
        self._check_header(source.header)
        self.kind = self.kind.with_header(source.header)
        source.read_as(self.kind)
        if self._copied_straight(source):
            self._refuse_changed(source)
            self._refuse_contradictions(rows=source.rows, sum_minor=None)
            done = self._loaded(source.rows, source.rows, None, repeated=False)
            self._finish(done, actor=actor, reason=reason)
            return done
        rows = self._stage(source)
        sum_minor = self._judge(source, rows=rows)
        inserted = self._record(actor)
        if self._is_judged_while_written(rows) and inserted < rows:
            # Some rows were left out: they are found again, with the reasons.
            self._refuse_rows()
            self._refuse_contradictions(rows=rows, sum_minor=sum_minor, source=source)
            raise AssertionError("a row was left out that no rule refuses")
        done = self._loaded(rows, inserted, sum_minor, repeated=False)
        if self.kind.unreachable is not None:
            done = replace(done, unreachable=self.kind.unreachable())
        self._finish(done, actor=actor, reason=reason)
        return done

    def _loaded(self, rows: int, inserted: int, sum_minor: int | None, *, repeated: bool) -> Loaded:
        return Loaded(
            kind=self.kind.name,
            file=texts.name_of(self.path),
            sha256=self._found.sha256,
            rows=rows,
            inserted=inserted,
            sum_minor=sum_minor,
            repeated=repeated,
        )

    def _refusal(self, why: str, **facts: Any) -> LoadRefused:
        return LoadRefused(file=texts.name_of(self.path), why=why, **facts)

    # --- the file stands in a staging table -----------------------------------------------------

    def _begin(self) -> None:
        # One load at a time, so that two files cannot miss each other's rows.
        if not locks.try_take(Lock.LOAD):
            raise self._refusal("another file is being loaded; load this one when that is done")
        with connection.cursor() as cursor:
            # A load has no time limit. Sorts and joins of millions of rows need memory. JIT
            # compilation does not pay off for one pass over a temporary table.
            cursor.execute(
                "SET LOCAL statement_timeout = 0; SET LOCAL work_mem = '96MB'; SET LOCAL jit = off"
            )

    def _check_header(self, header: tuple[str, ...]) -> None:
        wanted, optional = self.kind.names, self.kind.optional
        needed = self.kind.needed(header)
        more = [name for name in optional if name not in needed]
        missing = [name for name in needed if name not in header]
        extra = [name or "(no name)" for name in header if name not in wanted]
        twice = sorted({name for name in header if header.count(name) > 1} & set(wanted))
        parts = [
            f"{what} {', '.join(names)}"
            for what, names in (
                ("it lacks the columns", missing),
                ("it has unknown columns", extra),
                ("it has more than once", twice),
            )
            if names
        ]
        if parts:
            raise self._refusal(
                f"{' and '.join(parts)}; the first line of a file of {self.kind.name} must be"
                f" {','.join(needed)}" + (f"; it may also have {','.join(more)}" if more else "")
            )

    def _stage(self, source: CsvSource) -> int:
        """The staging table has every row with its line: its values, or its faults.

        The form of each value is checked first, so that COPY itself can convert numbers and times.
        SQL checks only what depends on other rows. A plain file without fault is copied as it came.
        Each line of any other file is judged by itself.
        """
        columns = ", ".join(f"{column.name} {column.sql_type}" for column in self.kind.columns)
        with connection.cursor() as cursor:
            cursor.execute(
                # The first line is the header. Rows that are copied as they came are numbered.
                f"CREATE TEMPORARY TABLE {STAGED} (line bigint GENERATED BY DEFAULT AS IDENTITY"
                f" (START 2 CACHE 10000), faults text, {columns}) ON COMMIT DROP"
            )
            cursor.execute(
                f'CREATE TEMPORARY TABLE {REFUSED} (line bigint, "column" text, reason text)'
                " ON COMMIT DROP"
            )
            self._faultless = self._found.is_plain and self._copied_as_it_came(source)
            if not self._faultless:
                into = f"COPY {STAGED} (line, faults, {', '.join(source.header)}) FROM STDIN"
                with cursor.copy(f"{into} WITH (FORMAT text, NULL '')") as copy:
                    for lines in source.copy_lines():
                        copy.write(lines)
                        self._progress("reading", source.bytes_read, self._found.size_bytes)
            cursor.execute(f"ANALYZE {STAGED}")
        self._refuse_changed(source)
        return source.rows

    def _refuse_changed(self, source: CsvSource) -> None:
        if source.sha256 != self._found.sha256:
            raise self._refusal("it changed while it was read; load it when its writer is done")

    def _copied_straight(self, source: CsvSource) -> bool:
        """The kind's table has every row. Returns False, and nothing is written, if the file must
        be staged.
        """
        if self.kind.copy is None or not self._found.is_plain:
            return False
        try:
            with transaction.atomic():
                self.kind.copy(
                    source, lambda done: self._progress("recording", done, self._found.size_bytes)
                )
        except Faulty:
            return False
        return True

    def _copied_as_it_came(self, source: CsvSource) -> bool:
        """The staging table has every row. Returns False, and the table is empty, if a line may
        have a fault.
        """
        into = f"COPY {STAGED} ({', '.join(source.header)}) FROM STDIN WITH (FORMAT csv)"
        try:
            with (
                transaction.atomic(),
                connection.cursor() as cursor,
                cursor.copy(into) as copy,
            ):
                for lines in source.faultless_blocks():
                    copy.write(lines)
                    self._progress("reading", source.bytes_read, self._found.size_bytes)
        except Faulty:
            return False
        return True

    # --- the rows are judged --------------------------------------------------------------------

    def _judge(self, source: CsvSource, *, rows: int) -> int | None:
        """Returns the sum. Raises `LoadRefused` if a row is refused or the totals differ."""
        self._progress("checking", 0, 1)
        if not self._faultless:
            self._refuse_faults()
        if self.kind.before is not None:
            self.kind.before()
        self._resolve_rows()
        if not self._is_judged_while_written(rows):
            self._refuse_rows()
        if self.kind.judge is not None:
            self.kind.judge()
        sum_minor = self._sum()
        self._refuse_contradictions(rows=rows, sum_minor=sum_minor, source=source)
        self._progress("checking", 1, 1)
        return sum_minor

    def _is_judged_while_written(self, rows: int) -> bool:
        """Returns whether the rows are judged in the statement that writes them, which saves a pass
        over all of them. Whatever is known to be refused is judged first, with every reason.
        """
        return (
            self.kind.is_judged_while_written
            and self._faultless
            and not self._totals.contradictions(rows=rows, sum_minor=None)
        )

    def _refuse_faults(self) -> None:
        """Rows with a fault in one value are refused: missing, malformed, negative, an unknown
        word.
        """
        staged_rules.execute(
            f"INSERT INTO {REFUSED} SELECT s.line,"  # noqa: S608
            f" split_part(fault, '{UNIT_SEPARATOR}', 1), split_part(fault, '{UNIT_SEPARATOR}', 2)"
            f" FROM {STAGED} s, unnest(string_to_array(s.faults, '{RECORD_SEPARATOR}')) AS fault"
            " WHERE s.faults IS NOT NULL"
        )

    def _resolve_rows(self) -> None:
        """The rows without fault are joined with the rows they refer to and the row they repeat.

        Events never repeat a row, so a view is enough for them.
        """
        columns, joins = ["s.line"], []
        for column in self.kind.columns:
            columns.append(f"{column.typed.format('s.' + column.name)} AS {column.name}")
            if column.refers is not None:
                to = column.refers
                columns.append(f"{to.name}.id AS {to.name}_id")
                columns += [f"{to.name}.{other} AS {to.name}_{other}" for other in to.also]
                joins.append(
                    f"LEFT JOIN {to.table} {to.name} ON {to.name}.{to.key} = s.{column.name}"
                )
        if self.kind.key:
            same = " AND ".join(
                f"e.{column.name} = {column.typed.format('s.' + column.name)}"
                for column in self.kind.columns
                if column.name in self.kind.key
            )
            joins.append(f"LEFT JOIN {self.kind.model._meta.db_table} e ON {same}")
            columns.append("e.id AS earlier_id")
            made = f"CREATE TEMPORARY TABLE {ROWS} ON COMMIT DROP AS"
        else:
            columns.append("NULL::bigint AS earlier_id")
            made = f"CREATE TEMPORARY VIEW {ROWS} AS"
        staged_rules.execute(
            f"{made} SELECT {', '.join(columns)} FROM {STAGED} s {' '.join(joins)}"  # noqa: S608
            " WHERE s.faults IS NULL"
        )
        if self.kind.key:
            staged_rules.execute(f"ANALYZE {ROWS}")

    def _refuse_rows(self) -> None:
        """Rows that conflict with other rows are refused: a repetition, a contradiction, an unknown
        name.
        """
        kind = self.kind
        if kind.key:
            staged_rules.execute(staged_rules.refuse_repeated(kind.key, shown=kind.key[-1]))
            if kind.compared:
                staged_rules.execute(staged_rules.refuse_contradicting(kind))
        for unique in kind.uniques:
            staged_rules.execute(staged_rules.refuse_repeated(unique.columns, shown=unique.shown))
            stored = {value: column for column, value in kind.values.items()}
            same = " AND ".join(f"e.{stored[f'r.{name}']} = r.{name}" for name in unique.columns)
            staged_rules.execute(
                f"INSERT INTO {REFUSED} SELECT r.line, '{unique.shown}', '{unique.reason}'"  # noqa: S608
                f" FROM {ROWS} r JOIN {kind.model._meta.db_table} e ON {same}"
                " WHERE r.earlier_id IS NULL"
            )
        rules = staged_rules.rules_of(kind)
        if rules:
            listed = ", ".join(
                f"('{rule.column}', CASE WHEN {rule.breach} THEN {rule.reason} END)"
                for rule in rules
            )
            breached = staged_rules.breached(kind)
            staged_rules.execute(
                f"WITH clock AS MATERIALIZED (SELECT winddown_now() AS now)"  # noqa: S608
                f" INSERT INTO {REFUSED} SELECT r.line, f.name, f.reason FROM clock, {ROWS} r"
                f" CROSS JOIN LATERAL (VALUES {listed}) AS f (name, reason)"
                f" WHERE r.earlier_id IS NULL AND ({breached}) AND f.reason IS NOT NULL"
            )

    def _sum(self) -> int | None:
        if not self.kind.amount:
            return None
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT coalesce(sum({self.kind.amount}), 0)::bigint FROM {ROWS}"  # noqa: S608
            )
            return int(cursor.fetchone()[0])

    def _refuse_contradictions(
        self, *, rows: int, sum_minor: int | None, source: CsvSource | None = None
    ) -> None:
        """Raises `LoadRefused` when a row is refused or the announced totals differ."""
        refused, first = self._refused() if source else (0, [])
        # The sum is meaningless while some amounts cannot be read.
        known_sum = None if refused else sum_minor
        found = self._totals.contradictions(rows=rows, sum_minor=known_sum)
        if not refused and not found:
            return
        written = ""
        if refused and source:
            written = self._write_refused(source)
            found.insert(0, f"{refused:,} of {rows:,} rows are refused, the first is {first[0]}")
        raise self._refusal(
            "; ".join(found), rows=rows, refused=refused, first=first, refused_file=written
        )

    def _refused(self) -> tuple[int, list[Refusal]]:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(DISTINCT line) FROM {REFUSED}")  # noqa: S608
            count = int(cursor.fetchone()[0])
            cursor.execute(
                f'SELECT line, "column", reason FROM {REFUSED}'  # noqa: S608
                f' ORDER BY line, "column" LIMIT {REFUSALS_SHOWN}'
            )
            return count, [Refusal(*row) for row in cursor.fetchall()]

    def _write_refused(self, source: CsvSource) -> str:
        """The refused rows are in a file beside the loaded one; only its owner can read it.

        Returns its path, or an empty text when there is no space or permission to write it.
        """
        encoding = "utf-8-sig" if self._found.has_bom else CODECS[self._encoding]
        draft = self.refused_path.with_name(f"{self.refused_path.name}.{os.getpid()}")

        def owned(path: str, flags: int) -> int:
            return os.open(path, flags, 0o600)

        try:
            # `Path.open` accepts no opener, and the opener makes the file private from the start.
            with open(
                draft, "w", encoding=encoding, errors="replace", newline="", opener=owned
            ) as file:
                out = csv.writer(file, lineterminator="\n")
                out.writerow(["line", "column", "reason", *source.header])
                out.writerows(self._refused_rows(source))
            draft.replace(self.refused_path)
        except OSError:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            return ""
        return str(self.refused_path)

    def _refused_rows(self, source: CsvSource) -> Iterator[list[Any]]:
        """Yields line, column, reason and the values as they came.

        The refusals and the file are read together, both in the order of lines.
        """
        records = source.records()
        at, values = next(records, (0, []))
        if connection.connection is None:
            raise AssertionError("the connection is not open")
        with connection.connection.cursor("load_refused_rows") as refusals:
            refusals.itersize = 2_000
            refusals.execute(
                f'SELECT line, "column", reason FROM {REFUSED}'  # noqa: S608
                ' ORDER BY line, "column"'
            )
            for line, column, reason in refusals:
                while at < line:
                    at, values = next(records)
                shown = map(self._shown, self._without_secrets(values, source.header))
                yield [line, column, reason, *shown]

    def _without_secrets(self, values: list[str], header: tuple[str, ...]) -> list[str]:
        """Returns the values of a row without those of secret columns. Where a comma too many may
        have moved them into other columns, none is left.
        """
        secret = {column.name for column in self.kind.columns if column.is_secret}
        if not secret:
            return values
        named = zip(values, header, strict=True) if len(values) == len(header) else ()
        safe = [value if name not in secret or not value else HIDDEN for value, name in named]
        return safe or [HIDDEN for _ in values]

    def _shown(self, value: str) -> str:
        """Returns the value as it came, without card numbers, and safe from being read as a
        formula.
        """
        if not value:
            return ""
        if self.kind.no_card_numbers_in:
            value = CARD_NUMBER.sub(lambda found: f"(card number {found[0][-4:]})", value)
        return value if re.fullmatch(r"[+-]?[0-9]+", value) else texts.safe_in_spreadsheet(value)

    # --- the rows are recorded ------------------------------------------------------------------

    def _record(self, actor: Actor) -> int:
        def progress(done: int, total: int) -> None:
            self._progress("recording", done, total)

        progress(0, 1)
        if self.kind.record is not None:
            return self.kind.record(actor, progress)
        inserted = file_kinds.insert_rows(self.kind)
        progress(1, 1)
        return inserted

    def _finish(self, done: Loaded, *, actor: Actor, reason: str) -> None:
        """The register of files and the audit journal have the load.

        Deferred foreign keys are checked first. The audit chain's lock is held from the entry to
        the commit, and a check of a million keys under this lock would block everybody.
        """
        name = self.kind.name
        LoadedFile.objects.create(
            kind=name,
            sha256=self._found.sha256,
            file_name=texts.name_of(self.path),
            encoding=self._encoding,
            rows=done.rows,
            inserted=done.inserted,
            sum_minor=done.sum_minor,
            loaded_by_id=actor.pk,
        )
        staged_rules.execute(f"DROP TABLE IF EXISTS {STAGED}, {REFUSED} CASCADE")
        staged_rules.execute(f"DROP TABLE IF EXISTS {ROWS}")
        if done.inserted:
            # Fresh statistics, so that the next queries get plans for the rows that are there now.
            staged_rules.execute(f"ANALYZE {self.kind.model._meta.db_table}")
        staged_rules.execute("SET CONSTRAINTS ALL IMMEDIATE")
        staged_rules.execute("SET CONSTRAINTS ALL DEFERRED")
        counted: dict[str, Any] = (
            {} if done.unreachable is None else {"unreachable": done.unreachable}
        )
        audit.append(
            f"load.{name}",
            f"file:{self._found.sha256[:16]}",
            actor=actor,
            reason=reason,
            file=texts.name_of(self.path),
            sha256=self._found.sha256,
            rows=done.rows,
            inserted=done.inserted,
            sum_minor=done.sum_minor,
            **counted,
        )
