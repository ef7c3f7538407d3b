"""The Zengin file of transfers (総合振込), 120-byte records: written and read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Final, NamedTuple, NoReturn

from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.kana import BANK_CHARACTERS
from refunds.bankfiles.records import (
    CRLF,
    RECORDS_MAX,
    SUM_MAX_MINOR,
    Field,
    Framed,
    Layout,
    constant,
    digits,
    encode_records,
    month_day,
    optional_text,
    positive,
    spaces,
    text,
)
from refunds.bankfiles.sources import Source
from refunds.bankfiles.transfer_items import (
    PAYEE_BYTES_MAX,
    STANDARD,
    Limits,
    Manner,
    Remitter,
    TransferItem,
    TransferRow,
)

_RECORDS_PER_WRITE = 1000
REFERENCE_DIGITS_MAX = 20
# The trailer counts six digits of records and twelve of their sum.
LIMITS = Limits(records_max=RECORDS_MAX, sum_max_minor=SUM_MAX_MINOR)


@dataclass(frozen=True, slots=True)
class TransferHeader:
    """What the header says. It has the month and day of the value date without the year."""

    remitter: Remitter
    value_mmdd: str

    def value_date(self, *, near: date) -> date:
        """Returns the date with this month and day that is nearest to `near`. A file may be some
        months old.
        """
        return nearest_date(self.value_mmdd, near=near)


@dataclass(frozen=True, slots=True)
class TransferFile:
    """A whole transfer file, checked: its totals agree with its items. `sha256` is of its bytes."""

    header: TransferHeader
    items: tuple[TransferItem, ...]
    sum_minor: int
    sha256: str

    @property
    def remitter(self) -> Remitter:
        return self.header.remitter

    @property
    def count(self) -> int:
        return len(self.items)


HEADER_FIELDS: tuple[Field, ...] = (
    constant("1", "record class 1"),
    constant("21", "file type 21 (general transfer)"),
    constant("0", "character code 0"),
    digits("remitter_code", 10, "remitter code of ten digits"),
    text("remitter_name", 40, "remitter name in bank text"),
    month_day("value_mmdd", "value date as MMDD"),
    digits("bank_code", 4, "bank code of four digits"),
    optional_text("bank_name", 15, "bank name in bank text or spaces"),
    digits("branch_code", 3, "branch code of three digits"),
    optional_text("branch_name", 15, "branch name in bank text or spaces"),
    Field("account_type", 1, "[129]", "account type 1, 2 or 9"),
    digits("account_number", 7, "account number of seven digits"),
)


def data_fields(amount: Field) -> tuple[Field, ...]:
    """Returns the fields of a data record up to position 113. Answers repeat them and add their own
    after them.
    """
    return (
        constant("2", "record class 2"),
        digits("bank_code", 4, "bank code of four digits"),
        optional_text("bank_name", 15, "bank name in bank text or spaces"),
        digits("branch_code", 3, "branch code of three digits"),
        optional_text("branch_name", 15, "branch name in bank text or spaces"),
        Field("_clearing_house", 4, "(?:0000| {4})", "unused clearing house"),
        Field("account_type", 1, "[1249]", "account type 1, 2, 4 or 9"),
        digits("account_number", 7, "account number of seven digits"),
        text("payee_kana", PAYEE_BYTES_MAX, "payee name in bank text"),
        amount,
        Field("new_code", 1, "[012]", "new code 0, 1 or 2"),
        positive("reference", REFERENCE_DIGITS_MAX, "payout number of twenty digits"),
        constant("7", "transfer class 7 (telegraphic)"),
        Field("_edi", 1, "[Y ]", "Y or a space"),
    )


TRANSFER_AMOUNT = positive("amount_minor", 10, "amount of ten digits above zero")


TRAILER_FIELDS: tuple[Field, ...] = (
    constant("8", "record class 8"),
    digits("count", 6, "count of records"),
    digits("sum_minor", 12, "sum of amounts"),
)


# The amount is the eighth column of an item and the eighth named field of a data record.
AMOUNT_AT: Final = 7


_HEADER = Layout("header", *HEADER_FIELDS, spaces(17))


_DATA = Layout("data record", *data_fields(TRANSFER_AMOUNT), spaces(7))


_TRAILER = Layout("trailer", *TRAILER_FIELDS, spaces(101))


def nearest_date(mmdd: str, *, near: date) -> date:
    """Returns the date with this month and day that is nearest to `near`. Raises if there is none."""
    month, day = int(mmdd[:2]), int(mmdd[2:])
    found = []
    for year in (near.year - 1, near.year, near.year + 1):
        try:
            found.append(date(year, month, day))
        except ValueError:
            continue
    if not found:
        raise BankFileError("no such day near this date", record=1, position=55)
    return min(found, key=lambda candidate: abs(candidate - near))


_CHARACTER = f"[{BANK_CHARACTERS}]"


def _name_pattern(width: int) -> str:
    return rf"{_CHARACTER}(?:[{BANK_CHARACTERS} ]{{0,{width - 2}}}{_CHARACTER})?"


class _Part(NamedTuple):
    name: str
    position: int
    pattern: str
    what: str


def _item_parts(amount_pattern: str) -> tuple[_Part, ...]:
    return (
        _Part("bank_code", 2, "[0-9]{4}", "bank code of four digits"),
        _Part("bank_name", 6, f"(?:{_name_pattern(15)})?", "bank name of at most 15 bytes"),
        _Part("branch_code", 21, "[0-9]{3}", "branch code of three digits"),
        _Part("branch_name", 24, f"(?:{_name_pattern(15)})?", "branch name of at most 15 bytes"),
        _Part("account_type", 43, "[1249]", "account type 1, 2, 4 or 9"),
        _Part("account_number", 44, "[0-9]{7}", "account number of seven digits"),
        _Part("payee_kana", 51, _name_pattern(PAYEE_BYTES_MAX), "payee of 1 to 30 bytes"),
        _Part("amount_minor", 81, amount_pattern, "whole amount from 1 to 9,999,999,999"),
        _Part("reference", 92, "[1-9][0-9]{0,19}", "payout number of 1 to 20 digits"),
        _Part("new_code", 91, "[012]", "new code 0, 1 or 2"),
    )


# Percent formatting is twice as fast here as format strings with widths, and a file has a million
# lines.
_JOINED = "|".join(["%s"] * 10)


_DATA_LINE = "2%s%-15s%s%-15s0000%s%s%-30s%010d%s%s7 %s"


class ItemWriter:
    """Converts rows to data records. Raises with the place in the file for a row that does not fit.

    It counts and sums the rows. One match checks all fields of a row, joined by a sign that none of
    them may contain, because one match is cheaper than ten.
    """

    def __init__(
        self,
        *,
        amount_pattern: str = "[1-9][0-9]{0,9}",
        records_max: int = RECORDS_MAX,
        manner: Manner = STANDARD,
    ) -> None:
        self._encoding, self._name_max = manner.encoding, manner.name_max
        self._records_max = LIMITS.within(records_max).records_max
        self._parts = _item_parts(amount_pattern)
        self._matches = re.compile(r"\|".join(part.pattern for part in self._parts)).fullmatch
        self.count = 0
        self.sum_minor = 0

    def line(self, item: TransferRow, tail: str) -> str:
        """Returns the item's record; `tail` is its characters 114 to 120."""
        self.count += 1
        if not self._matches(_JOINED % item):
            self._refuse(item)
        bank, bank_name, branch, branch_name, kind, account, payee, amount, reference, new = item
        self.sum_minor += amount
        if len(payee) > self._name_max:
            payee = payee[: self._name_max].rstrip(" ")
        return _DATA_LINE % (
            bank,
            bank_name,
            branch,
            branch_name,
            kind,
            account,
            payee,
            amount,
            new,
            reference.zfill(REFERENCE_DIGITS_MAX),
            tail,
        )

    def encode(self, lines: list[str], *, line_end: bytes) -> bytes:
        """Returns the lines as bytes. Raises if the file cannot hold all items so far."""
        if self.count > self._records_max or self.sum_minor > SUM_MAX_MINOR:
            self._refuse_size()
        return encode_records(lines, line_end=line_end, encoding=self._encoding)

    def _refuse(self, item: TransferRow) -> NoReturn:
        for part, value in zip(self._parts, item, strict=True):
            if not re.fullmatch(part.pattern, f"{value}"):
                raise BankFileError(
                    f"{part.name}: {part.what} expected",
                    record=self.count + 1,
                    position=part.position,
                )
        raise AssertionError("an item that breaks the pattern breaks one of its parts")

    def _refuse_size(self) -> NoReturn:
        what = (
            f"more than {self._records_max:,} items"
            if self.count > self._records_max
            else "a sum of more than 12 digits"
        )
        raise BankFileError(f"{what}: split them over several files")


