"""What a file of every payout format has: the remitter, the items, and their limits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeAlias

from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.records import ENCODING

PAYEE_BYTES_MAX = 30


class AccountType(StrEnum):
    """The kinds of account that a transfer can reach. A remitter cannot pay from a savings account."""

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

    It is a named tuple and not a dataclass, because a file has up to a million of them. Rows of a
    database cursor with the same columns in the same order can be used in its place.
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


# The columns of a `TransferItem`, as a database cursor returns them.
TransferRow: TypeAlias = tuple[str, str, str, str, str, str, str, int, str, str]


class Transfers(Protocol):
    """A transfer file that was read and fully checked."""

    @property
    def remitter(self) -> Remitter: ...

    @property
    def items(self) -> tuple[TransferItem, ...]: ...

    @property
    def sum_minor(self) -> int: ...

    @property
    def sha256(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Manner:
    """How the bank that pays wants its file: its encoding, as Python names it, and after how many
    characters a payee's name is cut. Amounts are in minor units of `currency`.
    """

    encoding: str = ENCODING
    name_max: int = PAYEE_BYTES_MAX
    currency: str = "JPY"


STANDARD = Manner()


@dataclass(frozen=True, slots=True)
class Limits:
    """How many items one file holds at most, and of what sum."""

    records_max: int
    sum_max_minor: int

    def within(self, records_max: int, sum_max_minor: int | None = None) -> Limits:
        """Returns these limits with a bank's own number of items, which must lie within them, and
        its own sum if that is less.
        """
        if not 1 <= records_max <= self.records_max:
            raise BankFileError(f"a file holds 1 to {self.records_max:,} items")
        return Limits(records_max, min(sum_max_minor or self.sum_max_minor, self.sum_max_minor))

    def fitting(self, amounts: Iterable[int], *, count: int = 0, sum_minor: int = 0) -> int:
        """Returns how many of the amounts, in their order, fit into one file (rule 50).

        The file holds `count` items of `sum_minor` already.
        """
        fit = 0
        for amount in amounts:
            sum_minor += amount
            if count + fit == self.records_max or sum_minor > self.sum_max_minor:
                break
            fit += 1
        return fit
