"""The bank's answers: results per transfer, returned transfers, account-name checks.

The association standardises what a bank is sent, not what it answers: banks return lists on paper,
as PDF, as CSV of their own, or as 120-byte records whose result stands at a place of the bank's
choice. This module therefore fixes **one documented profile**; another bank's answer gets a module
of its own beside this one and yields the same lines.

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
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import islice
from typing import BinaryIO, NamedTuple

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


class ReturnReason(StrEnum):
    """Why a transfer came back, in our word, the banks', ISO 20022's and this profile's code."""

    ACCOUNT_NOT_FOUND = "account_not_found"
    ACCOUNT_NUMBER_WRONG = "account_number_wrong"
    ACCOUNT_CLOSED = "account_closed"
    ACCOUNT_BLOCKED = "account_blocked"
    ACCOUNT_TYPE_WRONG = "account_type_wrong"
    NAME_MISMATCH = "name_mismatch"
    BANK_OR_BRANCH_INVALID = "bank_or_branch_invalid"
    RECALLED = "recalled"
    OTHER = "other"

    @property
    def zengin_words(self) -> str:
        return _REASONS[self].zengin_words

    @property
    def iso_codes(self) -> tuple[str, ...]:
        return _REASONS[self].iso_codes

    @property
    def file_code(self) -> str:
        return _REASONS[self].file_code

    @classmethod
    def of_iso(cls, iso_code: str) -> ReturnReason:
        """The reason an ISO 20022 code stands for; one outside the table is `other`, no guess."""
        return _REASON_OF_ISO.get(iso_code, cls.OTHER)


class _Codes(NamedTuple):
    file_code: str
    zengin_words: str
    iso_codes: tuple[str, ...]


_REASONS: dict[ReturnReason, _Codes] = {
    ReturnReason.ACCOUNT_NOT_FOUND: _Codes("01", "該当口座なし", ("AC03", "AC01")),
    ReturnReason.ACCOUNT_NUMBER_WRONG: _Codes("02", "口座番号相違", ("AC01",)),
    ReturnReason.ACCOUNT_CLOSED: _Codes("03", "解約済", ("AC04",)),
    ReturnReason.ACCOUNT_BLOCKED: _Codes("04", "入金停止・受取口座側事由", ("AC06",)),
    # AC14 is our reading; the external code list has no exact word for a wrong type of account.
    ReturnReason.ACCOUNT_TYPE_WRONG: _Codes("05", "科目相違", ("AC14",)),
    ReturnReason.NAME_MISMATCH: _Codes("06", "受取人名相違", ("BE01",)),
    ReturnReason.BANK_OR_BRANCH_INVALID: _Codes("07", "店舗統廃合等", ("RC01",)),
    ReturnReason.RECALLED: _Codes("08", "組戻し", ("FOCR",)),
    ReturnReason.OTHER: _Codes("99", "その他", ("MS03", "NARR")),
}
# AC01 stands in two rows of the table: read alone it says that the number is wrong.
_REASON_OF_ISO = {
    code: reason
    for reason, codes in _REASONS.items()
    for code in codes.iso_codes
    if (reason, code) != (ReturnReason.ACCOUNT_NOT_FOUND, "AC01")
}
_REASON_OF_CODE = {codes.file_code: reason for reason, codes in _REASONS.items()}
_RESULT_OF_CODE: dict[str, ReturnReason | None] = {_PAID: None, **_REASON_OF_CODE}


class AccountCheck(StrEnum):
    """The answer code of an account inquiry (照会回答コード), not a direct debit's result."""

    MATCHED = "0"
    NO_SUCH_ACCOUNT = "1"
    NAME_DIFFERS = "2"
    OTHER = "9"


class AnswerKind(StrEnum):
    """Which question the file answers."""

    RESULT = "R"
    RETURNED = "F"
    CHECK = "K"


@dataclass(frozen=True, slots=True)
class AnswerHeader:
    """The header as sent, the kind of answer and its day; both dates lack their year."""

    remitter: Remitter
    value_mmdd: str
    kind: AnswerKind
    answered_mmdd: str

    def value_date(self, *, near: date) -> date:
        return nearest_date(self.value_mmdd, near=near)

    def answered_on(self, *, near: date) -> date:
        return nearest_date(self.answered_mmdd, near=near)


class ResultLine(NamedTuple):
    """One transfer and what became of it: `reason` is None when it was paid."""

    item: TransferItem
    reason: ReturnReason | None


