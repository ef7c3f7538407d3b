"""Files of letters to print: each letter is in one file, and a file can be had again."""

from __future__ import annotations

from typing import Any

from django.db.models import Max, QuerySet
from django.template.loader import render_to_string

from winddown.errors import GuardNotMet, says
from winddown.models import Programme
from winddown.programme import publications
from winddown.programme.evidence_files import File

ROWS_MAX = 2_000
LANGUAGES = ("ja", "en")


def filed(
    letters: QuerySet[Any], *, waiting: QuerySet[Any], number: int | None
) -> tuple[int, QuerySet[Any]]:
    """The next of the `waiting` letters are in a file, in the transaction of the caller, who holds
    the lock of the letters. Returns the number of the file and its letters in their order.

    With `number` that file is returned again, and nothing changes. Raises `GuardNotMet` when no
    letter waits, or the file does not exist.
    """
    file = number
    if file is None:
        last = letters.aggregate(last=Max("letter_file"))["last"] or 0
        file = int(last) + 1
        next_ones = waiting.order_by("pk").values_list("pk", flat=True)[:ROWS_MAX]
        letters.filter(pk__in=list(next_ones)).update(letter_file=file)
    found = letters.filter(letter_file=file).order_by("pk")
    if not found.exists():
        why = (
            says("no letter waits")
            if number is None
            else says("there is no file {number}", number=number)
        )
        raise GuardNotMet(action=says("export the letters"), why=why)
    return file, found


def printable(name: str, template: str, **shown: Any) -> File:
    """Returns the file with a sheet for each letter, as `template` lays it out."""
    text = render_to_string(
        template,
        {
            "programme": Programme.current(),
            "notice": publications.newest_notice(),
            "languages": LANGUAGES,
            **shown,
        },
    )
    return File(name=name, content=text.encode())
