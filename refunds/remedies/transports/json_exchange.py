"""Requests and answers as JSON: one object with its control figures and a list of lines."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

from refunds.remedies.exchange_lines import (
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
from winddown.errors import says
from winddown.programme import csv_lines


class JsonExchange:
    """The format for an issuer that reads JSON. A line is counted by its place in the list."""

    suffix = ".json"
    encoding = "utf-8"

    def wrote(self, text: str) -> bool:
        return text.lstrip().startswith("{")

    def write_requests(self, lines: Iterable[RequestLine], *, sequence: int) -> str:
        rows = list(lines)
        listed = [cells_of(line) for line in rows]
        return _written({**control_of(rows, sequence, body=_written(listed)), "requests": listed})

    def read_answers(
        self, text: str, *, name: str, zone: dt.tzinfo
    ) -> list[AnswerLine | FaultyLine]:
        whole = _read(text, name=name)
        rows = whole.get("answers")
        if not isinstance(rows, list):
            raise csv_lines.refused(name, 1, says("a list of answers expected"))
        lines = answers_of(((place, _cells(row)) for place, row in enumerate(rows, 1)), zone=zone)
        refuse_other_control(whole.get("rows"), whole.get("amount_minor"), lines, name=name)
        return lines

    def line_of(self, text: str, number: int) -> str:
        return json.dumps(_read(text, name="")["answers"][number - 1], ensure_ascii=False)

    def read_requests(self, text: str) -> list[RequestLine]:
        whole = _read(text, name="requests")
        rows = [request_of(cells) for cells in whole["requests"]]
        control = control_of(rows, whole["sequence"], body=_written(whole["requests"]))
        if control != {key: whole[key] for key in control}:
            raise csv_lines.refused("requests", 1, says("the control figures are of other lines"))
        return rows

    def write_answers(self, lines: Iterable[AnswerLine]) -> str:
        rows = list(lines)
        return _written({"rows": len(rows), "answers": [cells_of(line) for line in rows]})


def _written(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _read(text: str, *, name: str) -> dict[str, Any]:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise csv_lines.refused(name, 1, says("it is no JSON")) from fault
    if not isinstance(whole, dict):
        raise csv_lines.refused(name, 1, says("it is no JSON"))
    return whole


def _cells(row: Any) -> Cells:
    """Returns the row as text by column. What is no row of texts and numbers has no column."""
    if not isinstance(row, dict):
        return {"": json.dumps(row, ensure_ascii=False)}
    return {
        key: "" if value is None else value if isinstance(value, str) else json.dumps(value)
        for key, value in row.items()
    }