class CheckLine(NamedTuple):
    """One account as asked about and the bank's answer; the item's amount means nothing here."""

    item: TransferItem
    answer: AccountCheck


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A whole answer of kind R or F, believed: counts and sums agree with the lines."""

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
    """A whole answer of kind K, believed."""

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
    assert kind in (AnswerKind.RESULT, AnswerKind.RETURNED)
    writer, returned_count, returned_sum_minor = ItemWriter(), 0, 0
    header = f"{header_line(remitter, value_date)}{kind}{answered_on:%m%d}"
    pending = [f"{header:<120}"]
    source = iter(lines)
    while block := list(islice(source, _LINES_PER_WRITE)):
        for item, reason in block:
            if reason is not None:
                returned_count += 1
                returned_sum_minor += item.amount_minor
            elif kind is AnswerKind.RETURNED:
                raise BankFileError(
                    "a paid transfer in a file of returns", record=writer.count + 2, position=115
                )
            code = _PAID if reason is None else reason.file_code
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
    """Yields the bytes of one answer to an account-name check, in pieces; amounts may be zero."""
    writer = ItemWriter(amount_pattern="(?:0|[1-9][0-9]{0,9})")
    header = f"{header_line(remitter, value_date)}{AnswerKind.CHECK}{answered_on:%m%d}"
    pending = [f"{header:<120}"]
    source = iter(lines)
    while block := list(islice(source, _LINES_PER_WRITE)):
        pending += [writer.line(item, f"{answer}      ") for item, answer in block]
        yield writer.encode(pending, line_end=line_end)
        pending = []
    yield _closing(writer, f"{0:018d}", line_end=line_end)


def _closing(writer: ItemWriter, returns: str, *, line_end: bytes) -> bytes:
    if not writer.count:
        raise BankFileError("an answer holds at least one line")
    trailer = f"{trailer_line(count=writer.count, sum_minor=writer.sum_minor)}{returns}"
    return encode_records([f"{trailer:<120}", f"{'9':<120}"], line_end=line_end)


# --- reading --------------------------------------------------------------------------------------


class ResultReader:
    """An answer of kind R or F: the header is read, the lines wait, and all is believed at the end.

    Iterate once, in flat memory but for the payout numbers seen. Then `count`, `sum_minor`,
    `returned_count`, `returned_sum_minor` and `sha256` hold. Raises BankFileError with record,
    position and reason; a caller that books while reading does so in one transaction.
    """

    def __init__(self, source: bytes | BinaryIO) -> None:
        self._framed = Framed(
            source,
            header=_RESULT_HEADER,
            data=_RESULT_DATA,
            trailer=_TRAILER,
            amount_at=AMOUNT_AT,
        )
        self.header = _answer_header(self._framed.header)
        if self.header.kind is AnswerKind.RETURNED:
            self._framed.expect(_RETURNED_DATA)
        self.returned_count = 0
        self.returned_sum_minor = 0

    @property
    def count(self) -> int:
        return self._framed.count

    @property
    def sum_minor(self) -> int:
        return self._framed.sum_minor

    @property
    def sha256(self) -> str:
        return self._framed.sha256

    def __iter__(self) -> Iterator[ResultLine]:
        seen: set[int] = set()
        for number, fields in self._framed:
            _once(fields[9], seen, record=number)
            item, reason = item_of(fields), _RESULT_OF_CODE[fields[10]]
            if reason is not None:
                self.returned_count += 1
                self.returned_sum_minor += item.amount_minor
            yield ResultLine(item, reason)
        record = self.count + 2
        _, _, count, sum_minor = self._framed.trailer
        check_total(count, self.returned_count, of="returns", record=record, position=20)
        check_total(
            sum_minor, self.returned_sum_minor, of="returned amounts", record=record, position=26
        )


def read_results(source: bytes | BinaryIO) -> ResultFile:
    """The whole answer of kind R or F, believed only as a whole."""
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


def read_checks(source: bytes | BinaryIO) -> CheckFile:
    """The whole answer of kind K, believed only as a whole."""
    framed = Framed(
        source, header=_CHECK_HEADER, data=_CHECK_DATA, trailer=_TRAILER, amount_at=AMOUNT_AT
    )
    header = _answer_header(framed.header)
    seen: set[int] = set()
    lines = []
    for number, fields in framed:
        _once(fields[9], seen, record=number)
        lines.append(CheckLine(item_of(fields), AccountCheck(fields[10])))
    record = framed.count + 2
    check_total(framed.trailer[2], 0, of="returns", record=record, position=20)
    check_total(framed.trailer[3], 0, of="returned amounts", record=record, position=26)
    return CheckFile(header=header, lines=tuple(lines), sha256=framed.sha256)


def _answer_header(fields: tuple[str, ...]) -> AnswerHeader:
    remitter, value_mmdd = remitter_of(fields)
    return AnswerHeader(
        remitter=remitter,
        value_mmdd=value_mmdd,
        kind=AnswerKind(fields[9]),
        answered_mmdd=fields[10],
    )


def _once(reference: str, seen: set[int], *, record: int) -> None:
    number = int(reference)
    if number in seen:
        raise BankFileError(
            "this payout number was answered before in the file", record=record, position=92
        )
    seen.add(number)
