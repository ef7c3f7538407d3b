"""The kinds of files that are taken in: each declares its columns, its rules and how its rows are recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, models
from django.utils.module_loading import autodiscover_modules

from winddown.errors import WinddownError

# The two temporary tables of a load: the text as it came, and the typed rows with what they refer to.
STAGED = "load_staged"
ROWS = "load_rows"
REFUSED = "load_refused"

INSTANT = (
    r"^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$"
)
# Where the pattern lets a 31st through that the month does not have; evaluated for days after the 28th only.
LAST_DAYS = (
    "(substr({0}, 9, 2) <= '28' OR substr({0}, 9, 2)::integer <= date_part('day',"
    " make_date(substr({0}, 1, 4)::integer, substr({0}, 6, 2)::integer, 1) + interval '1 month -1 day'))"
)


class UnknownFileKind(WinddownError):
    """There is no kind of file {name}; known are {known}."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A column that names a row of `table` by its `key`; `also` columns of that row are at hand for the rules."""

    table: str
    key: str
    name: str
    says: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file. In the SQL of its rules, `{0}` stands for the text as it came.

    `good` holds for every acceptable value; `faults` say, most particular first, what is wrong with any other.
    """

    name: str
    meaning: str
    form: str
    required: bool = True
    good: str = ""
    faults: tuple[tuple[str, str], ...] = ()
    typed: str = "{0}"
    is_instant: bool = False
    refers: Reference | None = None

    @property
    def bad(self) -> str:
        """SQL over the staged row: the value cannot be taken."""
        text = f"s.{self.name}"
        rule = self.good.format(text)
        if self.required:
            return f"({rule}) IS NOT TRUE" if rule else f"{text} IS NULL"
        return f"({text} IS NOT NULL AND ({rule}) IS NOT TRUE)" if rule else "false"

    @property
    def fault(self) -> str:
        """SQL over the staged row: the reason why it cannot be taken, or NULL."""
        text = f"s.{self.name}"
        cases = "".join(
            f" WHEN {condition.format(text)} THEN {_quoted(reason)}"
            for condition, reason in self.faults
        )
        empty = f"WHEN {text} IS NULL THEN 'is empty; it must have a value'" if self.required else ""
        return f"CASE WHEN NOT ({self.bad}) THEN NULL {empty}{cases} ELSE 'is not {self.form}' END"


def text(name: str, meaning: str, *, length_max: int, required: bool = True) -> Column:
    """Any text; an empty optional one is stored as empty text."""
    return Column(
        name,
        meaning,
        form=f"text of at most {length_max} characters",
        required=required,
        good=f"length({{0}}) <= {length_max}",
        faults=(("true", f"is longer than {length_max} characters"),),
        typed="{0}" if required else "coalesce({0}, '')",
    )


def ref(name: str, meaning: str, *, length_max: int = 64) -> Column:
    """The core system's own unique key of the row."""
    return Column(
        name,
        meaning,
        form=f"a unique key of at most {length_max} characters",
        good=f"length({{0}}) <= {length_max} AND {{0}} = btrim({{0}})",
        faults=(
            ("{0} <> btrim({0})", "begins or ends with a blank"),
            ("true", f"is longer than {length_max} characters"),
        ),
    )


def matching(
    name: str, meaning: str, *, form: str, pattern: str, required: bool = True, typed: str = "{0}"
) -> Column:
    """Text that a regular expression describes."""
    return Column(
        name,
        meaning,
        form=form,
        required=required,
        good=f"{{0}} ~ {_quoted(pattern).replace('{', '{{').replace('}', '}}')}",
        typed=typed if required else f"coalesce({typed}, '')",
    )


def amount(name: str, meaning: str) -> Column:
    """A positive amount of money in whole minor units."""
    return Column(
        name,
        meaning,
        form="a whole number of minor units above zero, in digits only",
        good="{0} ~ '^0{{0,3}}[1-9][0-9]{{0,14}}$'",
        faults=(
            ("{0} ~ '^-[0-9]+$'", "is negative; a file brings positive amounts only"),
            ("{0} ~ '^0+$'", "is zero; a movement moves at least one minor unit"),
            ("{0} ~ '^[0-9]+$'", "is larger than any amount can be (at most 15 digits)"),
        ),
        typed="{0}::bigint",
    )


