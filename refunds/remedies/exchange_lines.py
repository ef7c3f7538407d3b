"""The requests to a card issuer and its answers, one for each line, independent of the file
format."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Final, Protocol

from winddown.errors import LoadRefused

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
    order of the columns."""

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

    def write_requests(self, lines: Iterable[RequestLine]) -> str:
        """Returns the request file, with the lines in the order given."""

    def read_answers(self, text: str, *, name: str) -> list[AnswerLine]:
        """Returns every line of the answer file `name`.

        Raises `LoadRefused` for the whole file, with the line and the reason.
        """

    def read_requests(self, text: str) -> list[RequestLine]:
        """Returns the lines of a file that `write_requests` wrote."""

    def write_answers(self, lines: Iterable[AnswerLine]) -> str:
        """Returns the file from which `read_answers` reads these lines."""


def text_of(content: bytes, transport: Transport, *, name: str) -> str:
    """Returns the text of an imported file, without a byte order mark. Raises `LoadRefused`."""
    try:
        text = content.decode(transport.encoding)
    except UnicodeDecodeError as error:
        encoding = transport.encoding.upper()
        raise LoadRefused(file=name, why=f"byte {error.start} is not {encoding}") from error
    if "\x00" in text:
        raise LoadRefused(file=name, why="it contains a NUL character")
    return text.removeprefix("\ufeff")


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


def answers_of(rows: Iterable[tuple[int, Cells]], *, name: str) -> list[AnswerLine]:
    """Returns the answers of the numbered rows of the file `name`.

    Raises `LoadRefused` for the first row that is no answer. Raises it also for two rows about the
    same request, because their order would decide.
    """
    answers: list[AnswerLine] = []
    seen: dict[str, int] = {}
    for line, cells in rows:
        answer = _answer(cells, line=line, name=name)
        if answer.action_ref in seen:
            raise LoadRefused(
                file=name,
                why=f"lines {seen[answer.action_ref]} and {line} answer the same request",
            )
        seen[answer.action_ref] = line
        answers.append(answer)
    return answers


def _answer(cells: Cells, *, line: int, name: str) -> AnswerLine:
    if set(cells) != set(ANSWER_COLUMNS):
        raise LoadRefused(
            file=name, why=f"line {line}: the columns must be {','.join(ANSWER_COLUMNS)}"
        )
    column = "answer_code"
    try:
        if cells["answer_code"] not in ANSWER_CODES:
            raise ValueError(f"{cells['answer_code'][:40]!r} is no answer")
        column = "attempt"
        attempt = int(cells["attempt"])
        column = "amount_minor"
        amount = int(cells["amount_minor"])
        if amount <= 0:
            raise ValueError("the amount must be positive")
        column = "answered_at"
        answered_at = dt.datetime.fromisoformat(cells["answered_at"])
        if answered_at.tzinfo is None:
            raise ValueError("the time needs its offset")
        column = "statement_on"
        statement = cells["statement_on"]
        statement_on = dt.date.fromisoformat(statement) if statement else None
        column = "refund_arn"
        if not arn_is_sound(cells["refund_arn"]):
            raise ValueError("its check digit is wrong")
        column = "note"
        if len(cells["note"]) > NOTE_MAX:
            raise ValueError(f"it is longer than {NOTE_MAX} characters")
    except ValueError as error:
        raise LoadRefused(file=name, why=f"line {line}, {column}: {error}") from error
    return AnswerLine(
        line=line,
        action_ref=cells["action_ref"],
        attempt=attempt,
        issuer_code=cells["issuer_code"],
        amount_minor=amount,
        currency=cells["currency"],
        answer_code=cells["answer_code"],
        answered_at=answered_at,
        statement_on=statement_on,
        refund_arn=cells["refund_arn"],
        note=cells["note"],
    )


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
