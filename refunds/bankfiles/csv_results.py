"""Our CSV file of results, for banks and payment agents without a standard: read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from refunds.bankfiles.amounts import minor_of, refuse_other_currency
from refunds.bankfiles.answers import ReturnReason
from refunds.bankfiles.csv_rows import plain_day, rows
from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.reports import (
    ISO_STATUSES,
    ReportHead,
    StatusLine,
    StatusReport,
    TransferStatus,
)
from refunds.bankfiles.seen import Seen
from refunds.bankfiles.sources import Opened, Source

FILE_BYTES_MAX: Final = 2**30
LINES_MAX: Final = 1_000_000
COLUMNS: Final = (
    "row",
    "reference",
    "status",
    "reason",
    "amount",
    "currency",
    "value_date",
    "paid_from",
    "bank_code",
    "branch_code",
    "account_type",
    "account_number",
    "payee_kana",
)
_FILE, _TRANSFER, _END = "file", "transfer", "end"
# The words of banks' own interfaces for the states of a transfer, beside ours.
_WORDS: Final[dict[str, TransferStatus]] = {
    "requested": TransferStatus.ACCEPTED,
    "reserved": TransferStatus.ACCEPTED,
    "retrying": TransferStatus.IN_PROCESS,
    "sent_back": TransferStatus.NOT_DONE,
    "withdrawn": TransferStatus.NOT_DONE,
    "expired": TransferStatus.NOT_DONE,
    "approval_cancelled": TransferStatus.NOT_DONE,
    # Those of the providers of postal orders and claim codes.
    "issued": TransferStatus.ACCEPTED,
    "cashed": TransferStatus.DONE,
    "redeemed": TransferStatus.DONE,
    **{status.value: status for status in TransferStatus},
    **ISO_STATUSES,
}
_REASONS: Final = {reason.value: reason for reason in ReturnReason}
_FORMS: Final = (
    ("bank_code", "(?:[0-9]{4})?", "bank code of four digits, or nothing"),
    ("branch_code", "(?:[0-9]{3})?", "branch code of three digits, or nothing"),
    ("account_type", "[1249]?", "account type 1, 2, 4, 9, or nothing"),
    ("account_number", "(?:[0-9]{7})?", "account number of seven digits, or nothing"),
)


def read(source: Source, *, currency: str, near: date) -> StatusReport:
    """Returns the report: its head at once, its lines by iterating once.

    A word for the status that no table knows is UNKNOWN. The last row has the count, so a file that
    was cut off is refused. `currency` is the programme's: another one is refused. `near` is not
    needed. A file has at most 1 GiB unpacked and `LINES_MAX` transfers. Raises `BankFileError` with
    row and column.
    """
    opened = Opened(source, bytes_max=FILE_BYTES_MAX)
    found = rows(opened, columns=COLUMNS)
    number, cells = next(found, (2, [""] * len(COLUMNS)))
    if cells[0] != _FILE:
        raise BankFileError(f"a row {_FILE} expected first", record=number, position=1)
    reason_code = cells[3]
    head = ReportHead(
        report_reference="",
        file_reference=cells[1],
        status=_WORDS.get(cells[2], TransferStatus.UNKNOWN),
        code=cells[2],
        reason=_reason(reason_code),
        reason_code=reason_code,
    )
    return StatusReport(head, _lines(found, currency=currency), digest=lambda: opened.sha256)


def _reason(code: str) -> ReturnReason | None:
    return (_REASONS.get(code) or ReturnReason.of_iso(code)) if code else None


def _lines(found: Iterator[tuple[int, list[str]]], *, currency: str) -> Iterator[StatusLine]:
    seen = Seen()
    for number, cells in found:
        if cells[0] == _END:
            if cells[1] != f"{seen.count}":
                raise BankFileError(
                    "the count of transfers differs from the rows", record=number, position=2
                )
            for behind, _ in found:
                raise BankFileError("rows behind the end row", record=behind, position=1)
            return
        if cells[0] != _TRANSFER:
            raise BankFileError(f"{_TRANSFER} or {_END} expected", record=number, position=1)
        if seen.count == LINES_MAX:
            raise BankFileError(f"more than {LINES_MAX:,} transfers; split the file", record=number)
        line = _line(cells, number=number, currency=currency)
        if seen.add(line.reference):
            raise BankFileError(
                "this reference was answered before in the file", record=number, position=2
            )
        yield line
    raise BankFileError("the file is cut off: an end row expected")


def _line(cells: list[str], *, number: int, currency: str) -> StatusLine:
    said = dict(zip(COLUMNS, cells, strict=True))
    place = {name: position for position, name in enumerate(COLUMNS, start=1)}
    if not re.fullmatch("[1-9][0-9]{0,19}", said["reference"]):
        raise BankFileError("payout number of 1 to 20 digits expected", record=number, position=2)
    for name, pattern, what in _FORMS:
        if not re.fullmatch(pattern, said[name]):
            raise BankFileError(f"{what} expected", record=number, position=place[name])
    amount = None
    if said["amount"]:
        refuse_other_currency(
            said["currency"], currency=currency, record=number, position=place["currency"]
        )
        amount = minor_of(
            said["amount"], currency=currency, record=number, position=place["amount"]
        )
    value_on = None
    if said["value_date"]:
        value_on = plain_day(said["value_date"], record=number, position=place["value_date"])
    return StatusLine(
        record=number,
        reference=said["reference"],
        status=_WORDS.get(said["status"], TransferStatus.UNKNOWN),
        code=said["status"],
        reason=_reason(said["reason"]),
        reason_code=said["reason"],
        amount_minor=amount,
        value_on=value_on,
        paid_from=said["paid_from"],
        bank_code=said["bank_code"],
        branch_code=said["branch_code"],
        account_type=said["account_type"],
        account_number=said["account_number"],
        payee=said["payee_kana"],
    )
