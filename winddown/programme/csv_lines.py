"""A small file that staff hand over: UTF-8 CSV under a line with the names of its columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from winddown.errors import LoadRefused, says
from winddown.programme.evidence_files import File


def read(file: File, columns: Sequence[str], *, most: int) -> list[tuple[int, list[str]]]:
    """Returns the number and the cells of each line after the first. The first line has number 1.

    Raises `LoadRefused` with the line for a file in another form, and for more than `most` lines.
    """
    try:
        rows = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig")), strict=True))
    except (UnicodeDecodeError, csv.Error) as fault:
        raise refused(file.name, 1, says("it is no CSV file in UTF-8")) from fault
    if not rows or tuple(rows[0]) != tuple(columns):
        raise refused(file.name, 1, says("the columns {names} expected", names=",".join(columns)))
    if len(rows) > most + 1:
        raise refused(file.name, most + 2, says("at most {most} lines", most=most))
    lines = list(enumerate(rows[1:], start=2))
    for number, cells in lines:
        if len(cells) != len(columns):
            raise refused(file.name, number, says("{number} cells expected", number=len(columns)))
    return lines


def refused(name: str, number: int, why: str) -> LoadRefused:
    """Returns the refusal of the file `name` for its line `number`."""
    return LoadRefused(file=name, why=says("line {number}: {why}", number=number, why=why))