def header_line(remitter: Remitter, value_date: date) -> str:
    """Returns the characters 1 to 103 of a header. Raises if a field of the remitter does not fit."""
    r = remitter
    checks = (
        (5, r.code, "[0-9]{10}", "remitter code of ten digits"),
        (15, r.name, _name_pattern(40), "remitter name of 1 to 40 bytes"),
        (59, r.bank_code, "[0-9]{4}", "bank code of four digits"),
        (63, r.bank_name, f"(?:{_name_pattern(15)})?", "bank name of at most 15 bytes"),
        (78, r.branch_code, "[0-9]{3}", "branch code of three digits"),
        (81, r.branch_name, f"(?:{_name_pattern(15)})?", "branch name of at most 15 bytes"),
        (96, r.account_type, "[129]", "account type 1, 2 or 9"),
        (97, r.account_number, "[0-9]{7}", "account number of seven digits"),
    )
    for position, value, pattern, what in checks:
        if not re.fullmatch(pattern, value):
            raise BankFileError(f"remitter: {what} expected", record=1, position=position)
    return (
        f"1210{r.code}{r.name:<40}{value_date:%m%d}{r.bank_code}{r.bank_name:<15}"
        f"{r.branch_code}{r.branch_name:<15}{r.account_type}{r.account_number}"
    )


