"""The payout formats of banks. The bank account that pays names its format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from refunds.bankfiles import zengin_result, zengin_transfer
from refunds.bankfiles.answers import Checks, Results
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


@dataclass(frozen=True, slots=True)
class Format:
    """One bank's formats: its transfer file, its account-check file, and its answers.

    Every function is pure and raises `BankFileError`. `write` and `write_questions` yield one file
    in pieces, so that memory does not grow with the file. `read` returns what `write` was given.
    `read_answer` returns results or account checks. The name of a transfer file ends in `suffix`.
    Amounts are in minor units of one of its `currencies`, which the file itself does not name.
    `encodings` has, by the charset of a bank profile, the name that Python gives to it.
    """

    suffix: str
    currencies: frozenset[str]
    encodings: Mapping[str, str]
    limits: Limits
    write: WriteTransfers
    read: Callable[[bytes], Transfers]
    write_questions: Callable[[Remitter, date, Iterable[TransferItem]], Iterator[bytes]]
    read_answer: Callable[[bytes], Results | Checks]


FORMATS: dict[str, Format] = {
    "zengin": Format(
        suffix="txt",
        currencies=frozenset({"JPY"}),
        # A record has 120 bytes, and half-width katakana have more than one in UTF-8.
        encodings={"jis_x_0201": "cp932", "shift_jis": "shift_jis"},
        limits=zengin_transfer.LIMITS,
        write=zengin_transfer.write,
        read=zengin_transfer.read,
        write_questions=zengin_result.write_questions,
        read_answer=zengin_result.read_answer,
    ),
}
# The bank that pays for us -> its format, if that is not the standard one.
FORMAT_OF_BANK: dict[str, str] = {}


def format_of(bank_code: str) -> Format:
    """Returns the format of our account at this bank."""
    return FORMATS[FORMAT_OF_BANK.get(bank_code, "zengin")]
