"""A small file that staff or a partner hands over: CSV under a line with the names of its columns.

It is UTF-8, with or without a byte order mark, or Shift_JIS as Windows writes it. Blank lines count
for nothing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from winddown.errors import LoadRefused, says
from winddown.programme.evidence_files import File

# UTF-8 first: text of the second is hardly ever UTF-8 by accident.
ENCODINGS = ("utf-8-sig", "cp932")
# A NUL, and what Python makes of the bytes that CP932 leaves undefined.
_NO_TEXT = frozenset("\x00\uf8f0\uf8f1\uf8f2\uf8f3")


def text_of(file: File) -> str:
    """Returns the text of the file. Raises `LoadRefused` for another encoding, and for what no text
    has, such as a NUL.
    """
    for encoding in ENCODINGS:
        try:
            text = file.content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _NO_TEXT.isdisjoint(text):
            return text
    raise refused(file.name, 1, says("it is no text in UTF-8 or Shift_JIS"))


def records(text: str, *, name: str) -> Iterator[tuple[int, list[str]]]:
    """Returns the number of the first line and the cells of each record that is not blank. The first
    line of the file has number 1.

    Raises `LoadRefused` at a record that is no CSV, such as one whose quotation mark stays open.
    """
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    first = 1
    try:
        for cells in rows:
            if any(cell.strip() for cell in cells):
                yield first, cells
            first = rows.line_num + 1
    except csv.Error as fault:
        raise refused(name, first, says("it is no CSV")) from fault


def read(file: File, columns: Sequence[str], *, most: int) -> list[tuple[int, list[str]]]:
    """Returns the number and the cells of each line after the first one.

    Raises `LoadRefused` with the line for a file in another form, and for more than `most` lines.
    """
    (_, header), *lines = list(records(text_of(file), name=file.name)) or [(1, [])]
    if tuple(header) != tuple(columns):
        raise refused(file.name, 1, says("the columns {names} expected", names=",".join(columns)))
    if len(lines) > most:
        raise refused(file.name, lines[most][0], says("at most {most} lines", most=most))
    for number, cells in lines:
        if len(cells) != len(columns):
            raise refused(file.name, number, says("{number} cells expected", number=len(columns)))
    return lines


def refused(name: str, number: int, why: str) -> LoadRefused:
    """Returns the refusal of the file `name` for its line `number`."""
    return LoadRefused(file=name, why=says("line {number}: {why}", number=number, why=why))
