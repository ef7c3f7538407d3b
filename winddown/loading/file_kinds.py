"""The kinds of files that we import: each declares its columns, its rules and its writing."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from django.db import connection, models
from django.utils.module_loading import autodiscover_modules

from winddown.errors import WinddownError
from winddown.registries import Registry

# The temporary tables of a load: the file's values, its rows with their references, the refusals.
STAGED = "load_staged"
ROWS = "load_rows"
REFUSED = "load_refused"

# Any character of a value, in a pattern. A value in quotes may hold the comma too.
ANY = r"[^,\x00-\x1f\x7f]"
ANY_IN_QUOTES = r"[^\x00-\x1f\x7f]"
_CLOCK = (
    r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
    r"(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])"
)
_DAY = r"[12][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
# Days that exist in every year; the others are checked one by one.
_CERTAIN_DAY = (
    r"[12][0-9]{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    r"|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
)


class UnknownFileKind(WinddownError):
    """There is no kind of file {name}; known are {known}."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The reference that a column holds: a row of `table` by its `key`.

    The rules see its id as `<name>_id`, and its columns in `also` as `<name>_<column>`.
    """

    table: str
    key: str
    name: str
    says: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file, and the form of its values.

    `pattern` has no anchors, and any character is spelled `ANY`. Every value that it matches can be
    cast to `sql_type` and is valid by itself. `judge` decides about the values that `doubtful`
    matches. `faults` describe, most specific first, what is wrong with any other value. `typed` is
    SQL over the staged value. `listed` returns the words of a column whose words the programme
    declares; `as_declared` then makes the pattern of them. A file may leave out the
    columns that `may_be_absent`; those of one `group` come together. The values of a column that
    `is_secret` are in no file of refused rows.
    """

    name: str
    meaning: str
    form: str
    pattern: str
    sql_type: str = "text"
    required: bool = True
    faults: tuple[tuple[str, str], ...] = ()
    doubtful: str = ""
    judge: Callable[[str], str] = lambda value: ""
    typed: str = "{0}"
    refers: Reference | None = None
    listed: Callable[[], tuple[str, ...]] | None = None
    may_be_absent: bool = False
    group: str = ""
    is_secret: bool = False

    def as_declared(self) -> Column:
        """Returns the column with the words that the programme declares now."""
        if self.listed is None:
            return self
        known = choice(self.name, self.meaning, options=self.listed())
        return replace(self, form=known.form, pattern=known.pattern)

    @property
    def in_line(self) -> str:
        """Returns the pattern of a valid value within a line without quotes."""
        return f"(?:{self.pattern})" if self.required else f"(?:{self.pattern})?"

    def fault(self, value: str) -> str:
        """Returns what is wrong with the value, or an empty text."""
        if not value:
            return "is empty; it must have a value" if self.required else ""
        if _matches(self.pattern, value):
            return ""
        if self.doubtful and _matches(self.doubtful, value):
            return self.judge(value)
        for pattern, reason in self.faults:
            if _matches(pattern, value):
                return reason
        return f"is not {self.form}"


def _matches(pattern: str, value: str) -> bool:
    return _compiled(pattern).fullmatch(value) is not None


@lru_cache(maxsize=1_000)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace(ANY, ANY_IN_QUOTES))


def text(name: str, meaning: str, *, length_max: int, required: bool = True) -> Column:
    """A column of any text; an empty optional value is stored as empty text."""
    return Column(
        name,
        meaning,
        form=f"text of at most {length_max} characters",
        pattern=f"{ANY}{{1,{length_max}}}",
        required=required,
        faults=((f"{ANY}+", f"is longer than {length_max} characters"),),
        typed="{0}" if required else "coalesce({0}, '')",
    )


def ref(name: str, meaning: str, *, length_max: int = 64) -> Column:
    """A column with the core system's own unique key of the row."""
    return Column(
        name,
        meaning,
        form=f"a unique key of at most {length_max} characters",
        pattern=f"(?! ){ANY}{{1,{length_max}}}(?<! )",
        faults=(
            (f" {ANY}*|{ANY}* ", "begins or ends with a blank"),
            (f"{ANY}+", f"is longer than {length_max} characters"),
        ),
    )


