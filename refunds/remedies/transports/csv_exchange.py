"""Requests and answers as CSV: a header row, then one row per request. We write UTF-8 with CRLF, and
read what `csv_lines` reads, with the columns in any order."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator
from itertools import zip_longest

from refunds.remedies.exchange_lines import (
    ANSWER_COLUMNS,
    REQUEST_COLUMNS,
    AnswerLine,
    Cells,
    FaultyLine,
    RequestLine,
    answers_of,
    cells_of,
    request_of,
)
from winddown.errors import says
from winddown.programme import csv_lines


class CsvExchange:
    """The format for an issuer that names no other."""

    suffix = ".csv"
    encoding = "utf-8"

    def write_requests(self, lines: Iterable[RequestLine]) -> str:
        return _written(REQUEST_COLUMNS, lines)

    def read_answers(
        self, text: str, *, name: str, zone: dt.tzinfo
    ) -> list[AnswerLine | FaultyLine]:
        return answers_of(_rows(text, name=name), zone=zone)

    def read_requests(self, text: str) -> list[RequestLine]:
        return [request_of(row) for row in csv.DictReader(io.StringIO(text, newline=""))]

    def write_answers(self, lines: Iterable[AnswerLine]) -> str:
        return _written(ANSWER_COLUMNS, lines)


def _written(columns: tuple[str, ...], lines: Iterable[RequestLine | AnswerLine]) -> str:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(cells_of(line) for line in lines)
    return out.getvalue()


def _rows(text: str, *, name: str) -> Iterator[tuple[int, Cells]]:
    """Returns each row with the number of its line; the header is line 1."""
    records = csv_lines.records(text, name=name)
    line, header = next(records, (1, []))
    names = [cell.strip() for cell in _trimmed(header, 0)]
    if sorted(names) != sorted(ANSWER_COLUMNS):
        expected = says("the columns {names} expected", names=",".join(ANSWER_COLUMNS))
        raise csv_lines.refused(name, line, expected)
    for line, row in records:
        cells = _trimmed(row, len(names))
        # A cell too many has no column, so the line is no answer.
        yield line, dict(zip_longest(names[: len(cells)], cells, fillvalue=""))


def _trimmed(cells: list[str], least: int) -> list[str]:
    """Returns the cells without the empty ones that a spreadsheet writes behind the last column."""
    while len(cells) > least and not cells[-1].strip():
        cells = cells[:-1]
    return cells
