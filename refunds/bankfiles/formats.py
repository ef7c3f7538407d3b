"""The formats of banks: what is sent to them, and what they send. The bank account that pays names
its format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NoReturn, Protocol

from refunds.bankfiles import (
    camt_053,
    csv_results,
    csv_transfers,
    item_checks,
    pain_001,
    pain_002,
    zengin_result,
    zengin_statement,
    zengin_transfer,
)
from refunds.bankfiles.answers import Checks, Results
from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.reports import StatusReport
from refunds.bankfiles.sources import Source, beginning
from refunds.bankfiles.statements import StatementFile
from refunds.bankfiles.transfer_items import (
    Limits,
    Manner,
    Remitter,
    TransferItem,
    TransferRow,
    Transfers,
)


class WriteTransfers(Protocol):
    def __call__(
        self,
        remitter: Remitter,
        value_date: date,
        items: Iterable[TransferRow],
        /,
        *,
        records_max: int,
        manner: Manner,
    ) -> Iterator[bytes]: ...


class ReadStatements(Protocol):
    def __call__(self, source: Source, /, *, currency: str, near: date) -> StatementFile: ...


class ReadReport(Protocol):
    def __call__(self, source: Source, /, *, currency: str, near: date) -> StatusReport: ...


@dataclass(frozen=True, slots=True)
class Format:
    """One bank's formats: its transfer file, its account-check file, its answers, its statements.

    Every function is pure and raises `BankFileError`. `write` and `write_questions` yield one file
    in pieces, so that memory does not grow with the file. `read` returns what `write` was given,
    and `totals` the number of its transfers and their sum in the given currency.
    `read_answer` returns results or account checks. The name of a transfer file ends in `suffix`.
    Amounts are in minor units of one of its `currencies`, which the file itself does not name.
    `encodings` has, by the charset of a bank profile, the name that Python gives to it. `unsaid`
    names the columns of an item for which the file has no place; `read` returns their default.
    `takes_iban` says whether a payee's account may be named by an IBAN.

    `read_statements` returns statements and notices of incoming money, and `read_report` what became
    of each transfer in the bank's own words; both are None for a bank that has none. They are given
    the programme's currency and the day on which the file is read.
    """

    suffix: str
    currencies: frozenset[str]
    encodings: Mapping[str, str]
    limits: Limits
    write: WriteTransfers
    read: Callable[[bytes], Transfers]
    totals: Callable[[bytes, str], tuple[int, int]]
    write_questions: Callable[[Remitter, date, Iterable[TransferItem]], Iterator[bytes]]
    read_answer: Callable[[Source], Results | Checks]
    read_statements: ReadStatements | None = None
    read_report: ReadReport | None = None
    unsaid: frozenset[str] = frozenset()
    takes_iban: bool = False

    @property
    def checks_accounts(self) -> bool:
        """Returns whether the bank can be asked about names and accounts."""
        return self.write_questions is not no_account_check


def no_account_check(_remitter: Remitter, _asked_on: date, _items: object) -> NoReturn:
    """The format has no file that asks about accounts. Raises `BankFileError`."""
    raise BankFileError("this bank's format has no account check")


def no_answer(_source: Source) -> NoReturn:
    """The bank answers by reports, which `read_report` reads. Raises `BankFileError`."""
    raise BankFileError("this bank answers by status reports")


def _totals(file: Transfers) -> tuple[int, int]:
    return len(file.items), file.sum_minor


def _zengin_totals(content: bytes, _yen: str) -> tuple[int, int]:
    """Memory does not grow with the file."""
    count = sum_minor = 0
    for item in zengin_transfer.stream(content)[1]:
        count, sum_minor = count + 1, sum_minor + item.amount_minor
    return count, sum_minor


FORMATS: dict[str, Format] = {
    "zengin": Format(
        suffix="txt",
        currencies=frozenset({"JPY"}),
        # A record has 120 bytes, and half-width katakana have more than one in UTF-8.
        encodings={"jis_x_0201": "cp932", "shift_jis": "shift_jis"},
        limits=zengin_transfer.LIMITS,
        write=zengin_transfer.write,
        read=zengin_transfer.read,
        totals=_zengin_totals,
        write_questions=zengin_result.write_questions,
        read_answer=zengin_result.read_answer,
        read_statements=zengin_statement.read,
    ),
    "iso20022": Format(
        suffix="xml",
        currencies=pain_001.CURRENCIES,
        encodings={"utf_8": "utf-8"},
        limits=item_checks.LIMITS,
        write=pain_001.write,
        read=pain_001.read,
        totals=lambda content, currency: _totals(pain_001.read(content, currency=currency)),
        write_questions=no_account_check,
        read_answer=no_answer,
        read_statements=camt_053.read,
        read_report=pain_002.read,
        unsaid=frozenset({"new_code"}),
        takes_iban=True,
    ),
    "csv": Format(
        suffix="csv",
        currencies=frozenset({csv_transfers.CURRENCY}),
        encodings={"utf_8": "utf-8"},
        limits=item_checks.LIMITS,
        write=csv_transfers.write,
        read=csv_transfers.read,
        totals=lambda content, _yen: _totals(csv_transfers.read(content)),
        write_questions=no_account_check,
        read_answer=no_answer,
        read_report=csv_results.read,
    ),
}
STANDARD = "zengin"
_HEAD_BYTES = 4_096
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Content(StrEnum):
    """What a file of a bank is about. An answer has results of transfers or account checks."""

    ANSWER = "answer"
    REPORT = "report"
    STATEMENT = "statement"


def recognise(source: Source) -> tuple[Format, Content]:
    """Returns the format of a file from a bank, and what it is about, by how it begins.

    The account that pays now does not say it: a bank that paid earlier still answers. Whatever no
    format begins with is for the standard one, whose reader refuses it with the place.
    """
    head = beginning(source, _HEAD_BYTES).removeprefix(_BYTE_ORDER_MARK)
    if head.lstrip().startswith(b"<"):
        return FORMATS["iso20022"], Content.STATEMENT if b"camt." in head else Content.REPORT
    if head.startswith(b"row,"):
        return FORMATS["csv"], Content.REPORT
    if head.startswith((b"101", b"103")):
        return FORMATS["zengin"], Content.STATEMENT
    return FORMATS[STANDARD], Content.ANSWER
