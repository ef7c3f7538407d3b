"""The bank's answers: results per transfer, returned transfers, account-name checks.

The association standardises what a bank is sent, not what it answers: banks return lists on paper,
as PDF, as CSV of their own, or as 120-byte records whose result stands at a place of the bank's
choice. This module therefore fixes **one documented profile**. Another bank's answer gets a module
of its own beside this one and a line in `formats`.

The profile repeats the transfer file (zengin_transfer) and writes into its spare bytes:

    header   1-103 as sent | 104 kind of answer | 105-108 day of the answer MMDD | spaces
             kind `R`: results of every transfer; `F`: returned transfers only (振込不能 and
             組戻し); `K`: account-name check (口座確認)
    data     1-113 as sent | kinds R and F: 115-116 result code, `00` paid (in R only) or a code of
             return | kind K: 114 answer (0 1 2 9), and the amount may be zero | spaces
    trailer  1-19 count and sum of all lines | 20-25 count of returns N |
             26-37 sum of returns N (both zero in kind K) | spaces
    end      1 `9` | spaces

A payout number stands once in an answer, in any order. A bank may send `F` files for the same value
date on several days; that the same file is not booked twice is the importer's rule, on `sha256`.
An answer of kind R or F may hold several groups of header, data and trailer before its end record,
one for each value date: of one remitter, and made on one day. A group without data is a day on which
nothing happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import islice

from refunds.bankfiles.answers import (
    AccountCheck,
    CheckLine,
    Checks,
    ResultLine,
    Results,
    ReturnReason,
)
from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.records import (
    CRLF,
    Field,
    Framed,
    Layout,
    check_total,
    digits,
    encode_records,
    month_day,
    spaces,
)
from refunds.bankfiles.seen import Seen
from refunds.bankfiles.sources import Source, beginning
from refunds.bankfiles.transfer_items import Remitter, TransferItem
from refunds.bankfiles.zengin_transfer import (
    AMOUNT_AT,
    HEADER_FIELDS,
    TRAILER_FIELDS,
    TRANSFER_AMOUNT,
    ItemWriter,
    data_fields,
    header_line,
    item_of,
    nearest_date,
    remitter_of,
    trailer_line,
)

_LINES_PER_WRITE = 1000
_PAID = "00"
_KIND_AT = 103


FILE_CODES = {
    ReturnReason.ACCOUNT_NOT_FOUND: "01",
    ReturnReason.ACCOUNT_NUMBER_WRONG: "02",
    ReturnReason.ACCOUNT_CLOSED: "03",
    ReturnReason.ACCOUNT_BLOCKED: "04",
    ReturnReason.ACCOUNT_TYPE_WRONG: "05",
    ReturnReason.NAME_MISMATCH: "06",
    ReturnReason.BANK_OR_BRANCH_INVALID: "07",
    ReturnReason.RECALLED: "08",
    ReturnReason.EXPIRED: "09",
    ReturnReason.OTHER: "99",
}
_REASON_OF_CODE = {code: reason for reason, code in FILE_CODES.items()}
_RESULT_OF_CODE: dict[str, ReturnReason | None] = {_PAID: None, **_REASON_OF_CODE}
# The answer code of an account inquiry (照会回答コード), which is not the result of a direct debit.
_CHECK_CODES = {
    AccountCheck.MATCHED: "0",
    AccountCheck.NO_SUCH_ACCOUNT: "1",
    AccountCheck.NAME_DIFFERS: "2",
    AccountCheck.OTHER: "9",
}
_CHECK_OF_CODE = {code: answer for answer, code in _CHECK_CODES.items()}


class AnswerKind(StrEnum):
    """The kind of answer in a file."""

    RESULT = "R"
    RETURNED = "F"
    CHECK = "K"


@dataclass(frozen=True, slots=True)
class AnswerHeader:
    """The header as sent, the kind of answer and its day. Both dates lack their year."""

    remitter: Remitter
    value_mmdd: str
    kind: AnswerKind
    answered_mmdd: str

    def value_date(self, *, near: date) -> date:
        return nearest_date(self.value_mmdd, near=near)

    def answered_on(self, *, near: date) -> date:
        return nearest_date(self.answered_mmdd, near=near)


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A whole answer of kind R or F, checked: counts and sums agree with the lines."""

    header: AnswerHeader
    lines: tuple[ResultLine, ...]
    sum_minor: int
    returned_count: int
    returned_sum_minor: int
    sha256: str

    @property
    def count(self) -> int:
        return len(self.lines)


@dataclass(frozen=True, slots=True)
class CheckFile:
    """A whole answer of kind K, fully checked."""

    header: AnswerHeader
    lines: tuple[CheckLine, ...]
    sha256: str

    @property
    def count(self) -> int:
        return len(self.lines)


