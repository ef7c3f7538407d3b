"""The issuer file exchange: asks go out and answers come back as CSV, one line per action."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable
from dataclasses import dataclass, fields

from winddown.errors import LoadRefused

ASK_COLUMNS = (
    "action_ref",
    "attempt",
    "issuer_code",
    "brand",
    "funding",
    "card_token",
    "bin",
    "last4",
    "transaction_at_local",
    "transaction_at_utc",
    "amount_minor",
    "currency",
    "merchant_id",
    "terminal_id",
    "stan",
    "rrn",
    "auth_code",
    "mti",
    "arn",
    "eci",
    "asked_action",
    "answer_by",
    "claim_ref",
)
ANSWER_COLUMNS = (
    "action_ref",
    "attempt",
    "issuer_code",
    "amount_minor",
    "currency",
    "answer_code",
    "answered_at",
    "statement_on",
    "refund_arn",
    "note",
)
ANSWER_CODES = frozenset(
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
# The longest text that an issuer may write into a note; a note is shown to staff and stored.
NOTE_MAX = 500


@dataclass(frozen=True, slots=True)
class AskLine:
    """One ask. `merchant_id` to `eci` are empty where the acquirer did not hand them over."""

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
    rrn: str
    auth_code: str
    arn: str
    asked_action: str
    answer_by: str
    claim_ref: str
    merchant_id: str = ""
    terminal_id: str = ""
    stan: str = ""
    mti: str = "0200"
    eci: str = ""


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """One answer, checked for form: `line` counts from the header's line 1."""

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


def write_asks(lines: Iterable[AskLine]) -> str:
    """The ask file: UTF-8 text with CRLF, a header row, one row per ask in the order given."""
    names = {field.name for field in fields(AskLine)}
    assert names == set(ASK_COLUMNS), "the columns and the line agree"
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(ASK_COLUMNS)
    for line in lines:
        writer.writerow([getattr(line, column) for column in ASK_COLUMNS])
    return out.getvalue()


def read_answers(content: bytes, *, name: str) -> list[AnswerLine]:
    """Every line of the answer file, understood; raises `LoadRefused` with the line and the reason
    for the whole file.

    UTF-8 with or without a byte order mark. Two lines about the same action are refused: the second
    would decide by its place.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LoadRefused(file=name, why=f"byte {error.start} is not UTF-8") from error
    if "\x00" in text:
        raise LoadRefused(file=name, why="it contains a NUL character")
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    answers: list[AnswerLine] = []
    seen: dict[str, int] = {}
    try:
        header = next(rows, [])
        if tuple(header) != ANSWER_COLUMNS:
            raise LoadRefused(file=name, why=f"the columns must be {','.join(ANSWER_COLUMNS)}")
        for row in rows:
            answer = _answer(row, line=rows.line_num, name=name)
            if answer.action_ref in seen:
                raise LoadRefused(
                    file=name,
                    why=f"lines {seen[answer.action_ref]} and {answer.line} answer the same ask",
                )
            seen[answer.action_ref] = answer.line
            answers.append(answer)
    except csv.Error as error:
        raise LoadRefused(file=name, why=f"line {rows.line_num}: {error}") from error
    return answers


def _answer(row: list[str], *, line: int, name: str) -> AnswerLine:
    if len(row) != len(ANSWER_COLUMNS):
        raise LoadRefused(
            file=name, why=f"line {line}: {len(row)} columns, {len(ANSWER_COLUMNS)} are needed"
        )
    cell = dict(zip(ANSWER_COLUMNS, row, strict=True))
    column = "answer_code"
    try:
        if cell["answer_code"] not in ANSWER_CODES:
            raise ValueError(f"{cell['answer_code'][:40]!r} is no answer")
        column = "attempt"
        attempt = int(cell["attempt"])
        column = "amount_minor"
        amount = int(cell["amount_minor"])
        if amount <= 0:
            raise ValueError("the amount must be positive")
        column = "answered_at"
        answered_at = dt.datetime.fromisoformat(cell["answered_at"])
        if answered_at.tzinfo is None:
            raise ValueError("the time needs its offset")
        column = "statement_on"
        statement = cell["statement_on"]
        statement_on = dt.date.fromisoformat(statement) if statement else None
        column = "refund_arn"
        if not arn_is_sound(cell["refund_arn"]):
            raise ValueError("its check digit is wrong")
        column = "note"
        if len(cell["note"]) > NOTE_MAX:
            raise ValueError(f"it is longer than {NOTE_MAX} characters")
    except ValueError as error:
        raise LoadRefused(file=name, why=f"line {line}, {column}: {error}") from error
    return AnswerLine(
        line=line,
        action_ref=cell["action_ref"],
        attempt=attempt,
        issuer_code=cell["issuer_code"],
        amount_minor=amount,
        currency=cell["currency"],
        answer_code=cell["answer_code"],
        answered_at=answered_at,
        statement_on=statement_on,
        refund_arn=cell["refund_arn"],
        note=cell["note"],
    )


def write_answers(lines: Iterable[AnswerLine]) -> bytes:
    """The answer file as an issuer writes it; the counterpart of `read_answers`."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(ANSWER_COLUMNS)
    for line in lines:
        values = [getattr(line, column) for column in ANSWER_COLUMNS]
        writer.writerow([_text(value) for value in values])
    return out.getvalue().encode()


def _text(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return value


def read_asks(content: bytes) -> list[dict[str, str]]:
    """The rows of an ask file, by column: what an issuer's side reads."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


def arn_is_sound(arn: str) -> bool:
    """Empty, or 8 to 30 digits; only one of 23 digits has a check digit (Luhn), and it must be
    right."""
    if not arn:
        return True
    if not (arn.isascii() and arn.isdigit() and 8 <= len(arn) <= 30):
        return False
    return len(arn) != 23 or luhn_digit(arn[:-1]) == arn[-1]


def luhn_digit(digits: str) -> str:
    """The check digit that follows `digits`."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)
