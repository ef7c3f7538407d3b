"""The notation on a passbook of Japan Post Bank becomes a bank account."""

from __future__ import annotations

import pytest

from refunds.bankfiles.yucho import YuchoRefused, convert


@pytest.mark.parametrize(
    ("symbol", "number", "account"),
    [
        ("10010", "12345671", ("9900", "008", "1", "1234567")),
        ("00120", "123456", ("9900", "019", "2", "0123456")),
        ("11940", "11", ("9900", "198", "1", "0000001")),
        ("１００１０", "１２３４５６７１", ("9900", "008", "1", "1234567")),
        (" 10010 ", "12345671 ", ("9900", "008", "1", "1234567")),
    ],
)
def test_the_notation_becomes_branch_type_and_number(
    symbol: str, number: str, account: tuple[str, ...]
) -> None:
    """Rule 51: only a branch that can exist is looked up."""
    assert convert(symbol, number) == account


@pytest.mark.parametrize(
    ("symbol", "number", "field"),
    [
        ("20010", "12345671", "symbol"),
        ("1001", "12345671", "symbol"),
        ("100101", "12345671", "symbol"),
        ("", "12345671", "symbol"),
        ("10010", "12345672", "number"),
        ("10010", "1", "number"),
        ("10010", "123456781", "number"),
        ("10010", "1234-5671", "number"),
        ("10010", "00000001", "number"),
        ("00120", "12345678", "number"),
        ("00120", "", "number"),
        ("00120", "0", "number"),
    ],
)
def test_a_notation_that_cannot_be_an_account_is_refused_by_field(
    symbol: str, number: str, field: str
) -> None:
    """Rule 51: only a branch that can exist is looked up."""
    with pytest.raises(YuchoRefused) as refusal:
        convert(symbol, number)
    assert refusal.value.field == field
