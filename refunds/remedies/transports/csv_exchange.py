"""Requests and answers as CSV: UTF-8 text, CRLF, a header row, one row per request."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from refunds.remedies.exchange_lines import (
    ANSWER_COLUMNS,
    REQUEST_COLUMNS,
    AnswerLine,
    Cells,
    RequestLine,
    answers_of,
    cells_of,
    request_of,
)
from winddown.errors import LoadRefused


class CsvExchange:
    """The format for an issuer that names no other."""

    suffix = ".csv"
    encoding = "utf-8"

    def write_requests(self, lines: Iterable[RequestLine]) -> str:
        return _written(REQUEST_COLUMNS, lines)

    def read_answers(self, text: str, *, name: str) -> list[AnswerLine]:
        return answers_of(_rows(text, name=name), name=name)

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
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        if tuple(next(rows, [])) != ANSWER_COLUMNS:
            raise LoadRefused(file=name, why=f"the columns must be {','.join(ANSWER_COLUMNS)}")
        for row in rows:
            if len(row) != len(ANSWER_COLUMNS):
                raise LoadRefused(
                    file=name,
                    why=f"line {rows.line_num}: {len(row)} columns,"
                    f" {len(ANSWER_COLUMNS)} are needed",
                )
            yield rows.line_num, dict(zip(ANSWER_COLUMNS, row, strict=True))
    except csv.Error as error:
        raise LoadRefused(file=name, why=f"line {rows.line_num}: {error}") from error
