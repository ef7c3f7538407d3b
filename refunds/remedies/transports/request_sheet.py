"""Requests as a page to print, for an issuer that works without files. Its answers are typed at the
desk, or come as CSV."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from refunds.remedies.exchange_lines import (
    REQUEST_COLUMNS,
    RequestLine,
    cells_of,
    control_of,
    request_of,
)
from refunds.remedies.transports.csv_exchange import CsvExchange
from winddown.words import Text

_CELL = re.compile(r"<td>(.*?)</td>", re.DOTALL)


class RequestSheet(CsvExchange):
    """The format for an issuer that reads paper or mail."""

    suffix = ".html"

    def wrote(self, text: str) -> bool:
        return text.startswith("<!DOCTYPE html>")

    def write_requests(self, lines: Iterable[RequestLine], *, sequence: int) -> str:
        rows = list(lines)
        body = "".join(_table(line) for line in rows)
        control = control_of(rows, sequence, body=body)
        figures = "".join(
            f"<li>{_both(name)}: {control[key]}</li>" for key, name in _FIGURES.items()
        )
        title = _both(_("Requests to a card issuer"))
        return (
            f'<!DOCTYPE html>\n<html lang="ja"><head><meta charset="utf-8"><title>{title}</title>'
            "<style>table{border-collapse:collapse;margin:1em 0;break-inside:avoid}"
            "th,td{border:1px solid;padding:.2em .5em;text-align:left}</style></head>\n"
            f"<body><h1>{title}</h1>\n<ul>{figures}</ul>\n{body}</body></html>\n"
        )

    def read_requests(self, text: str) -> list[RequestLine]:
        cells = [html.unescape(cell) for cell in _CELL.findall(text)]
        width = len(REQUEST_COLUMNS)
        return [
            request_of(dict(zip(REQUEST_COLUMNS, cells[first : first + width], strict=True)))
            for first in range(0, len(cells), width)
        ]


_FIGURES: dict[str, Text] = {
    "sequence": _("Number of the file"),
    "rows": _("Requests to issuers"),
    "amount_minor": _("Sum of the requests"),
    "sha256": _("SHA-256 of the tables"),
}


def _table(line: RequestLine) -> str:
    rows = "".join(
        f'<tr><th scope="row">{column}</th><td>{html.escape(cell)}</td></tr>'
        for column, cell in cells_of(line).items()
    )
    answer = _both(_("Answer, day and signature"))
    foot = f"<tfoot><tr><th>{answer}</th><th></th></tr></tfoot>"
    return f"<table><tbody>{rows}</tbody>{foot}</table>\n"


def _both(text: Text) -> str:
    """Returns the text in both languages, whatever the language of who makes the file."""
    said = []
    for language in ("ja", "en"):
        with translation.override(language):
            said.append(html.escape(str(text)))
    return " / ".join(said)