def matching(
    name: str,
    meaning: str,
    *,
    form: str,
    length_max: int,
    pattern: str,
    required: bool = True,
    bounded: bool = False,
    typed: str = "{0}",
    sql_type: str = "text",
) -> Column:
    """A column of text that matches a regular expression. If the pattern is `bounded`, it matches
    no longer text by itself, and the length needs no look ahead.
    """
    if sql_type == "text" and not required:
        typed = f"coalesce({typed}, '')"
    return Column(
        name,
        meaning,
        form=f"{form}, at most {length_max} characters",
        pattern=pattern if bounded else f"(?={ANY}{{1,{length_max}}}(?:,|$)){pattern}",
        sql_type=sql_type,
        required=required,
        faults=((f"{ANY}{{{length_max + 1},}}", f"is longer than {length_max} characters"),),
        typed=typed,
    )


def amount(name: str, meaning: str) -> Column:
    """A column with a positive amount of money in whole minor units."""
    return Column(
        name,
        meaning,
        form="a whole number of minor units above zero, in digits only",
        pattern="0{0,3}[1-9][0-9]{0,14}",
        sql_type="bigint",
        faults=(
            ("-[0-9]+", "is negative; a file brings positive amounts only"),
            ("0+", "is zero; a movement moves at least one minor unit"),
            ("[0-9]+", "is larger than any amount can be (at most 15 digits)"),
        ),
    )


def _no_such_day(value: str) -> str:
    try:
        dt.datetime.fromisoformat(value)
    except ValueError:
        return "is a day that its month does not have"
    return ""


def instant(name: str, meaning: str, *, required: bool = True) -> Column:
    """A column with a time and its offset from UTC, not in the future."""
    return Column(
        name,
        meaning,
        form="a time with offset like 2019-07-01T09:30:00+09:00",
        pattern=f"{_CERTAIN_DAY}[T ]{_CLOCK}",
        sql_type="timestamptz",
        required=required,
        doubtful=f"{_DAY}[T ]{_CLOCK}",
        judge=_no_such_day,
        faults=(
            (
                r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+",
                "has no offset from UTC; write it like 2019-07-01T09:30:00+09:00",
            ),
        ),
    )


def day(name: str, meaning: str, *, required: bool = True) -> Column:
    """A column with a day, kept as it is written."""
    return Column(
        name,
        meaning,
        form="a day like 1980-03-15",
        pattern=_CERTAIN_DAY,
        required=required,
        doubtful=_DAY,
        judge=_no_such_day,
        typed="{0}" if required else "coalesce({0}, '')",
    )


def choice(name: str, meaning: str, *, options: tuple[str, ...]) -> Column:
    """A column with one of a few words."""
    return Column(
        name,
        meaning,
        form=f"one of: {', '.join(options)}",
        pattern="|".join(re.escape(option) for option in options),
    )


def declared_choice(
    name: str,
    meaning: str,
    *,
    section: str,
    options: Callable[[], list[str]],
    also: tuple[str, ...] = (),
) -> Column:
    """A column with one of the codes that `section` of the set-up file declares, or one of `also`."""
    words = f"{', '.join(f'`{word}`' for word in also)}, or " if also else ""
    return Column(
        name,
        meaning,
        form=f"{words}a code of `{section}` in the set-up file",
        pattern=f"{ANY}{{1,20}}",
        listed=lambda: (*also, *options()),
    )


