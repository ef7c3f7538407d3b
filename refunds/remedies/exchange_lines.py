"""The requests to a card issuer and its answers, one for each line, independent of the file
format."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Protocol

from refunds.remedies.written_dates import day_of, instant_of, plain
from winddown.errors import LoadRefused, says

ANSWER_CODES: Final = frozenset(
    {
        "accepted_debit_stopped",
        "accepted_refunded",
        "already_charged_back",
        "too_late_will_repay",
        "too_late_cannot",
        "cardholder_unknown",
        "declined",
        "need_info",
    }
)
# The longest text that an issuer may write into a note. A note is stored and shown to staff.
NOTE_MAX: Final = 500

# One line of a file: text by column.
Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLine:
    """One request. The fields stand in the order of the columns.

    `merchant_id`, `terminal_id`, `stan` and `eci` are empty where the acquirer did not hand them
    over.
    """

    action_ref: str
    attempt: int
    issuer_code: str
    brand: str
    funding: str
    card_token: str
    bin: str
    last4: str
    transaction_at_local: str
    transaction_at_utc: str
    amount_minor: int
    currency: str
    merchant_id: str = ""
    terminal_id: str = ""
    stan: str = ""
    rrn: str
    auth_code: str
    mti: str = "0200"
    arn: str
    eci: str = ""
    asked_action: str
    answer_by: str
    claim_ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLine:
    """One answer, checked for form. After `line`, its place in the file, the fields stand in the
    order of the columns. `answered_at` is aware."""

    line: int
    action_ref: str
    attempt: int
    issuer_code: str
    amount_minor: int
    currency: str
    answer_code: str
    answered_at: dt.datetime
    statement_on: dt.date | None
    refund_arn: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultyLine:
    """One line of an answer file that is no answer, because of what stands in `column`; of its
    width, if that is empty. Equal lines have equal digests."""

    line: int
    column: str
    digest: str


REQUEST_COLUMNS: Final = tuple(field.name for field in fields(RequestLine))
ANSWER_COLUMNS: Final = tuple(field.name for field in fields(AnswerLine) if field.name != "line")


class Transport(Protocol):
    """One file format of requests and answers. It knows no model and no database.

    The last two methods are the issuer's side: the rehearsal and the tests play issuers with them.
    """

    @property
    def suffix(self) -> str:
        """Returns how the name of a file of this format ends, with its dot."""

    @property
    def encoding(self) -> str:
        """Returns the encoding of a file of this format."""

    def wrote(self, text: str) -> bool:
        """Returns whether `text` is a file of this format."""

    def write_requests(self, lines: Iterable[RequestLine], *, sequence: int) -> str:
        """Returns the request file of this number, with the lines in the order given and their
        control figures.
        """

    def read_answers(
        self, text: str, *, name: str, zone: dt.tzinfo
    ) -> list[AnswerLine | FaultyLine]:
        """Returns every line of the answer file `name`. Times without an offset are of `zone`.

        Raises `LoadRefused` for a file in another form, with the line and the reason, and for one
        whose control figures are of other lines.
        """

    def line_of(self, text: str, number: int) -> str:
        """Returns the line of an answer file as it came, without what follows a line break."""

    def read_requests(self, text: str) -> list[RequestLine]:
        """Returns the lines of a file that `write_requests` wrote."""

    def write_answers(self, lines: Iterable[AnswerLine]) -> str:
        """Returns the file from which `read_answers` reads these lines."""


def control_of(lines: Sequence[RequestLine], sequence: int, *, body: str) -> dict[str, Any]:
    """Returns the control figures of a request file: its number, how many lines, their sum, and the
    SHA-256 of `body`, which holds the lines.
    """
    return {
        "sequence": sequence,
        "rows": len(lines),
        "amount_minor": sum(line.amount_minor for line in lines),
        "sha256": hashlib.sha256(body.encode()).hexdigest(),
    }


def refuse_other_control(
    rows: object, amount_minor: object, lines: Sequence[AnswerLine | FaultyLine], *, name: str
) -> None:
    """Raises `LoadRefused` if an answer file says that it has other lines, as one that was cut off
    does. A figure that is not given is not compared, nor is the sum while a line is not understood.
    """
    readable = [line.amount_minor for line in lines if isinstance(line, AnswerLine)]
    figures = [(rows, len(lines))]
    if len(readable) == len(lines):
        figures.append((amount_minor, sum(readable)))
    if any(given not in (None, "", counted, str(counted)) for given, counted in figures):
        raise LoadRefused(file=name, why=says("the control figures are of other lines"))


def cells_of(line: RequestLine | AnswerLine) -> dict[str, str]:
    """Returns the line as text by column, in the order of the columns."""
    columns = REQUEST_COLUMNS if isinstance(line, RequestLine) else ANSWER_COLUMNS
    return {column: _text(getattr(line, column)) for column in columns}


def _text(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, dt.datetime | dt.date) else str(value)


def request_of(cells: Cells) -> RequestLine:
    """Returns the request of which `cells_of` gives these cells."""
    numbers = {column: int(cells[column]) for column in ("attempt", "amount_minor")}
    texts = {column: cells[column] for column in REQUEST_COLUMNS if column not in numbers}
    return RequestLine(**texts, **numbers)  # type: ignore[arg-type]  # the columns are the fields


def answers_of(
    rows: Iterable[tuple[int, Cells]], *, zone: dt.tzinfo
) -> list[AnswerLine | FaultyLine]:
    """Returns the answers of the numbered rows. Times without an offset are of `zone`."""
    return [_answer(cells, line=line, zone=zone) for line, cells in rows]


def digest_of(cells: Cells) -> str:
    """Returns the SHA-256 of the cells, whatever the order of the columns, as 64 hex digits."""
    text = json.dumps(sorted(cells.items()), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _answer(cells: Cells, *, line: int, zone: dt.tzinfo) -> AnswerLine | FaultyLine:
    read: dict[str, Any] = {}
    column = ""
    try:
        if set(cells) != set(ANSWER_COLUMNS):
            raise ValueError("cells are missing or too many")
        for column in ANSWER_COLUMNS:
            text = cells[column] if column == "note" else plain(cells[column])
            reader = _READERS.get(column)
            read[column] = text if reader is None else reader(text, zone)
    except ValueError:
        return FaultyLine(line=line, column=column, digest=digest_of(cells))
    return AnswerLine(line=line, **read)


def _checked(is_right: Callable[[str], object]) -> Callable[[str, dt.tzinfo], str]:
    """Returns the reader of a cell whose text must be right."""

    def reader(text: str, _zone: dt.tzinfo) -> str:
        if not is_right(text):
            raise ValueError(text[:40])
        return text

    return reader


def _number(text: str, _zone: dt.tzinfo) -> int:
    """Returns the whole number above zero, which may have commas between its thousands."""
    if _NUMBER.fullmatch(text) is None or not (number := int(text.replace(",", ""))):
        raise ValueError(text[:40])
    return number


def _statement_on(text: str, _zone: dt.tzinfo) -> dt.date | None:
    return day_of(text) if text else None


_NUMBER: Final = re.compile(r"[0-9]{1,15}|[0-9]{1,3}(,[0-9]{3}){1,4}")
_READERS: Final[Mapping[str, Callable[[str, dt.tzinfo], object]]] = {
    "action_ref": lambda text, _zone: text.lower(),
    "attempt": _number,
    "amount_minor": _number,
    "answer_code": _checked(ANSWER_CODES.__contains__),
    "answered_at": lambda text, zone: instant_of(text, zone=zone),
    "statement_on": _statement_on,
    "refund_arn": _checked(lambda text: arn_is_sound(text)),
    "note": _checked(lambda text: len(text) <= NOTE_MAX),
}


def arn_is_sound(arn: str) -> bool:
    """Returns whether `arn` is empty or has 8 to 30 digits. Only one of 23 digits has a check digit
    (Luhn), and it must be right."""
    if not arn:
        return True
    if not (arn.isascii() and arn.isdigit() and 8 <= len(arn) <= 30):
        return False
    return len(arn) != 23 or luhn_digit(arn[:-1]) == arn[-1]


def luhn_digit(digits: str) -> str:
    """Returns the check digit that follows `digits`."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)