def instant(name: str, meaning: str, *, required: bool = True) -> Column:
    """A time with its offset from UTC, not in the future."""
    shape = f"{{0}} ~ '{INSTANT.replace('{', '{{').replace('}', '}}')}'"
    return Column(
        name,
        meaning,
        form="a time with offset like 2019-07-01T09:30:00+09:00",
        required=required,
        good=f"CASE WHEN {shape} THEN {LAST_DAYS} END",
        faults=(
            (
                "{0} ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[T ][0-9:.]+$'",
                "has no offset from UTC; write it like 2019-07-01T09:30:00+09:00",
            ),
            (shape, "is a day that its month does not have"),
        ),
        typed="{0}::timestamptz",
        is_instant=True,
    )


def choice(name: str, meaning: str, *, options: tuple[str, ...]) -> Column:
    """One of a few words."""
    listed = ", ".join(options)
    allowed = ", ".join(_quoted(option) for option in options)
    return Column(name, meaning, form=f"one of: {listed}", good=f"{{0}} IN ({allowed})")


def reference(name: str, meaning: str, to: Reference, *, required: bool = True) -> Column:
    """The key of a row that an earlier file brought."""
    return Column(name, meaning, form=to.says, required=required, refers=to)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule over the typed rows: `breach` is SQL over a new row `r`, `reason` is SQL that makes the sentence."""

    column: str
    breach: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unique:
    """No two rows share `columns` of the typed row, in the file or with the database; `shown` is the file's column."""

    columns: tuple[str, ...]
    shown: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKind:
    """One kind of file.

    `columns` in the documented order. `key` names the column that identifies a row, here and in `model`; a kind without
    one (events) knows repetitions by the file's SHA-256 alone. `compared` maps a typed column to the SQL of the value
    that the row `e` of the database brought when it was loaded: where one differs, the file's row is refused.
    `before` runs before the rows are read against the database and takes the locks. `judge` adds refusals that need more
    than one row. `record` writes the new rows, at the end, and returns how many; without it `values` (column of the
    model -> SQL over the typed row `r`) are inserted.
    """

    name: str
    title: str
    model: type[models.Model]
    columns: tuple[Column, ...]
    key: str = ""
    compared: dict[str, str] = field(default_factory=dict)
    uniques: tuple[Unique, ...] = ()
    rules: tuple[Rule, ...] = ()
    no_card_numbers_in: tuple[str, ...] = ()
    values: dict[str, str] = field(default_factory=dict)
    before: Callable[[], None] | None = None
    judge: Callable[[], None] | None = None
    record: Callable[[Any, Callable[[int, int], None]], int] | None = None

    @property
    def amount(self) -> str:
        """The column that control sums add up, or empty."""
        return next((column.name for column in self.columns if column.name == "amount_minor"), "")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def described(self) -> str:
        """The columns as a Markdown table, for the documentation and `--columns`."""
        lines = ["| column | must be | required | meaning |", "|---|---|---|---|"]
        for column in self.columns:
            required = "yes" if column.required else "no"
            lines.append(f"| `{column.name}` | {column.form} | {required} | {column.meaning} |")
        return "\n".join(lines)


_KINDS: dict[str, FileKind] = {}


def declare(kind: FileKind) -> FileKind:
    """Files of this kind can be loaded; two kinds of one name are a mistake."""
    assert kind.name not in _KINDS, kind.name
    _KINDS[kind.name] = kind
    return kind


def known() -> list[FileKind]:
    """Every declared kind, in the order in which the files must be loaded."""
    autodiscover_modules("loading")
    return list(_KINDS.values())


def get(name: str) -> FileKind:
    """The kind called `name`, like `payments`. Raises `UnknownFileKind`."""
    kinds = {kind.name: kind for kind in known()}
    if name not in kinds:
        raise UnknownFileKind(name=name, known=", ".join(kinds))
    return kinds[name]


def insert_rows(kind: FileKind) -> int:
    """Every new typed row is a row of the kind's model; what the file does not say gets the model's default."""
    named = dict(kind.values)
    defaults: list[Any] = []
    for column in kind.model._meta.concrete_fields:
        if column.column in named or column.primary_key or column.has_db_default():
            continue
        if column.null and not column.has_default():
            continue
        named[column.column] = "%s"
        defaults.append(column.get_db_prep_save(column.get_default(), connection))
    new = "WHERE r.earlier_id IS NULL" if kind.key else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {kind.model._meta.db_table} ({', '.join(named)})"  # noqa: S608  declared names
            f" SELECT {', '.join(named.values())} FROM {ROWS} r {new} ORDER BY r.line",
            defaults,
        )
        return int(cursor.rowcount)
