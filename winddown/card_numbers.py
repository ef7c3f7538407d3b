"""Card numbers: where one may stand in a text or file, it is found and refused, and none is kept."""

from __future__ import annotations

import re
from typing import Final

# A card number in a cell of a file: 13 to 19 digits, perhaps grouped, nothing numeric around them.
CARD_NUMBER: Final = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")

# What people write between the groups. Commas, tabs and ends of lines stand between cells.
_BETWEEN: Final = (
    "[ \u00a0\u3000\\-\u2010-\u2015\u2212\u30fc\uff0d./_\uff0e\uff0f\uff3f\u00b7\u30fb\uff65|*+]"
)
_RUN: Final = re.compile(rf"\d+(?:{_BETWEEN}{{1,3}}\d+)*")
_KEY: Final = re.compile(
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE
)
_HEXADECIMAL: Final = "abcdefABCDEF"
_GROUP: Final = re.compile(r"\d+")
# ISO/IEC 7812: the beginnings and lengths of the card networks, so that other long numbers are not taken for one.
_BEGINS: Final = re.compile(
    r"(?:4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|5[1-5][0-9]{14}|2[2-7][0-9]{14}|35[0-9]{14}"
    r"|6[0-9]{15,18}|3[47][0-9]{13}|3[068][0-9]{12})"
)
LEAST, MOST = 13, 19
# What the database looks for before Python judges: as many digits, however they are separated.
IN_SQL: Final = "[0-9０-９]([^A-Za-z,;:\\n\\t]{0,3}[0-9０-９]){12}"


def passes_luhn(number: str) -> bool:
    digits = [int(character) for character in reversed(number) if character.isdigit()]
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def card_number_in(value: str) -> bool:
    """Returns whether the cell of a file contains 13 to 19 digits that pass Luhn's check."""
    return any(passes_luhn(found[0]) for found in CARD_NUMBER.finditer(value))


def told_in(text: str) -> bool:
    """Returns whether somebody wrote a card number into the text, with any separators, in digits of
    any width, also beside other numbers. Digits of keys and digests, which stand beside letters from
    a to f, are none.
    """
    told = _KEY.sub("", text)
    return any(_in_groups(_groups(found, told)) for found in _RUN.finditer(told))


def _groups(run: re.Match[str], text: str) -> list[str]:
    groups = _GROUP.findall(run[0])
    if run.start() and text[run.start() - 1] in _HEXADECIMAL:
        groups = groups[1:]
    if run.end() < len(text) and text[run.end()] in _HEXADECIMAL:
        groups = groups[:-1]
    return groups


def _in_groups(groups: list[str]) -> bool:
    for first in range(len(groups)):
        digits = ""
        for group in groups[first:]:
            digits += group
            if len(digits) > MOST:
                break
            if len(digits) >= LEAST and _is_card(digits):
                return True
    return False


def _is_card(digits: str) -> bool:
    plain = "".join(str(int(each)) for each in digits)
    return _BEGINS.fullmatch(plain) is not None and passes_luhn(plain)


def shown_in_file(name: str, content: bytes) -> bool:
    """Returns whether the file shows a card number. A text is read as people write; another file, as
    a PDF is, is full of numbers, so only closed groups count there. What is packed inside a picture
    cannot be read here: who checks it looks.
    """
    try:
        return told_in(f"{name}\n{content.decode()}")
    except UnicodeDecodeError:
        found = CARD_NUMBER.finditer(f"{name} {content.decode('latin-1')}")
        return any(_is_card(re.sub("[ -]", "", each[0])) for each in found)