def trailer_line(*, count: int, sum_minor: int) -> str:
    """Returns the characters 1 to 19 of a trailer."""
    return f"8{count:06d}{sum_minor:012d}"


def write(
    remitter: Remitter,
    value_date: date,
    items: Iterable[TransferRow],
    *,
    line_end: bytes = CRLF,
    records_max: int = RECORDS_MAX,
    manner: Manner = STANDARD,
) -> Iterator[bytes]:
    """Yields the bytes of exactly one file in pieces of a thousand records. One piece is in memory
    at a time.

    `items` has at least one item and is in ascending order of the payout numbers. `line_end` is
    CRLF or nothing. `records_max` and `manner` are the bank's own. The remitter is checked at once, and
    each item when it is written. The pieces that were yielded before an error are no file, so the
    file is published after the last piece. Raises `BankFileError`.
    """
    if line_end not in (CRLF, b""):
        raise BankFileError("records end with CRLF or with nothing")
    header = f"{header_line(remitter, value_date):<120}"
    writer = ItemWriter(records_max=records_max, manner=manner)
    return _pieces(header, iter(items), writer=writer, line_end=line_end)


def _pieces(
    header: str, items: Iterator[TransferRow], *, writer: ItemWriter, line_end: bytes
) -> Iterator[bytes]:
    previous = ""
    lines = [header]
    while block := list(islice(items, _RECORDS_PER_WRITE)):
        for item in block:
            line = writer.line(item, "       ")
            reference = line[91:111]
            if reference <= previous:
                raise BankFileError(
                    "payout numbers must ascend, each once", record=writer.count + 1, position=92
                )
            previous = reference
            lines.append(line)
        yield writer.encode(lines, line_end=line_end)
        lines = []
    if not writer.count:
        raise BankFileError("a transfer file holds at least one item")
    trailer = trailer_line(count=writer.count, sum_minor=writer.sum_minor)
    yield encode_records([f"{trailer:<120}", f"{'9':<120}"], line_end=line_end)


def remitter_of(fields: tuple[str, ...]) -> tuple[Remitter, str]:
    """Returns the remitter and the MMDD of a header's first nine fields."""
    code, name, mmdd, bank, bank_name, branch, branch_name, kind, account = fields[:9]
    remitter = Remitter(
        code=code,
        name=name.rstrip(" "),
        bank_code=bank,
        bank_name=bank_name.rstrip(" "),
        branch_code=branch,
        branch_name=branch_name.rstrip(" "),
        account_type=kind,
        account_number=account,
    )
    return remitter, mmdd


def item_of(fields: tuple[str, ...]) -> TransferItem:
    """Returns the item of a data record's first ten fields."""
    bank, bank_name, branch, branch_name, kind, account, payee, amount, new, reference = fields[:10]
    return TransferItem(
        bank,
        bank_name.rstrip(" "),
        branch,
        branch_name.rstrip(" "),
        kind,
        account,
        payee.rstrip(" "),
        int(amount),
        reference.lstrip("0"),
        new,
    )


def stream(source: Source) -> tuple[TransferHeader, Iterator[TransferItem]]:
    """Returns the header and an iterator over the items, so that memory does not grow with the
    file.

    The totals are checked after the last item. The items are therefore valid only when the
    iteration has ended without an error. Raises `BankFileError` with record and position.
    """
    framed = _framed(source)
    return _header_of(framed), _items(framed)


def read(source: Source) -> TransferFile:
    """Returns the whole file; raises BankFileError with record, position and reason."""
    framed = _framed(source)
    header = _header_of(framed)
    items = tuple(_items(framed))
    return TransferFile(
        header=header, items=items, sum_minor=framed.sum_minor, sha256=framed.sha256
    )


def _framed(source: Source) -> Framed:
    return Framed(source, header=_HEADER, data=_DATA, trailer=_TRAILER, amount_at=AMOUNT_AT)


def _header_of(framed: Framed) -> TransferHeader:
    remitter, mmdd = remitter_of(framed.header)
    return TransferHeader(remitter=remitter, value_mmdd=mmdd)


def _items(framed: Framed) -> Iterator[TransferItem]:
    previous = ""
    for number, fields in framed:
        if fields[9] <= previous:
            raise BankFileError("payout numbers must ascend, each once", record=number, position=92)
        previous = fields[9]
        yield item_of(fields)
