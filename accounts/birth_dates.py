"""Birth dates: sealed when a file of accounts brings them, and compared by a keyed fingerprint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from accounts import person_keys
from accounts.models import BirthDate, User
from accounts.sealed_loads import SealedLoad
from winddown.personal_data import DataClass

COLUMN: Final = "birth_date"

# Small kana, and hiragana, as large katakana: a name is spelled in all of these.
_SMALL = "ァィゥェォッャュョヮヵヶ"
_LARGE = "アイウエオツヤユヨワカケ"
_HIRAGANA = "".join(chr(code) for code in range(0x3041, 0x3097))
_KATAKANA = "".join(chr(code + 0x60) for code in range(0x3041, 0x3097)).translate(
    str.maketrans(_SMALL, _LARGE)
)
NAME: Final = (
    # Marks between the parts of a name go; the many signs for a long vowel are one.
    "translate(regexp_replace(upper(normalize({0}, NFKC)), '[[:space:]・.,]', '', 'g'),"
    f" '-‐‑‒–—―−ｰ{_SMALL}{_HIRAGANA}', 'ーーーーーーーーー{_LARGE}{_KATAKANA}')"
)
"""SQL of the one spelling of a name in kana, in which names are compared."""


@dataclass(frozen=True, slots=True)
class Birth:
    """A day of birth, as the file wrote it, with the name beside it in its one spelling.

    There are so few days that a fingerprint of the day alone would tell which people share one.
    """

    day: str
    name: str

    @property
    def sealed_text(self) -> str:
        return f"{self.day} {self.name}"

    def __repr__(self) -> str:
        return "Birth(...)"


def of(user: User) -> str:
    """Returns the person's day of birth; an empty text if it is not known, or was deleted."""
    if not hasattr(user, "birth_date"):
        return ""
    try:
        return opened(user.birth_date).day
    except person_keys.DataDeleted:
        return ""


def opened(stored: BirthDate) -> Birth:
    """Returns what the row holds. Raises `SealBroken`, and `DataDeleted`."""
    text = person_keys.unseal(
        stored.day_sealed,
        place=place(stored.user_id),
        person_id=stored.user_id,
        data_class=DataClass.IDENTITY,
    ).decode()
    day, _, name = text.partition(" ")
    return Birth(day, name)


def place(user_id: int) -> str:
    """Returns the place that the encryption of a person's birth date is bound to."""
    return f"accounts_birthdate/day/{user_id}"


LOAD: Final = SealedLoad(
    column=COLUMN,
    table=BirthDate._meta.db_table,
    sealed="day_sealed",
    data_class=DataClass.IDENTITY,
    parts=f"r.{COLUMN}, {NAME.format('u.kana_name')}",
    text=lambda day, name: Birth(day, name).sealed_text,
    place=place,
)
