"""Text from outside: how it becomes storable, and when it says nothing."""

from __future__ import annotations

import difflib
import json
import math
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

REPLACEMENT = "\ufffd"
JSON_DEPTH_MAX = 50
# They turn the direction of what follows, or mark one.
_TURNS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# NUL and surrogates cannot be stored. The others show nothing and change what is beside them.
_UNSTORABLE = re.compile(
    f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff{_TURNS}]",
)
_BEGINS_A_FORMULA = tuple("=+-@＝＋－＠")
_INTEGERS = range(-(2**63), 2**63)
# Letters by their category that show nothing.
_SHOWS_NOTHING = ("\u115f", "\u1160", "\u2800", "\u3164", "\uffa0")


def storable(text: str) -> str:
    """Returns `text` with a replacement character for each character that PostgreSQL cannot store,
    and for each that would make a reason or a name read as something else.

    The first are NUL, and the surrogates that Python makes of bytes that it cannot decode. The
    second are control characters other than tabs and ends of lines, and those that turn the
    direction of a text. Joiners inside words and signs stay.
    """
    return _UNSTORABLE.sub(REPLACEMENT, text)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Returns the sentence that helps somebody who typed an unknown name: the one that is near, or
    all.
    """
    names = list(known)
    if near := nearest(name, names):
        return f"Did you mean {near}?"
    return f"Known are {', '.join(names)}." if names else ""


def nearest(name: str, known: Iterable[str]) -> str:
    """Returns the known name that is like `name`, or an empty text."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1)), "")


def name_of(path: Path) -> str:
    """Returns the name of the file as it is stored and shown."""
    return storable(path.name)


def printable(text: str) -> str:
    """Returns `text` with a replacement character for each one that a terminal obeys or that turns
    the direction of what follows. Line breaks and tabs stay.
    """
    return "".join(
        REPLACEMENT
        if letter in _TURNS or (unicodedata.category(letter) == "Cc" and letter not in "\n\t")
        else letter
        for letter in text
    )


def is_blank(text: str) -> bool:
    """Returns whether `text` shows nothing: it is empty, or all spaces and invisible characters."""
    return all(
        unicodedata.category(letter)[0] in "ZC" or letter in _SHOWS_NOTHING for letter in text
    )


def safe_in_spreadsheet(text: str) -> str:
    """Returns `text` so that a spreadsheet shows it and does not calculate it as a formula."""
    return f"'{text}" if text.lstrip().startswith(_BEGINS_A_FORMULA) else text


def read_json(text: str | bytes) -> Any:
    """Returns the value of the JSON `text`, which can be stored as it is.

    Raises `ValueError` for every text that is no JSON, is nested deeper than `JSON_DEPTH_MAX`, or
    holds a number that is not finite or needs more than 64 bits.
    """
    try:
        return _storable_value(json.loads(text, parse_constant=_refuse), depth=0)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def _storable_value(value: Any, *, depth: int) -> Any:
    if depth > JSON_DEPTH_MAX:
        raise ValueError("it is nested too deep")
    match value:
        case str():
            return storable(value)
        case float() if not math.isfinite(value):
            raise ValueError("a number is too large")
        case int() if value not in _INTEGERS:
            raise ValueError("a number is too large")
        case list():
            return [_storable_value(each, depth=depth + 1) for each in value]
        case dict():
            return {
                storable(key): _storable_value(each, depth=depth + 1) for key, each in value.items()
            }
    return value