def reference(name: str, meaning: str, to: Reference, *, required: bool = True) -> Column:
    """A column with the key of a row from an earlier file."""
    return Column(
        name, meaning, form=to.says, pattern=f"{ANY}{{1,64}}", required=required, refers=to
    )


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule for new rows: `breach` is SQL over the row `r`, `reason` is SQL that returns the
    reason.
    """

    column: str
    breach: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unique:
    """No two rows, in the file or the database, share `columns`. `shown` is the file's column."""

    columns: tuple[str, ...]
    shown: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKind:
    """One kind of file.

    `columns` stand in the documented order. `key` names the columns that identify a row, here and
    in `model`; a kind without a key (events) recognises a repeated file only by its SHA-256.
    `compared` maps a column of the row `r` to SQL for the value with which the database's row `e`
    was loaded. If a value differs, the file's row is refused. `before` takes the locks, before the
    rows are compared with the database. `copy` may write a plain file without staging it; it raises
    `Faulty` if it cannot. `judge` adds refusals that need more than one row. At the
    end, `record` writes the new rows and returns how many. Without `record`, `values` (column of
    the model -> SQL over the row `r`) are inserted. After that, `unreachable` returns how many people
    of the rows no verified channel reaches.
    """

    name: str
    title: str
    model: type[models.Model]
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    compared: dict[str, str] = field(default_factory=dict)
    uniques: tuple[Unique, ...] = ()
    rules: tuple[Rule, ...] = ()
    no_card_numbers_in: frozenset[str] = frozenset()
    values: dict[str, str] = field(default_factory=dict)
    before: Callable[[], None] | None = None
    copy: Callable[[Any, Callable[[int], None]], None] | None = None
    judge: Callable[[], None] | None = None
    record: Callable[[Any, Callable[[int, int], None]], int] | None = None
    unreachable: Callable[[], int] | None = None

    @property
    def is_judged_while_written(self) -> bool:
        """Returns whether each row of the kind can be judged alone, while it is written."""
        return not self.key and not self.uniques and self.judge is None

    @property
    def amount(self) -> str:
        """The column that control sums add up, or empty."""
        return next((column.name for column in self.columns if column.name == "amount_minor"), "")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def optional(self) -> tuple[str, ...]:
        """Returns the columns that a file may leave out."""
        return tuple(column.name for column in self.columns if column.may_be_absent)

    def needed(self, header: Collection[str]) -> tuple[str, ...]:
        """Returns the columns that a file with these ones must have. The optional columns of one
        group come all or none.
        """
        there = {each.group for each in self.columns if each.may_be_absent and each.name in header}
        return tuple(
            each.name for each in self.columns if not each.may_be_absent or each.group in there
        )

    def as_declared(self) -> FileKind:
        """Returns the kind with the words that the programme declares now."""
        return replace(self, columns=tuple(column.as_declared() for column in self.columns))

    def with_header(self, header: Collection[str]) -> FileKind:
        """Returns the kind for a file that has these columns, without the rules about the others."""
        there = {*header} | {column.name for column in self.columns if not column.may_be_absent}
        return replace(
            self,
            columns=tuple(column for column in self.columns if column.name in there),
            rules=tuple(rule for rule in self.rules if rule.column in there),
        )

    def described(self) -> str:
        """Returns the columns as a Markdown table, for the documentation and `--columns`."""
        lines = ["| column | must be | required | meaning |", "|---|---|---|---|"]
        for column in self.columns:
            required = "yes" if column.required else "no"
            if column.may_be_absent:
                required = "no; the file may lack the column"
            lines.append(f"| `{column.name}` | {column.form} | {required} | {column.meaning} |")
        return "\n".join(lines)


KINDS: Registry[FileKind] = Registry(
    "file kinds", entries_are="a kind of file that can be loaded", owner=__name__
)


def declare(kind: FileKind) -> FileKind:
    """Files of this kind can be loaded; two kinds of one name are a mistake."""
    KINDS.add(kind.name, kind)
    return kind


def known() -> list[FileKind]:
    """Returns every declared kind, in the order in which the files must be loaded."""
    autodiscover_modules("loading")
    return KINDS.values()


def get(name: str) -> FileKind:
    """Returns the kind called `name`, like `payments`. Raises `UnknownFileKind`."""
    kinds = {kind.name: kind for kind in known()}
    if name not in kinds:
        raise UnknownFileKind(name=name, known=", ".join(kinds))
    return kinds[name]


def insert_rows(kind: FileKind, *, unless: str = "") -> int:
    """Every new row is in the kind's table, with the model's defaults for the other columns.

    Rows for which the SQL condition `unless` is true are left out. It may ask for `clock.now`.
    Returns how many rows are new.
    """
    named: dict[str, str] = dict(kind.values)
    defaults: list[Any] = []
    for column in kind.model._meta.concrete_fields:
        if column.column is None:
            raise AssertionError("the column is not one of the table")
        if column.column in named or column.primary_key or column.has_db_default():
            continue
        if column.generated:
            continue
        if column.null and not column.has_default():
            continue
        named[column.column] = "%s"
        defaults.append(column.get_db_prep_save(column.get_default(), connection))
    # Without a key the rows are a view. They keep the file's order only if the join keeps it.
    new = "WHERE r.earlier_id IS NULL ORDER BY r.line" if kind.key else ""
    first = ""
    if unless:
        first = "WITH clock AS MATERIALIZED (SELECT winddown_now() AS now) "
        new = f", clock WHERE ({unless}) IS NOT TRUE"
    with connection.cursor() as cursor:
        cursor.execute(
            f"{first}INSERT INTO {kind.model._meta.db_table} ({', '.join(named)})"  # noqa: S608  declared names
            f" SELECT {', '.join(named.values())} FROM {ROWS} r {new}",
            defaults,
        )
        return int(cursor.rowcount)
