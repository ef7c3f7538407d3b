"""CSV from outside: rows of a fixed list of columns in UTF-8, read as a stream."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.sources import BLOCK_BYTES, Opened

CELL_MAX: Final = 500
LINE_BYTES_MAX: Final = 8_192
_NUL: Final = "\x00"


def rows(opened: Opened, *, columns: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    """Yields (row number from 2, cells) behind the row that names the columns.

    A byte order mark is passed over. Lines end in CR LF or LF, and the last one may lack its end.
    No cell spans lines, and none is longer than `CELL_MAX`. A row has as many cells as there are
    columns. Raises `BankFileError` with row and column.
    """
    lines = enumerate(_lines(opened), start=1)
    _, first = next(lines, (1, b""))
    if tuple(_cells(first.removeprefix(codecs.BOM_UTF8), number=1)) != columns:
        raise BankFileError(f"the columns {','.join(columns)} expected", record=1, position=1)
    for number, line in lines:
        cells = _cells(line, number=number)
        if len(cells) != len(columns):
            raise BankFileError(
                f"{len(columns)} cells expected, {len(cells)} found", record=number, position=1
            )
        yield number, cells


def _lines(opened: Opened) -> Iterator[bytes]:
    """Yields the lines without their ends."""
    waiting, number = b"", 0
    while block := opened.read(BLOCK_BYTES):
        *whole, waiting = (waiting + block).split(b"\n")
        for line in whole:
            number += 1
            yield _checked(line, number=number)
        _checked(waiting, number=number + 1)
    if waiting:
        yield _checked(waiting, number=number + 1)


def _checked(line: bytes, *, number: int) -> bytes:
    if len(line) > LINE_BYTES_MAX:
        raise BankFileError(f"a line of at most {LINE_BYTES_MAX:,} bytes expected", record=number)
    return line.removesuffix(b"\r")


def _cells(line: bytes, *, number: int) -> list[str]:
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise BankFileError(
            "text in UTF-8 expected", record=number, position=error.start + 1
        ) from None
    if _NUL in text or "\r" in text:
        raise BankFileError("no NUL and no CR inside a line expected", record=number, position=1)
    try:
        # One line at a time, so a quote that is not closed never takes in the rest of the file.
        cells = next(csv.reader([text], strict=True), [])
    except csv.Error:
        raise BankFileError(
            "a quote is not closed, or stands inside a cell", record=number
        ) from None
    for position, cell in enumerate(cells, start=1):
        if len(cell) > CELL_MAX:
            raise BankFileError(
                f"at most {CELL_MAX} characters expected", record=number, position=position
            )
    return cells


def plain_day(text: str, *, record: int, position: int) -> date:
    """Returns the day that is written as YYYY-MM-DD."""
    try:
        return date.fromisoformat(text if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else "")
    except ValueError:
        raise BankFileError(
            "a day as YYYY-MM-DD expected", record=record, position=position
        ) from None
