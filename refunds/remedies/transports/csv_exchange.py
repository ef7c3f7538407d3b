"""Requests and answers as CSV: a header row, one row per request, and a control row with the number
of the file, how many rows, their sum, and the SHA-256 of all before it. We write UTF-8 with CRLF, and
read what `csv_lines` reads, with the columns in any order and with or without a control row."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable
from itertools import zip_longest
from typing import Final

from refunds.remedies.exchange_lines import (
    ANSWER_COLUMNS,
    REQUEST_COLUMNS,
    AnswerLine,
    Cells,
    FaultyLine,
    RequestLine,
    answers_of,
    cells_of,
    control_of,
    refuse_other_control,
    request_of,
)
from refunds.remedies.written_dates import plain
from winddown.errors import says
from winddown.programme import csv_lines

CONTROL: Final = "control"


class CsvExchange:
    """The format for an issuer that names no other."""

    suffix = ".csv"
    encoding = "utf-8"

    def wrote(self, text: str) -> bool:
        return text.startswith(REQUEST_COLUMNS[0])

    def write_requests(self, lines: Iterable[RequestLine], *, sequence: int) -> str:
        rows = list(lines)
        body = _written(REQUEST_COLUMNS, rows)
        figures = control_of(rows, sequence, body=body).values()
        return f"{body}{','.join([CONTROL, *map(str, figures)])}\r\n"

    def read_answers(
        self, text: str, *, name: str, zone: dt.tzinfo
    ) -> list[AnswerLine | FaultyLine]:
        rows, control = _rows(text, name=name)
        lines = answers_of(rows, zone=zone)
        refuse_other_control(control[0], control[1], lines, name=name)
        return lines

    def line_of(self, text: str, number: int) -> str:
        lines = re.split("\r\n|\r|\n", text)
        return lines[number - 1] if number <= len(lines) else ""

    def read_requests(self, text: str) -> list[RequestLine]:
        body, control = text[: text.rindex(f"{CONTROL},")], text[text.rindex(f"{CONTROL},") :]
        rows = [request_of(row) for row in csv.DictReader(io.StringIO(body, newline=""))]
        figures = control_of(rows, int(control.split(",")[1]), body=body).values()
        if control.rstrip() != ",".join([CONTROL, *map(str, figures)]):
            raise csv_lines.refused("requests", 1, says("the control figures are of other lines"))
        return rows

    def write_answers(self, lines: Iterable[AnswerLine]) -> str:
        return _written(ANSWER_COLUMNS, lines)


def _written(columns: tuple[str, ...], lines: Iterable[RequestLine | AnswerLine]) -> str:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(cells_of(line) for line in lines)
    return out.getvalue()


def _rows(text: str, *, name: str) -> tuple[list[tuple[int, Cells]], list[str]]:
    """Returns each row with the number of its line, of which the header is line 1, and how many rows
    and which sum a control row names.
    """
    (line, header), *records = list(csv_lines.records(text, name=name)) or [(1, [])]
    names = [cell.strip() for cell in _trimmed(header, 0)]
    if sorted(names) != sorted(ANSWER_COLUMNS):
        expected = says("the columns {names} expected", names=",".join(ANSWER_COLUMNS))
        raise csv_lines.refused(name, line, expected)
    control = ["", ""]
    if records and plain(records[-1][1][0]).lower() == CONTROL:
        control = [plain(cell) for cell in (*records.pop()[1][2:4], "", "")][:2]
    rows: list[tuple[int, Cells]] = []
    for line, row in records:
        cells = _trimmed(row, len(names))
        # A cell too many has no column, so the line is no answer.
        rows.append((line, dict(zip_longest(names[: len(cells)], cells, fillvalue=""))))
    return rows, control


def _trimmed(cells: list[str], least: int) -> list[str]:
    """Returns the cells without the empty ones that a spreadsheet writes behind the last column."""
    while len(cells) > least and not cells[-1].strip():
        cells = cells[:-1]
    return cells
