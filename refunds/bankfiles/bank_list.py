"""Our CSV of bank and branch codes: one row for each branch, read."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from refunds.bankfiles.csv_rows import rows
from refunds.bankfiles.errors import BankFileError, UnbankableText
from refunds.bankfiles.kana import to_bank_kana
from refunds.bankfiles.sources import Opened, Source
from refunds.bankfiles.zengin_codes import NAME_BYTES_MAX, BankRow, BranchRow

COLUMNS: Final = (
    "bank_code",
    "bank_name",
    "bank_kana",
    "branch_code",
    "branch_name",
    "branch_kana",
)
# Japan has about 30,000 branches.
BRANCHES_MAX: Final = 100_000
NAME_MAX: Final = 60
_KANA: Final = (2, 5)


class BankList(NamedTuple):
    """A list that was read: banks and branches by ascending code, and the SHA-256 of the file."""

    banks: list[BankRow]
    branches: list[BranchRow]
    sha256: str


def read(source: Source) -> BankList:
    """Returns the whole list; raises `BankFileError` with row, column and reason.

    Codes ascend, each once, and a bank has one name in all its rows. The kana may be written as
    people write them, and become bank text of at most 15 bytes.
    """
    opened = Opened(source)
    banks: dict[str, BankRow] = {}
    branches: list[BranchRow] = []
    before = ("", "")
    for number, cells in rows(opened, columns=COLUMNS):
        bank, branch = _rows(cells, number=number)
        if (bank.code, branch.code) <= before:
            raise BankFileError("codes that ascend, each once, expected", record=number, position=4)
        before = bank.code, branch.code
        if banks.setdefault(bank.code, bank) != bank:
            raise BankFileError("one name for one bank expected", record=number, position=2)
        if len(branches) == BRANCHES_MAX:
            raise BankFileError(f"more than {BRANCHES_MAX:,} branches", record=number)
        branches.append(branch)
    if not branches:
        raise BankFileError("at least one branch expected")
    return BankList(list(banks.values()), branches, opened.sha256)


def _rows(cells: list[str], *, number: int) -> tuple[BankRow, BranchRow]:
    for position, (cell, form, what) in enumerate(
        zip(
            cells,
            ("[0-9]{4}", _name(), _name(), "[0-9]{3}", _name(), _name()),
            ("bank code of four digits", "name", "kana", "branch code of three digits", "name", "kana"),
            strict=True,
        ),
        start=1,
    ):  # fmt: skip
        if not re.fullmatch(form, cell):
            raise BankFileError(f"{what} expected", record=number, position=position)
    bank_kana, branch_kana = (_kana(cells[at], number=number, position=at + 1) for at in _KANA)
    return (
        BankRow(cells[0], cells[1], bank_kana),
        BranchRow(cells[0], cells[3], cells[4], branch_kana),
    )


def _name() -> str:
    return rf"(?=.*\S)[^\x00-\x1f\x7f]{{1,{NAME_MAX}}}"


def _kana(text: str, *, number: int, position: int) -> str:
    try:
        kana = to_bank_kana(text)
    except UnbankableText:
        kana = ""
    if not 1 <= len(kana) <= NAME_BYTES_MAX:
        raise BankFileError(
            f"kana of at most {NAME_BYTES_MAX} bytes in bank text expected",
            record=number,
            position=position,
        )
    return kana
