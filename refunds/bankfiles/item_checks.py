"""The fields of a transfer, checked for the formats whose fields have no fixed places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from refunds.bankfiles import iban
from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.kana import BANK_CHARACTERS
from refunds.bankfiles.records import RECORDS_MAX, SUM_MAX_MINOR
from refunds.bankfiles.transfer_items import (
    PAYEE_BYTES_MAX,
    Limits,
    Remitter,
    TransferItem,
    TransferRow,
)

_BESIDE_AN_IBAN: Final = ("bank_code", "bank_name", "branch_code", "branch_name", "account_type")
LIMITS: Final = Limits(records_max=RECORDS_MAX, sum_max_minor=SUM_MAX_MINOR)


def _name(width: int) -> str:
    return f"[{BANK_CHARACTERS}](?:[{BANK_CHARACTERS} ]{{0,{width - 2}}}[{BANK_CHARACTERS}])?"


ITEM_FIELDS: Final[tuple[tuple[str, str, str], ...]] = (
    ("bank_code", "[0-9]{4}", "bank code of four digits"),
    ("bank_name", f"(?:{_name(15)})?", "bank name of at most 15 bytes"),
    ("branch_code", "[0-9]{3}", "branch code of three digits"),
    ("branch_name", f"(?:{_name(15)})?", "branch name of at most 15 bytes"),
    ("account_type", "[1249]", "account type 1, 2, 4 or 9"),
    ("account_number", "[0-9]{7}", "account number of seven digits"),
    ("payee_kana", _name(PAYEE_BYTES_MAX), "payee of 1 to 30 bytes"),
    ("amount_minor", "[1-9][0-9]{0,9}", "whole amount from 1 to 9,999,999,999"),
    ("reference", "[1-9][0-9]{0,19}", "payout number of 1 to 20 digits"),
    ("new_code", "[012]", "new code 0, 1 or 2"),
)
REMITTER_FIELDS: Final[tuple[tuple[str, str, str], ...]] = (
    ("code", "[0-9]{10}", "remitter code of ten digits"),
    ("name", _name(40), "remitter name of 1 to 40 bytes"),
    ("bank_code", "[0-9]{4}", "bank code of four digits"),
    ("bank_name", f"(?:{_name(15)})?", "bank name of at most 15 bytes"),
    ("branch_code", "[0-9]{3}", "branch code of three digits"),
    ("branch_name", f"(?:{_name(15)})?", "branch name of at most 15 bytes"),
    ("account_type", "[129]", "account type 1, 2 or 9"),
    ("account_number", "[0-9]{7}", "account number of seven digits"),
)
# An account that is named by an IBAN: its number says bank, branch and type.
IBAN_FIELDS: Final[tuple[tuple[str, str, str], ...]] = tuple(
    {
        "account_number": (name, "[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", "IBAN"),
        **{empty: (empty, "", "nothing beside an IBAN") for empty in _BESIDE_AN_IBAN},
    }.get(name, (name, pattern, what))
    for name, pattern, what in ITEM_FIELDS
)
_JOINED: Final = "|".join(["%s"] * len(ITEM_FIELDS))
_matches = re.compile(r"\|".join(pattern for _, pattern, _ in ITEM_FIELDS)).fullmatch
_matches_iban = re.compile(r"\|".join(pattern for _, pattern, _ in IBAN_FIELDS)).fullmatch


def check_item(item: TransferRow, *, record: int, first: int = 1, takes_iban: bool = False) -> None:
    """Every field of the item has its form. `first` is the position of the first field. An account
    may be named by its IBAN alone where the format `takes_iban`. Raises `BankFileError` with the
    place of the first that has not its form.
    """
    if _matches(_JOINED % item):
        return
    is_iban = takes_iban and not (item[0] or item[2] or item[4])
    if is_iban and _matches_iban(_JOINED % item):
        if iban.is_canonical(item[5]):
            return
        raise BankFileError(
            "account_number: valid IBAN expected", record=record, position=first + 5
        )
    for position, ((name, pattern, what), value) in enumerate(
        zip(IBAN_FIELDS if is_iban else ITEM_FIELDS, item, strict=True), start=first
    ):
        if not re.fullmatch(pattern, f"{value}"):
            raise BankFileError(f"{name}: {what} expected", record=record, position=position)
    raise AssertionError("an item that breaks the pattern breaks one of its fields")


def check_remitter(remitter: Remitter, *, record: int, first: int = 1) -> None:
    """Every field of the account that pays has its form."""
    for position, (name, pattern, what) in enumerate(REMITTER_FIELDS, start=first):
        if not re.fullmatch(pattern, getattr(remitter, name)):
            raise BankFileError(
                f"remitter {name}: {what} expected", record=record, position=position
            )


class Ascending:
    """Items in the ascending order of their payout numbers, counted and summed as they pass."""

    def __init__(self, *, records_max: int, takes_iban: bool = False) -> None:
        self._takes_iban = takes_iban
        self._records_max = LIMITS.within(records_max).records_max
        self._previous = 0
        self.count = 0
        self.sum_minor = 0

    def take(self, item: TransferItem, *, record: int) -> TransferItem:
        """The item is the next one of the file; returns it."""
        self.count += 1
        self.sum_minor += item.amount_minor
        if self.count > self._records_max:
            raise BankFileError(
                f"more than {self._records_max:,} items: split them over several files"
            )
        if self.sum_minor > SUM_MAX_MINOR:
            raise BankFileError("a sum of more than 12 digits: split them over several files")
        number = int(item.reference)
        if number <= self._previous:
            raise BankFileError("payout numbers must ascend, each once", record=record)
        self._previous = number
        return item

    def checked(self, items: Iterable[TransferRow], *, name_max: int) -> Iterator[TransferItem]:
        """Yields the items as they stand in a file, each checked, and its name cut as the bank
        wants it. Raises if there is none.
        """
        for number, row in enumerate(items, start=1):
            check_item(row, record=number, takes_iban=self._takes_iban)
            item = TransferItem(*row)
            if len(item.payee_kana) > name_max:
                item = item._replace(payee_kana=item.payee_kana[:name_max].rstrip(" "))
            yield self.take(item, record=number)
        if not self.count:
            raise BankFileError("a transfer file holds at least one item")
