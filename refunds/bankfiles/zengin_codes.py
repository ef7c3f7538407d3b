"""The public list of bank and branch codes as plain rows, to be copied into tables by version.

The data set loads all it has when it is imported. That takes seconds and keeps tens of thousands of
objects in memory. It is therefore imported inside the functions, which only the loader command
calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from refunds.bankfiles.errors import BankFileError
from refunds.bankfiles.kana import to_bank_kana

NAME_BYTES_MAX = 15


class BankRow(NamedTuple):
    """One bank: four-digit code, name as written, name in bank text of at most 15 bytes."""

    code: str
    name: str
    kana: str


class BranchRow(NamedTuple):
    """One branch of a bank: three-digit code, name as written, name in bank text (15 bytes)."""

    bank_code: str
    code: str
    name: str
    kana: str


def dataset_version() -> str:
    """Returns the version of the data set, which ends in its date."""
    import zengin_code

    return str(zengin_code.__version__)


def banks() -> Iterator[BankRow]:
    """Yields every bank by ascending code."""
    from zengin_code import Bank

    for code in sorted(Bank.all):
        bank = Bank.all[code]
        yield BankRow(code=code, name=bank.name, kana=_name_kana(bank.kana))


def branches() -> Iterator[BranchRow]:
    """Yields every branch of every bank by ascending bank and branch code."""
    from zengin_code import Bank

    for bank_code in sorted(Bank.all):
        for code, branch in sorted(Bank.all[bank_code].branches.items()):
            yield BranchRow(
                bank_code=bank_code, code=code, name=branch.name, kana=_name_kana(branch.kana)
            )


def _name_kana(kana: str) -> str:
    """Returns the name in bank text. Raises if it does not fit its field, because a cut name is
    another name.
    """
    normalised = to_bank_kana(kana)
    if not 1 <= len(normalised) <= NAME_BYTES_MAX:
        raise BankFileError("bank data: a name is empty or longer than 15 bytes")
    return normalised
