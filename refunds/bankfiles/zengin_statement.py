"""The Zengin files about our account, 200-byte records: statements (入出金取引明細, kind 03) and
notices of incoming transfers (振込入金通知, kind 01).

Both are read, never written. A file holds one or more groups of header, data records and trailer,
and one end record. A day without a movement is a group without data records. Names and order of the
fields come from the association's record layouts as banks publish them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from refunds.bankfiles.era_dates import era_date
from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.records import Field, Layout, check_total, constant, digits, records, spaces
from refunds.bankfiles.sources import Opened, Source
from refunds.bankfiles.statements import (
    LINES_MAX,
    STATEMENTS_MAX,
    Account,
    Direction,
    LineDetail,
    LineKind,
    Statement,
    StatementFile,
    StatementLine,
    check_balance,
    check_chain,
    identity_of,
)

RECORD_BYTES: Final = 200
CURRENCY: Final = "JPY"
# Every single-byte character: a payer's bank may use some that ours may not send.
_CHARACTER = "[ -~｡-ﾟ]"
_KINDS: Final = {
    "10": LineKind.CASH,
    "11": LineKind.TRANSFER,
    "12": LineKind.CHEQUE,
    "13": LineKind.CHEQUE,
    "14": LineKind.BOOK_TRANSFER,
    "18": LineKind.OTHER,
    "19": LineKind.CORRECTION,
}


def _any(name: str, width: int) -> Field:
    return Field(name, width, f"{_CHARACTER}{{{width}}}", "single-byte characters")


def _number_or_spaces(name: str, width: int, what: str) -> Field:
    return Field(name, width, f"(?:[0-9]{{{width}}}| {{{width}}})", what)


def _layout(name: str, *fields: Field) -> Layout:
    return Layout(name, *fields, width=RECORD_BYTES)


_BEGINNING: Final = (
    Field("_code", 1, "[01]", "character code 0 or 1"),
    digits("made", 6, "day of making as YYMMDD"),
    digits("from", 6, "first day as YYMMDD"),
    digits("to", 6, "last day as YYMMDD"),
    digits("bank_code", 4, "bank code of four digits"),
    _any("_bank_name", 15),
    digits("branch_code", 3, "branch code of three digits"),
    _any("_branch_name", 15),
)
_STATEMENT_HEADER = _layout(
    "header",
    constant("1", "record class 1"),
    constant("03", "file type 03 (statement)"),
    *_BEGINNING,
    Field("_spare", 3, "(?:000| {3})", "three zeros"),
    digits("account_type", 1, "account type of one digit"),
    digits("account_number", 10, "account number of ten digits"),
    _any("_account_name", 40),
    Field("sign", 1, "[12]", "sign of the balance 1 or 2"),
    Field("_book", 1, "[12 ]", "passbook 1, certificate 2 or a space"),
    digits("balance", 14, "balance before, of fourteen digits"),
    spaces(71),
)
_STATEMENT_DATA = _layout(
    "data record",
    constant("2", "record class 2"),
    _any("inquiry", 8),
    digits("booked", 6, "day of booking as YYMMDD"),
    _number_or_spaces("value", 6, "value day as YYMMDD, zeros or spaces"),
    Field("direction", 1, "[12]", "1 (in) or 2 (out)"),
    digits("kind", 2, "class of transaction of two digits"),
    digits("amount", 12, "amount of twelve digits"),
    _any("_cheque", 35),
    _any("party_code", 10),
    _any("party_name", 48),
    _any("bank_name", 15),
    _any("branch_name", 15),
    _any("text", 20),
    _any("edi", 20),
    _any("_spare", 1),
)
_STATEMENT_TRAILER = _layout(
    "trailer",
    constant("8", "record class 8"),
    digits("in_count", 6, "count of incoming lines"),
    digits("in_sum", 13, "sum of incoming lines"),
    digits("out_count", 6, "count of outgoing lines"),
    digits("out_sum", 13, "sum of outgoing lines"),
    Field("sign", 1, "[12]", "sign of the balance 1 or 2"),
    digits("balance", 14, "balance after, of fourteen digits"),
    digits("count", 7, "count of data records"),
    spaces(139),
)
_NOTICE_HEADER = _layout(
    "header",
    constant("1", "record class 1"),
    constant("01", "file type 01 (incoming transfers)"),
    *_BEGINNING,
    digits("account_type", 1, "account type of one digit"),
    digits("account_number", 7, "account number of seven digits"),
    _any("_account_name", 40),
    spaces(93),
)
_NOTICE_DATA = _layout(
    "data record",
    constant("2", "record class 2"),
    _any("inquiry", 6),
    digits("booked", 6, "day of booking as YYMMDD"),
    _number_or_spaces("value", 6, "value day as YYMMDD, zeros or spaces"),
    digits("amount", 10, "amount of ten digits"),
    _any("_cheque", 10),
    _any("party_code", 10),
    _any("party_name", 48),
    _any("bank_name", 15),
    _any("branch_name", 15),
    Field("cancelled", 1, "[01 ]", "1 (cancelled), 0 or a space"),
    _any("edi", 20),
    spaces(52),
)
_NOTICE_TRAILER = _layout(
    "trailer",
    constant("8", "record class 8"),
    digits("in_count", 6, "count of transfers"),
    digits("in_sum", 12, "sum of transfers"),
    digits("out_count", 6, "count of cancelled transfers"),
    digits("out_sum", 12, "sum of cancelled transfers"),
    spaces(163),
)
_END = _layout(
    "end record",
    constant("9", "record class 9"),
    Field("_counts", 15, "(?:[0-9]{15}| {15})", "counts of fifteen digits, or spaces"),
    spaces(184),
)


class _Row(NamedTuple):
    """The fields of a data record that both kinds have, with those of one kind empty in the other."""

    inquiry: str
    booked: str
    value: str
    direction: Direction
    kind: LineKind
    amount: str
    party_code: str
    party_name: str
    bank_name: str
    branch_name: str
    text: str
    edi: str


class _Head(NamedTuple):
    made: str
    from_: str
    to: str
    account: Account
    balance_minor: int | None


class _Tail(NamedTuple):
    in_count: str
    in_sum: str
    out_count: str
    out_sum: str
    balance_minor: int | None
    records: str | None


class _Kind(NamedTuple):
    """One kind of file: how its records are read, and where dates and sums stand in them."""

    header: Layout
    data: Layout
    trailer: Layout
    booked_at: int
    value_at: int
    amount_at: int
    sums_at: tuple[int, int, int, int]


_STATEMENT = _Kind(
    _STATEMENT_HEADER, _STATEMENT_DATA, _STATEMENT_TRAILER, 10, 16, 25, (2, 8, 21, 27)
)
_NOTICE = _Kind(_NOTICE_HEADER, _NOTICE_DATA, _NOTICE_TRAILER, 8, 14, 20, (2, 8, 20, 26))
_KIND_OF: Final = {"03": _STATEMENT, "01": _NOTICE}


def read(source: Source, *, currency: str, near: date) -> StatementFile:
    """Returns the statements or notices of a file, fully checked.

    `near` is the day on which the file is read, because its dates have no era. `currency` is the
    programme's: the records are in yen, so another one is refused. A file has at most 64 MiB,
    `STATEMENTS_MAX` groups and `LINES_MAX` lines. Raises `BankFileError` with record and position.
    """
    if currency != CURRENCY:
        raise BankFileError(f"a Zengin file is in {CURRENCY}, and the programme in {currency}")
    opened = Opened(source)
    numbered = records(opened, width=RECORD_BYTES)
    statements = _statements(numbered, near=near)
    check_chain(statements)
    return StatementFile(statements=statements, sha256=opened.sha256)


def _statements(numbered: Iterator[tuple[int, str]], *, near: date) -> tuple[Statement, ...]:
    found: list[Statement] = []
    room = LINES_MAX
    for number, record in numbered:
        if record[0] == "9" and found:
            _END.read(record, record=number)
            for behind, _ in numbered:
                raise BankFileError("records behind the end record", record=behind, position=1)
            return tuple(found)
        kind = _KIND_OF.get(record[1:3])
        if record[0] != "1" or kind is None:
            raise BankFileError(
                "a header of type 03 or 01, or the end record, expected", record=number, position=1
            )
        if len(found) == STATEMENTS_MAX:
            raise BankFileError(f"more than {STATEMENTS_MAX:,} groups; split the file")
        found.append(_Group(kind, record, number=number, near=near, room=room).read(numbered))
        room -= len(found[-1].lines)
    raise BankFileError("the file is cut off: the end record is missing")


@dataclass(slots=True)
class _Sums:
    """Counts and sums of a group so far, by direction."""

    counts: Counter[Direction]
    sums: Counter[Direction]


class _Group:
    """One header with its data records and its trailer."""

    def __init__(self, kind: _Kind, line: str, *, number: int, near: date, room: int) -> None:
        self._kind, self._near, self._room = kind, near, room
        self._head = _head_of(kind, kind.header.read(line, record=number))
        self._made_on = self._day(self._head.made, record=number, position=5)
        self._from_on = self._day(self._head.from_, record=number, position=11)
        self._to_on = self._day(self._head.to, record=number, position=17)
        if self._to_on < self._from_on:
            raise BankFileError("the last day is before the first day", record=number, position=17)
        self._running = self._head.balance_minor
        self._seen: Counter[tuple[str, ...]] = Counter()
        self._sums = _Sums(Counter(), Counter())

    def _day(self, text: str, *, record: int, position: int) -> date:
        return era_date(text, near=self._near, record=record, position=position)

    def read(self, numbered: Iterator[tuple[int, str]]) -> Statement:
        """Returns the statement once its trailer has proved it."""
        lines: list[StatementLine] = []
        for number, record in numbered:
            if record[0] == "8":
                return self._close(record, lines, number=number)
            if record[0] != "2":
                raise BankFileError("data record or trailer expected", record=number, position=1)
            if len(lines) == self._room:
                raise BankFileError(f"more than {LINES_MAX:,} lines; split the file", record=number)
            row = _row_of(self._kind, self._kind.data.read(record, record=number))
            lines.append(self._line(row, number=number))
        raise BankFileError("the file is cut off: trailer and end record are missing")

    def _line(self, row: _Row, *, number: int) -> StatementLine:
        amount, kind, account = int(row.amount), self._kind, self._head.account
        if not amount:
            raise BankFileError(
                "an amount above zero expected", record=number, position=kind.amount_at
            )
        booked_on = self._day(row.booked, record=number, position=kind.booked_at)
        if not self._from_on <= booked_on <= self._to_on:
            raise BankFileError(
                "a day from the first to the last of the header expected",
                record=number,
                position=kind.booked_at,
            )
        value_on = booked_on
        if row.value.strip("0 "):
            value_on = self._day(row.value, record=number, position=kind.value_at)
        self._sums.counts[row.direction] += 1
        self._sums.sums[row.direction] += amount
        if self._running is None:
            self._seen[row] += 1
            running = f"{self._seen[row]}"
        else:
            self._running += amount if row.direction is Direction.IN else -amount
            running = f"{self._running}"
        detail = LineDetail(
            amount_minor=amount,
            reference=row.edi,
            party_code=row.party_code,
            party_name=row.party_name,
            bank_name=row.bank_name,
            branch_name=row.branch_name,
            text=row.text,
        )
        return StatementLine(
            record=number,
            account=account,
            booked_on=booked_on,
            value_on=value_on,
            inquiry=row.inquiry,
            direction=row.direction,
            amount_minor=amount,
            kind=row.kind,
            balance_after_minor=self._running,
            details=(detail,),
            identity=identity_of(
                account,
                booked_on=booked_on,
                inquiry=row.inquiry,
                direction=row.direction,
                amount_minor=amount,
                running=running,
            ),
        )

    def _close(self, record: str, lines: list[StatementLine], *, number: int) -> Statement:
        tail = _tail_of(self._kind, self._kind.trailer.read(record, record=number))
        counts, sums = self._sums.counts, self._sums.sums
        for declared, found, what, position in zip(
            (tail.in_count, tail.in_sum, tail.out_count, tail.out_sum),
            (counts[Direction.IN], sums[Direction.IN], counts[Direction.OUT], sums[Direction.OUT]),
            ("incoming lines", "incoming amounts", "outgoing lines", "outgoing amounts"),
            self._kind.sums_at,
            strict=True,
        ):
            check_total(declared, found, of=what, record=number, position=position)
        if tail.records is not None:
            check_total(tail.records, len(lines), of="records", record=number, position=55)
        before, after = self._head.balance_minor, tail.balance_minor
        if before is not None and after is not None:
            check_balance(before=before, lines=lines, after=after, record=number)
        return Statement(
            account=self._head.account,
            currency=CURRENCY,
            made_on=self._made_on,
            from_on=self._from_on,
            to_on=self._to_on,
            balance_before_minor=before,
            balance_after_minor=after,
            lines=tuple(lines),
        )


def _signed(sign: str, digits_of: str) -> int:
    """Returns the balance: sign 2 is an overdraft."""
    return int(digits_of) if sign == "1" else -int(digits_of)


def _head_of(kind: _Kind, fields: tuple[str, ...]) -> _Head:
    made, first, last, bank, branch, account_type, number = fields[:7]
    balance = _signed(fields[7], fields[8]) if kind is _STATEMENT else None
    return _Head(made, first, last, Account(bank, branch, account_type, number), balance)


def _row_of(kind: _Kind, fields: tuple[str, ...]) -> _Row:
    if kind is _STATEMENT:
        inquiry, booked, value, way, code, amount, *texts = fields
        direction = Direction.IN if way == "1" else Direction.OUT
        of_kind = _KINDS.get(code, LineKind.UNKNOWN)
    else:
        inquiry, booked, value, amount, *middle, cancelled, edi = fields
        texts = [*middle, "", edi]
        is_cancelled = cancelled == "1"
        direction = Direction.OUT if is_cancelled else Direction.IN
        of_kind = LineKind.CORRECTION if is_cancelled else LineKind.TRANSFER
    stripped = [text.strip(" ") for text in texts]
    return _Row(inquiry.strip(" "), booked, value, direction, of_kind, amount, *stripped)


def _tail_of(kind: _Kind, fields: tuple[str, ...]) -> _Tail:
    in_count, in_sum, out_count, out_sum = fields[:4]
    if kind is _STATEMENT:
        sign, balance, count = fields[4:]
        return _Tail(in_count, in_sum, out_count, out_sum, _signed(sign, balance), count)
    return _Tail(in_count, in_sum, out_count, out_sum, None, None)
