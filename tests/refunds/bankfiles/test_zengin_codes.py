"""The public bank data can be used in a transfer file unchanged."""

from __future__ import annotations

import subprocess
import sys

import pytest
from zengin_code import Bank

from refunds.bankfiles import zengin_codes
from refunds.bankfiles.kana import is_bank_text
from refunds.bankfiles.yucho import convert

WEB_PROCESS = """
import sys
from refunds.bankfiles import calendar, yucho, zengin_codes, zengin_result, zengin_transfer
loaded = {"zengin_code", "django"} & set(sys.modules)
sys.exit(f"imported: {loaded}" if loaded else 0)
"""


@pytest.fixture(scope="module")
def banks() -> list[zengin_codes.BankRow]:
    return list(zengin_codes.banks())


@pytest.fixture(scope="module")
def branches() -> list[zengin_codes.BranchRow]:
    return list(zengin_codes.branches())


def test_every_bank_and_branch_of_the_data_set_is_yielded_once_in_order(
    banks: list[zengin_codes.BankRow], branches: list[zengin_codes.BranchRow]
) -> None:
    """Rule 51."""
    assert [row.code for row in banks] == sorted(Bank.all)
    keys = [(row.bank_code, row.code) for row in branches]
    assert keys == sorted(set(keys))
    assert len(keys) == sum(len(bank.branches) for bank in Bank.all.values())
    assert len(keys) > 20_000


def test_every_name_fits_its_field_in_bank_text(
    banks: list[zengin_codes.BankRow], branches: list[zengin_codes.BranchRow]
) -> None:
    """Rule 48."""
    for row in [*banks, *branches]:
        assert is_bank_text(row.kana)
        assert 1 <= len(row.kana) <= zengin_codes.NAME_BYTES_MAX


def test_known_names_are_converted_to_half_width(
    banks: list[zengin_codes.BankRow], branches: list[zengin_codes.BranchRow]
) -> None:
    """Rule 51."""
    assert ("0001", "ﾐｽﾞﾎ") in {(row.code, row.kana) for row in banks}
    assert ("0034", "081") in {(row.bank_code, row.code) for row in branches}


def test_converted_japan_post_bank_accounts_have_a_branch(
    branches: list[zengin_codes.BranchRow],
) -> None:
    """Rule 51."""
    keys = {(row.bank_code, row.code) for row in branches}
    for account in (convert("10010", "12345671"), convert("00120", "123456")):
        assert (account.bank_code, account.branch_code) in keys


def test_the_version_of_the_data_set_names_its_date() -> None:
    """Rule 51."""
    assert zengin_codes.dataset_version().rpartition(".")[2].isdigit()


def test_importing_the_bank_formats_loads_neither_the_data_set_nor_the_framework() -> None:
    """The data set takes seconds and memory, and the formats can be used without a project."""
    done = subprocess.run(
        [sys.executable, "-c", WEB_PROCESS], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
