"""A set-up file is read: everything that is wrong is found at once."""

from __future__ import annotations

import datetime as dt
import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.forms import (
    CharField,
    ChoiceField,
    DateTimeField,
    Field,
    IntegerField,
    MultipleChoiceField,
)

from winddown import texts
from winddown.errors import WinddownError
from winddown.set_up.sections import SECTIONS, Problem, Row, Rows, Section

BYTES_MAX = 5_000_000
# The reader's work and memory grow with the square of the parts of a key, which dots divide.
DOTS_MAX = 200
# Each is checked for itself, and a person waits for the page meanwhile.
TABLES_MAX = 10_000

_DOTS = re.compile(r"\.{2,}")
# Their forms would take the text of a list for the value.
_ONE_VALUE = (CharField, ChoiceField, DateTimeField, IntegerField)


class NotUnderstood(WinddownError):
    """The set-up file is not in order (places: {places}). Nothing has changed."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = problems
        super().__init__(places=len(problems))


def read(content: bytes) -> Rows:
    """Returns the rows of the TOML file. Raises `NotUnderstood`, which lists all problems."""
    if len(content) > BYTES_MAX:
        raise NotUnderstood([Problem("the file", f"it is larger than {BYTES_MAX:,} bytes")])
    try:
        # Editors of Windows put a mark before UTF-8.
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotUnderstood([Problem("the file", "it is not UTF-8: save it as UTF-8")]) from None
    for number, line in enumerate(text.splitlines(), 1):
        # No key has two dots together, as a line of dots has.
        if line.count(".") > DOTS_MAX and _DOTS.sub("", line).count(".") > DOTS_MAX:
            too_many = f"line {number} has more than {DOTS_MAX} dots"
            raise NotUnderstood([Problem("the file", too_many)])
    try:
        tables = tomllib.loads(text)
    # A number of thousands of digits raises a plain ValueError.
    except (ValueError, RecursionError) as error:
        raise NotUnderstood([Problem("the file", f"it is no TOML: {error}")]) from None
    return rows_of(tables)


def rows_of(tables: Mapping[str, Any]) -> Rows:
    """Returns the rows of the tables. Raises `NotUnderstood`, which lists all problems."""
    problems = [
        Problem(name, _no_such(name, SECTIONS.names(), "table"))
        for name in tables
        if name not in SECTIONS
    ]
    rows: dict[str, list[Row]] = {}
    for name, section in SECTIONS.items():
        own: list[Problem] = []
        rows[name] = list(_read_section(name, section, tables.get(name), own))
        # Rows that are not whole would be compared with the others for nothing.
        problems += own or section.check(rows)
    if problems:
        raise NotUnderstood(problems)
    return rows


def _read_section(
    name: str, section: Section, given: Any, problems: list[Problem]
) -> Iterator[Row]:
    """Yields the rows of a section. What is wrong is added to `problems`."""
    if not section.named_by:
        tables = [] if given is None else [given]
        places, header = [name], f"[{name}]"
    else:
        tables = [] if given is None else given if isinstance(given, list) else [given]
        places, header = (
            [f"{name}[{number}]" for number in range(1, len(tables) + 1)],
            f"[[{name}]]",
        )
    if len(tables) > TABLES_MAX:
        problems.append(Problem(name, f"at most {TABLES_MAX:,} tables are expected"))
        return
    seen: dict[Any, str] = {}
    for place, table in zip(places, tables, strict=False):
        if not isinstance(table, dict):
            problems.append(Problem(place, f"a table {header} is expected"))
            continue
        row = _read_row(place, section, table, problems)
        if row is None:
            continue
        named = row.get(section.named_by)
        if section.named_by and seen.setdefault(named, place) != place:
            problems.append(
                Problem(f"{place}.{section.named_by}", f"{seen[named]} has {named!r} already")
            )
        yield row


def _read_row(
    place: str, section: Section, table: Mapping[str, Any], problems: list[Problem]
) -> Row | None:
    known = section.form.base_fields
    problems += [
        Problem(f"{place}.{key}", _no_such(key, known, "key")) for key in table if key not in known
    ]
    strange = [
        Problem(f"{place}.{key}", expected)
        for key, value in table.items()
        if key in known and (expected := _expected_instead(value, known[key]))
    ]
    if strange:
        problems += strange
        return None
    # A key that is left out keeps its present value, so the form does not read it as empty.
    form = section.form({key: _storable(value) for key, value in table.items()})
    if form.is_valid():
        read = form.cleaned_data
        return {key: read[key] for key in known if key in table and read[key] is not None}
    for key, errors in form.errors.items():
        field = form.fields.get(key)
        expected = f" Expected: {field.help_text}." if field is not None and field.help_text else ""
        where = place if key == NON_FIELD_ERRORS else f"{place}.{key}"
        problems.append(Problem(where, " ".join(map(str, errors)) + expected))
    return None


def _expected_instead(value: Any, field: Field) -> str:
    """Returns what the key takes, where the kind of the value is one that no field of it takes."""
    several = isinstance(field, MultipleChoiceField) or not isinstance(field, _ONE_VALUE)
    match value:
        case list() | dict():
            return "" if several else "one text, number or instant is expected"
        case dt.time() | float() if not (isinstance(value, float) and math.isfinite(value)):
            return "a text, a number or an instant is expected"
    return ""


def _storable(value: Any) -> Any:
    return texts.storable(value) if isinstance(value, str) else value


def _no_such(name: str, known: Any, what: str) -> str:
    return f"There is no {what} of this name. {texts.did_you_mean(name, known)}"
