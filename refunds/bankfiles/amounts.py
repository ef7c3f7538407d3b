"""Amounts in files with a decimal point: exact, in the currency's own number of decimals."""

from __future__ import annotations

import re

from babel.numbers import get_currency_precision

from refunds.bankfiles.errors import BankFileError

AMOUNT_MAX_MINOR = 10**18 - 1
_AMOUNT = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,17}))?")


def text_of(amount_minor: int, *, currency: str) -> str:
    """Returns 12345 minor units as `12345` (JPY) or `123.45` (EUR)."""
    exponent = get_currency_precision(currency)
    whole, rest = divmod(amount_minor, 10**exponent)
    return f"{whole}.{rest:0{exponent}d}" if exponent else f"{whole}"


def minor_of(
    text: str, *, currency: str, record: int | None = None, position: int | None = None
) -> int:
    """Returns the amount in minor units. Decimals that the currency does not have must be zeros.
    Raises `BankFileError` for a sign, a separator, an exponent, and any digit that would be lost.
    """
    exponent = get_currency_precision(currency)
    match = _AMOUNT.fullmatch(text)
    decimals = (match[2] or "") if match else ""
    if match is None or decimals[exponent:].strip("0"):
        places = f"at most {exponent} decimals" if exponent else "no decimals"
        raise BankFileError(
            f"an amount of plain digits with {places} expected", record=record, position=position
        )
    amount = int(match[1] + decimals[:exponent].ljust(exponent, "0"))
    if amount > AMOUNT_MAX_MINOR:
        raise BankFileError(
            "an amount of at most 18 digits expected", record=record, position=position
        )
    return amount


def refuse_other_currency(
    found: str, *, currency: str, record: int | None = None, position: int | None = None
) -> None:
    """The file speaks of the programme's currency."""
    if found != currency:
        raise BankFileError(f"currency {currency} expected", record=record, position=position)
