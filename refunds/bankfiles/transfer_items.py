"""What every payout format carries: the remitter, the items, and their limits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.records import (
    RECORDS_MAX,
)

AMOUNT_MAX_MINOR = 9_999_999_999


PAYEE_BYTES_MAX = 30


REFERENCE_DIGITS_MAX = 20


class AccountType(StrEnum):
    """The kinds of account a transfer can reach; a remitter pays from no savings account."""

    ORDINARY = "1"
    CURRENT = "2"
    SAVINGS = "4"
    OTHER = "9"


class NewCode(StrEnum):
    """What the bank is told about this payee since the last transfer."""

    OTHER = "0"
    FIRST = "1"
    CHANGED = "2"


@dataclass(frozen=True, slots=True)
class Remitter:
    """The account that pays: digits in full width, names in bank text, two of them optional."""

    code: str
    name: str
    bank_code: str
    bank_name: str
    branch_code: str
    branch_name: str
    account_type: str
    account_number: str


class TransferItem(NamedTuple):
    """One transfer: digits of full width (4, 3, 7), names in bank text, our payout number.

    A named tuple and not a dataclass, because a file has up to a million of them and the rows of a
    database cursor with the same columns in the same order may stand in for it.
    """

    bank_code: str
    bank_name: str
    branch_code: str
    branch_name: str
    account_type: str
    account_number: str
    payee_kana: str
    amount_minor: int
    reference: str
    new_code: str = NewCode.FIRST


def limited(records_max: int) -> int:
    """A bank's own limit lies within the format's, whose trailer counts six digits."""
    if not 1 <= records_max <= RECORDS_MAX:
        raise BankFileError("a file holds 1 to 999,999 items")
    return records_max
