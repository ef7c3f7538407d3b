"""Sections of a set-up file: each app registers those that it owns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms

from winddown.actors import Actor
from winddown.registries import Registry

Row = Mapping[str, Any]
"""The values of one table of the file by key, as its form read them."""

Rows = Mapping[str, Sequence[Row]]
"""The rows of each section of a file."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at one place of the file, and what is expected there."""

    place: str
    why: str

    def __str__(self) -> str:
        return f"{self.place}: {self.why}"


class RowForm(forms.Form):
    """The keys of one table. The example prints the `initial` of each field, and its `help_text` as
    a comment.
    """


@dataclass(frozen=True, slots=True)
class Section:
    """One table of the file, or a list of tables that have a name each."""

    form: type[RowForm]
    adopt: Callable[[Sequence[Row], Actor, str], Sequence[str]]
    """The rows are in force; returns sentences about what comes next."""
    present: Callable[[], Sequence[Row]] | None
    """Returns the rows that are in force. None: the section counts at the beginning only."""
    again: Callable[[Sequence[Row]], Sequence[str]] = lambda _rows: ()
    """Does what is still owed to the rows of the beginning, and returns sentences about it."""
    named_by: str = ""
    """The key that names a row of a list; empty for a single table."""
    rows_min: int = 0
    fixed: frozenset[str] = frozenset()
    """The keys that nobody changes after the beginning."""
    check: Callable[[Rows], Sequence[Problem]] = lambda _rows: ()
    """Returns what is wrong with the rows together, or beside the rows of other sections."""
    examples: int = 1
    """How many tables the example has."""
    other_examples: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    """By jurisdiction: the tables of its example, where they differ. Keys that they leave out are as
    in the usual example; without a table the section is left out.
    """


SECTIONS: Registry[Section] = Registry(
    "sections of the set-up file",
    entries_are="by the name of the table: how its rows are read, compared and put in force",
    owner=__name__,
)
