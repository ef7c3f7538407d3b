"""International bank account numbers (ISO 13616): written in one form, and checked."""

from __future__ import annotations

import re
from typing import Final

from refunds.bankfiles.errors import BankFileError

# A programme in one of these currencies asks its holders for an IBAN.
CURRENCIES: Final = frozenset({"EUR"})
# Of the registry of SWIFT, for the countries of the single euro payments area. The length of the
# others is not checked beyond that of the standard.
LENGTHS: Final[dict[str, int]] = {
    "AD": 24, "AL": 28, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18,
    "EE": 20, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GI": 23, "GR": 27, "HR": 21, "HU": 28, "IE": 22,
    "IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "RS": 22, "SE": 24, "SI": 19, "SK": 24,
    "SM": 27, "VA": 22,
}  # fmt: skip
# What people type for 34 characters, with spaces between groups of four and the word before it.
TYPED_MAX: Final = 48
_FORM: Final = re.compile("[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
# People and letters write it in groups, and some with its name in front.
_BETWEEN: Final = re.compile(r"[\s\u00a0-]+")


class IbanRefused(BankFileError):
    """The number is no IBAN. The message says what is wrong, and nothing of the number."""


def canonical(typed: str) -> str:
    """Returns the number in its electronic form: capitals and digits without spaces.

    Raises `IbanRefused` for another form, a length that its country does not have, and check digits
    that do not fit (ISO 7064, mod 97-10).
    """
    number = _BETWEEN.sub("", typed).upper().removeprefix("IBAN")
    if not _FORM.fullmatch(number):
        raise IbanRefused("two letters, two digits and 11 to 30 letters or digits expected")
    if len(number) != LENGTHS.get(number[:2], len(number)):
        raise IbanRefused(f"an IBAN of {number[:2]} has {LENGTHS[number[:2]]} characters")
    if not _is_proved(number):
        raise IbanRefused("the check digits do not fit: one character is wrong")
    return number


def is_canonical(number: str) -> bool:
    """Returns whether this is a valid number in its electronic form."""
    return (
        _FORM.fullmatch(number) is not None
        and len(number) == LENGTHS.get(number[:2], len(number))
        and _is_proved(number)
    )


def _is_proved(number: str) -> bool:
    moved = number[4:] + number[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1


def in_groups(number: str) -> str:
    """Returns the number as letters print it: groups of four."""
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))
