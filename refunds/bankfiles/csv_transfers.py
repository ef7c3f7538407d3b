"""Our CSV file of transfers, for banks and payment agents without a standard: written and read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date
from itertools import islice
from typing import Final

from refunds.bankfiles.amounts import minor_of, refuse_other_currency
from refunds.bankfiles.csv_rows import plain_day, rows
from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.item_checks import Ascending, check_item, check_remitter
from refunds.bankfiles.records import RECORDS_MAX
from refunds.bankfiles.sources import Opened, Source
from refunds.bankfiles.transfer_items import STANDARD, Manner, Remitter, TransferItem, TransferRow

CURRENCY: Final = "JPY"
FILE_BYTES_MAX: Final = 2**30
_ROWS_PER_WRITE: Final = 1000
COLUMNS: Final = (
    "row",
    "value_date",
    "currency",
    *(f"from_{one.name}" for one in fields(Remitter)),
    *TransferItem._fields,
)
_AMOUNT_AT: Final = COLUMNS.index("amount_minor")
_REFERENCE_AT: Final = COLUMNS.index("reference")
_FROM: Final = slice(3, 3 + len(fields(Remitter)))
_ITEM: Final = slice(_FROM.stop, None)
_TRANSFER, _END = "transfer", "end"


@dataclass(frozen=True, slots=True)
class TransferTable:
    """A whole file that was read and fully checked."""

    remitter: Remitter
    value_date: date
    items: tuple[TransferItem, ...]
    sum_minor: int
    sha256: str


def write(
    remitter: Remitter,
    value_date: date,
    items: Iterable[TransferRow],
    *,
    records_max: int = RECORDS_MAX,
    manner: Manner = STANDARD,
) -> Iterator[bytes]:
    """Yields the bytes of exactly one file in pieces of a thousand rows, in UTF-8 whatever `manner`
    says. The last row has count and sum, so a file that was cut off is no file. Raises
    `BankFileError`.
    """
    check_remitter(remitter, record=2, first=_FROM.start + 1)
    return _pieces(remitter, value_date, items, Ascending(records_max=records_max), manner=manner)


def _pieces(
    remitter: Remitter,
    value_date: date,
    items: Iterable[TransferRow],
    taken: Ascending,
    *,
    manner: Manner,
) -> Iterator[bytes]:
    repeated = [
        _TRANSFER,
        f"{value_date:%Y-%m-%d}",
        CURRENCY,
        *(getattr(remitter, one.name) for one in fields(remitter)),
    ]
    yield _encoded([COLUMNS])
    checked = taken.checked(items, name_max=manner.name_max)
    while block := list(islice(checked, _ROWS_PER_WRITE)):
        yield _encoded([*repeated, *item] for item in block)
    end = [""] * len(COLUMNS)
    end[0], end[2] = _END, CURRENCY
    end[_AMOUNT_AT], end[_REFERENCE_AT] = f"{taken.sum_minor}", f"{taken.count}"
    yield _encoded([end])


def _encoded(table: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(table)
    return text.getvalue().encode()


def read(source: Source) -> TransferTable:
    """Returns the whole file; raises `BankFileError` with row, column and reason."""
    opened = Opened(source, bytes_max=FILE_BYTES_MAX)
    taken, items = Ascending(records_max=RECORDS_MAX), []
    head: list[str] | None = None
    is_closed = False
    for number, cells in rows(opened, columns=COLUMNS):
        if is_closed:
            raise BankFileError("rows behind the end row", record=number, position=1)
        refuse_other_currency(cells[2], currency=CURRENCY, record=number, position=3)
        # The yen has no smaller unit, so the amount is in minor units as it stands.
        amount = minor_of(
            cells[_AMOUNT_AT], currency=CURRENCY, record=number, position=_AMOUNT_AT + 1
        )
        if cells[0] == _END:
            _check_end(cells, amount, taken, number=number)
            is_closed = True
            continue
        if cells[0] != _TRANSFER:
            raise BankFileError(f"{_TRANSFER} or {_END} expected", record=number, position=1)
        if head is None:
            head = cells[: _FROM.stop]
        elif cells[: _FROM.stop] != head:
            raise BankFileError(
                "one value date and one account that pays expected", record=number, position=2
            )
        items.append(taken.take(_item(cells, amount, number=number), record=number))
    if head is None or not is_closed:
        raise BankFileError("the file is cut off: transfers and an end row expected")
    remitter = Remitter(*head[_FROM])
    check_remitter(remitter, record=2, first=_FROM.start + 1)
    return TransferTable(
        remitter=remitter,
        value_date=plain_day(head[1], record=2, position=2),
        items=tuple(items),
        sum_minor=taken.sum_minor,
        sha256=opened.sha256,
    )


def _item(cells: list[str], amount_minor: int, *, number: int) -> TransferItem:
    bank, bank_name, branch, branch_name, kind, account, payee, _, reference, new = cells[_ITEM]
    item = TransferItem(
        bank, bank_name, branch, branch_name, kind, account, payee, amount_minor, reference, new
    )
    check_item(item, record=number, first=_ITEM.start + 1)
    return item


def _check_end(cells: list[str], sum_minor: int, taken: Ascending, *, number: int) -> None:
    if cells[_REFERENCE_AT] != f"{taken.count}":
        raise BankFileError(
            "the count of transfers differs from the rows",
            record=number,
            position=_REFERENCE_AT + 1,
        )
    if sum_minor != taken.sum_minor:
        raise BankFileError(
            "the sum of amounts differs from the rows", record=number, position=_AMOUNT_AT + 1
        )