def _header_layout(kinds: str, what: str) -> Layout:
    return Layout(
        "header",
        *HEADER_FIELDS,
        Field("kind", 1, f"[{kinds}]", what),
        month_day("answered_mmdd", "day of the answer as MMDD"),
        spaces(12),
    )


def _data_layout(codes: str) -> Layout:
    return Layout(
        "data record",
        *data_fields(TRANSFER_AMOUNT),
        spaces(1),
        Field("code", 2, f"(?:{codes})", "result code of this profile"),
        spaces(4),
    )


_RESULT_HEADER = _header_layout("RF", "kind of answer R or F")
_CHECK_HEADER = _header_layout("K", "kind of answer K")
_RESULT_DATA = _data_layout("|".join(_RESULT_OF_CODE))
_RETURNED_DATA = _data_layout("|".join(_REASON_OF_CODE))
_CHECK_DATA = Layout(
    "data record",
    *data_fields(digits("amount_minor", 10, "amount of ten digits")),
    Field("answer", 1, "[0129]", "answer of the account check 0, 1, 2 or 9"),
    spaces(6),
)
_TRAILER = Layout(
    "trailer",
    *TRAILER_FIELDS,
    digits("returned_count", 6, "count of returns"),
    digits("returned_sum_minor", 12, "sum of returns"),
    spaces(83),
)


# --- writing: what a bank does, here the simulated one --------------------------------------------


def write_results(
    *,
    remitter: Remitter,
    value_date: date,
    answered_on: date,
    kind: AnswerKind,
    lines: Iterable[ResultLine],
    line_end: bytes = CRLF,
) -> Iterator[bytes]:
    """Yields, in pieces, one answer of kind RESULT (every transfer) or RETURNED (returns only)."""
    if kind not in (AnswerKind.RESULT, AnswerKind.RETURNED):
        raise AssertionError(f"{kind} is no answer about transfers")
    writer, returned_count, returned_sum_minor = ItemWriter(), 0, 0
    header = f"{header_line(remitter, value_date)}{kind}{answered_on:%m%d}"
    pending = [f"{header:<120}"]
    source = iter(lines)
    while block := list(islice(source, _LINES_PER_WRITE)):
        for item, reason, _value_mmdd in block:
            if reason is not None:
                returned_count += 1
                returned_sum_minor += item.amount_minor
            elif kind is AnswerKind.RETURNED:
                raise BankFileError(
                    "a paid transfer in a file of returns", record=writer.count + 2, position=115
                )
            code = _PAID if reason is None else FILE_CODES[reason]
            pending.append(writer.line(item, f" {code}    "))
        yield writer.encode(pending, line_end=line_end)
        pending = []
    yield _closing(
        writer,
        f"{returned_count:06d}{returned_sum_minor:012d}",
        line_end=line_end,
    )


def write_checks(
    *,
    remitter: Remitter,
    value_date: date,
    answered_on: date,
    lines: Iterable[CheckLine],
    line_end: bytes = CRLF,
) -> Iterator[bytes]:
    """Yields the bytes of one answer to an account-name check, in pieces. Amounts may be zero."""
    writer = ItemWriter(amount_pattern="(?:0|[1-9][0-9]{0,9})")
    header = f"{header_line(remitter, value_date)}{AnswerKind.CHECK}{answered_on:%m%d}"
    pending = [f"{header:<120}"]
    source = iter(lines)
    while block := list(islice(source, _LINES_PER_WRITE)):
        pending += [writer.line(item, f"{_CHECK_CODES[answer]}      ") for item, answer in block]
        yield writer.encode(pending, line_end=line_end)
        pending = []
    yield _closing(writer, f"{0:018d}", line_end=line_end)


def write_questions(
    remitter: Remitter, asked_on: date, items: Iterable[TransferItem]
) -> Iterator[bytes]:
    """Yields, in pieces, the file that asks the bank about each item's name and account.

    The question has the layout of the answer, kind `K`, with the answer code `9` (not answered), so
    that it can never be mistaken for a transfer.
    """
    return write_checks(
        remitter=remitter,
        value_date=asked_on,
        answered_on=asked_on,
        lines=(CheckLine(item, AccountCheck.OTHER) for item in items),
    )


def _closing(writer: ItemWriter, returns: str, *, line_end: bytes) -> bytes:
    if not writer.count:
        raise BankFileError("an answer holds at least one line")
    trailer = f"{trailer_line(count=writer.count, sum_minor=writer.sum_minor)}{returns}"
    return encode_records([f"{trailer:<120}", f"{'9':<120}"], line_end=line_end)


# --- reading --------------------------------------------------------------------------------------


