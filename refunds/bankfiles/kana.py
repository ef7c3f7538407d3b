"""Text as the bank network carries it: single-byte JIS X 0201 characters and nothing else.

The network knows katakana without small kana and without ヲ, the two sound marks as characters of
their own, capital letters, digits, the space and `( ) - .`. There is no long vowel sign: banks
write a hyphen. Sources: character tables published with the banks' file specifications (pca.jp,
jinjer, miyagin); measured against a plain half-width conversion, which leaves small kana, the long
vowel sign, the middle dot and lower case in place and so produces a wrong file.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

import jaconv

from refunds.bankfiles.errors import UnbankableText

# One character class for all formats; in cp932 each of these is exactly one byte.
BANK_CHARACTERS = r"ｱ-ﾝﾞﾟ0-9A-Z()\-."
_BANK_TEXT = re.compile(rf"(?:[{BANK_CHARACTERS}]+(?: [{BANK_CHARACTERS}]+)*)?")
_SPACES = re.compile(r" {2,}")

# jaconv enlarges most small kana but leaves ヮ and the small kana of the Ainu extension, so the
# whole list stands here.
_SMALL_KANA = str.maketrans(
    "ァィゥェォッャュョヮヵヶㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿ",
    "アイウエオツヤユヨワカケクシストヌハヒフヘホムラリルレロ",
)
_RARE_KANA = str.maketrans("ヲヰヱ", "オイエ")
# Hyphens, dashes, minus signs, box drawing lines typed for a long vowel, and the long vowel sign
# itself, but not the kanji 一.
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―⁃−─━⸺ー", "-"))
# These are sound marks. Compatibility decomposition would put a space before U+309B and U+309C.
_SOUND_MARKS = {"゛": "ﾞ", "゜": "ﾟ", "\u3099": "ﾞ", "\u309a": "ﾟ", "ﾞ": "ﾞ", "ﾟ": "ﾟ"}


class Fitted(NamedTuple):
    """Normalised text of a limited length.

    If it is `truncated`, a person should look at it, because some banks return a transfer to a cut
    name.
    """

    text: str
    truncated: bool


def _in_bank_kana(character: str) -> str | None:
    """Returns the bank characters for one typed character, or None if there are none."""
    if character in _SOUND_MARKS:
        return _SOUND_MARKS[character]
    # Decomposition splits ガ into カ and its mark, as the bank counts it. It also makes full-width
    # letters plain ones.
    folded = jaconv.hira2kata(unicodedata.normalize("NFKD", character))
    folded = folded.translate(_SMALL_KANA).translate(_RARE_KANA).translate(_DASHES)
    half = "".join(
        _SOUND_MARKS.get(part) or jaconv.z2h(part, kana=True).replace("・", ".").replace("･", ".")
        for part in folded
    )
    half = half.upper() if half.isascii() else half
    return half if half == " " or (half and _BANK_TEXT.fullmatch(half)) else None


class _Table(dict[int, str]):
    """Code point -> bank characters, filled as they occur. A character that no bank carries stays
    itself.
    """

    def __missing__(self, code_point: int) -> str:
        character = chr(code_point)
        bankable = _in_bank_kana(character)
        if bankable is None:
            return character
        self[code_point] = bankable
        return bankable


_TABLE = _Table()


def to_bank_kana(text: str) -> str:
    """Returns the text in half-width bank characters, with single spaces and none at either end.

    Nothing is invented: no abbreviation is chosen for the name of a company. Nothing is dropped:
    raises `UnbankableText` with every character that has no bank form, as kanji and the apostrophe
    have none. Text in bank form is returned unchanged.
    """
    if _BANK_TEXT.fullmatch(text):
        return text
    result = _SPACES.sub(" ", text.translate(_TABLE)).strip(" ")
    if not _BANK_TEXT.fullmatch(result):
        raise UnbankableText(
            tuple(
                character for character in dict.fromkeys(text) if _in_bank_kana(character) is None
            )
        )
    return result


def is_bank_text(text: str) -> bool:
    """Returns whether the text is in bank form already, the empty text included."""
    return _BANK_TEXT.fullmatch(text) is not None


def fits(text: str, bytes_max: int = 30) -> Fitted:
    """Returns the first `bytes_max` bytes of the normalised text, and whether it was cut.

    A payee field holds 30 bytes. Banks differ about longer names: some want the first 30 bytes,
    others return the transfer as "name too short". Raises what `to_bank_kana` raises.
    """
    whole = to_bank_kana(text)
    if len(whole) <= bytes_max:
        return Fitted(text=whole, truncated=False)
    return Fitted(text=whole[:bytes_max].rstrip(" "), truncated=True)
