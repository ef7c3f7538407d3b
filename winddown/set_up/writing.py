"""Set-up files are written: the example, and what is in force."""

from __future__ import annotations

import datetime as dt
import json
import textwrap
from collections.abc import Iterator
from typing import Any

from winddown.models import Programme
from winddown.set_up.sections import SECTIONS, Row, Section

WIDTH = 98


USUAL = "japan"


def examples() -> list[str]:
    """Returns the jurisdictions that have an example."""
    return sorted({USUAL, *SECTIONS["programme"].other_examples})


def example(jurisdiction: str = USUAL) -> str:
    """Returns a commented set-up file of the jurisdiction that works as it is."""
    lines = [
        "# The programme: `manage.py begin FILE` reads this file. Every value is invented.",
        "# A key with a usual value may be left out.",
    ]
    for name, section in SECTIONS.items():
        for number, row in enumerate(_example_rows(section, jurisdiction)):
            lines += ["", _header(name, section), *_example_keys(section, row, told=number == 0)]
    return "\n".join(lines) + "\n"


def _example_rows(section: Section, jurisdiction: str) -> list[Row]:
    fields = section.form.base_fields
    usual = [
        {
            key: field.initial[number] if isinstance(field.initial, tuple) else field.initial
            for key, field in fields.items()
        }
        for number in range(section.examples)
    ]
    if jurisdiction not in section.other_examples:
        return list(usual)
    return [{**usual[0], **row} for row in section.other_examples[jurisdiction]]


def in_force() -> str:
    """Returns the file that says what is in force. The people of the beginning are not in it."""
    zone = Programme.current().zone
    lines: list[str] = []
    for name, section in SECTIONS.items():
        for row in section.present() if section.present else ():
            lines += [_header(name, section), *_keys(row, zone), ""]
    return "\n".join(lines)


def _header(name: str, section: Section) -> str:
    return f"[[{name}]]" if section.named_by else f"[{name}]"


def _keys(row: Row, zone: dt.tzinfo) -> Iterator[str]:
    for key, value in row.items():
        local = value.astimezone(zone) if isinstance(value, dt.datetime) else value
        yield f"{key} = {_toml(local)}"


def _example_keys(section: Section, row: Row, *, told: bool) -> Iterator[str]:
    for key, field in section.form.base_fields.items():
        if told and field.help_text:
            yield from textwrap.wrap(f"# {field.help_text}", WIDTH, subsequent_indent="# ")
        yield f"{key} = {_toml(row[key])}"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