class _Groups(Framed):
    """The groups of an answer of kind R or F. What the trailers say about returns is checked."""

    several = empty = True

    def __init__(self, source: Source) -> None:
        super().__init__(
            source,
            header=_RESULT_HEADER,
            data=_RESULT_DATA,
            trailer=_TRAILER,
            amount_at=AMOUNT_AT,
        )
        self.first = self.of_group = self._understood(self.header)
        self.returned_count = self.returned_sum_minor = 0
        self._before = (0, 0)

    def _understood(self, header: tuple[str, ...]) -> AnswerHeader:
        found = _answer_header(header)
        self.expect(_RETURNED_DATA if found.kind is AnswerKind.RETURNED else _RESULT_DATA)
        return found

    def begin(self, header: tuple[str, ...], *, record: int) -> None:
        self.of_group = self._understood(header)
        if self.of_group.remitter != self.first.remitter:
            raise BankFileError("one remitter in all groups expected", record=record, position=5)
        if self.of_group.answered_mmdd != self.first.answered_mmdd:
            raise BankFileError(
                "one day of the answer in all groups expected", record=record, position=105
            )

    def end(self, trailer: tuple[str, ...], *, record: int) -> None:
        count, sum_minor = self._before
        check_total(
            trailer[2], self.returned_count - count, of="returns", record=record, position=20
        )
        check_total(
            trailer[3],
            self.returned_sum_minor - sum_minor,
            of="returned amounts",
            record=record,
            position=26,
        )
        self._before = self.returned_count, self.returned_sum_minor


class ResultReader:
    """An answer of kind R or F. The first header is read at once, the lines later. All is checked at
    the end.

    It is iterated once, and memory hardly grows with the lines (`Seen`). After the iteration
    `count`, `sum_minor`, `returned_count`, `returned_sum_minor` and `sha256` are valid. Raises
    `BankFileError` with record, position and reason. A caller that books while it reads does so in
    one transaction.
    """

    def __init__(self, source: Source) -> None:
        self._framed = _Groups(source)

    @property
    def header(self) -> AnswerHeader:
        """The first one."""
        return self._framed.first

    @property
    def remitter(self) -> Remitter:
        return self.header.remitter

    def value_date(self, *, near: date) -> date:
        return self.header.value_date(near=near)

    def answered_on(self, *, near: date) -> date:
        return self.header.answered_on(near=near)

    @property
    def count(self) -> int:
        return self._framed.count

    @property
    def sum_minor(self) -> int:
        return self._framed.sum_minor

    @property
    def returned_count(self) -> int:
        return self._framed.returned_count

    @property
    def returned_sum_minor(self) -> int:
        return self._framed.returned_sum_minor

    @property
    def sha256(self) -> str:
        return self._framed.sha256

    def __iter__(self) -> Iterator[ResultLine]:
        seen, framed = Seen(), self._framed
        for number, fields in framed:
            item, reason = item_of(fields), _RESULT_OF_CODE[fields[10]]
            _once(item, seen, record=number)
            if reason is not None:
                framed.returned_count += 1
                framed.returned_sum_minor += item.amount_minor
            yield ResultLine(item, reason, framed.of_group.value_mmdd)


def read_results(source: Source) -> ResultFile:
    """Returns the whole answer of kind R or F, checked as a whole."""
    reader = ResultReader(source)
    lines = tuple(reader)
    return ResultFile(
        header=reader.header,
        lines=lines,
        sum_minor=reader.sum_minor,
        returned_count=reader.returned_count,
        returned_sum_minor=reader.returned_sum_minor,
        sha256=reader.sha256,
    )


class _Checks(Framed):
    def end(self, trailer: tuple[str, ...], *, record: int) -> None:
        check_total(trailer[2], 0, of="returns", record=record, position=20)
        check_total(trailer[3], 0, of="returned amounts", record=record, position=26)


def read_checks(source: Source) -> CheckFile:
    """Returns the whole answer of kind K, checked as a whole."""
    framed = _Checks(
        source, header=_CHECK_HEADER, data=_CHECK_DATA, trailer=_TRAILER, amount_at=AMOUNT_AT
    )
    header = _answer_header(framed.header)
    seen, lines = Seen(), []
    for number, fields in framed:
        item = item_of(fields)
        _once(item, seen, record=number)
        lines.append(CheckLine(item, _CHECK_OF_CODE[fields[10]]))
    return CheckFile(header=header, lines=tuple(lines), sha256=framed.sha256)


def read_answer(source: Source) -> Results | Checks:
    """Returns the answer of any kind, read as its header says."""
    if beginning(source, _KIND_AT + 1)[_KIND_AT:] == AnswerKind.CHECK.value.encode():
        file = read_checks(source)
        return Checks(remitter=file.header.remitter, lines=file.lines)
    return ResultReader(source)


def _answer_header(fields: tuple[str, ...]) -> AnswerHeader:
    remitter, value_mmdd = remitter_of(fields)
    return AnswerHeader(
        remitter=remitter,
        value_mmdd=value_mmdd,
        kind=AnswerKind(fields[9]),
        answered_mmdd=fields[10],
    )


def _once(item: TransferItem, seen: Seen, *, record: int) -> None:
    if seen.add(item.reference):
        raise BankFileError(
            "this payout number was answered before in the file", record=record, position=92
        )
