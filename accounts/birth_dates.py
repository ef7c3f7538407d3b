"""Birth dates: sealed when a file of accounts brings them, and compared by a keyed fingerprint."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from accounts import person_keys
from accounts.models import BirthDate, User
from winddown import encryption
from winddown.loading import staged_rules
from winddown.loading.file_kinds import REFUSED, ROWS
from winddown.personal_data import DataClass

COLUMN: Final = "birth_date"
KIND: Final = "birth_date"
PORTION: Final = 5_000
_TABLE = BirthDate._meta.db_table

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


def fingerprint(text: str) -> str:
    """Returns the keyed fingerprint of a sealed text."""
    return encryption.fingerprint(text, of=KIND)


# --- the load of a file ---------------------------------------------------------------------------


def are_loaded() -> bool:
    """Returns whether the file under load has birth dates."""
    return staged_rules.has_column(COLUMN)


def refuse_others() -> None:
    """Rows of known accounts that have another birth date here are refused. An account without one
    may get it by a later file.
    """
    known = (
        f"SELECT r.line, r.{COLUMN}, {NAME.format('u.kana_name')}, b.fingerprint FROM {ROWS} r"  # noqa: S608  constants
        f" JOIN {_TABLE} b ON b.user_id = r.earlier_id"
        f" JOIN {User._meta.db_table} u ON u.id = r.earlier_id"
    )
    others = [
        (line, "account_ref", f"is already recorded with another {COLUMN}")
        for portion in _portions(known)
        for line, day, name, stored in portion
        if stored not in encryption.fingerprints(Birth(day, name).sealed_text, of=KIND)
    ]
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {REFUSED} VALUES (%s, %s, %s)", others)  # noqa: S608


def record(progress: Callable[[int], None]) -> int:
    """Every person who has a birth date in the file and none here has it, sealed. The accounts are
    there. Returns how many of them were known before.
    """
    new = (
        f"SELECT u.id, r.{COLUMN}, {NAME.format('u.kana_name')}, r.earlier_id FROM {ROWS} r"  # noqa: S608  constants
        f" JOIN {User._meta.db_table} u ON u.account_ref = r.account_ref"
        f" LEFT JOIN {_TABLE} b ON b.user_id = u.id"
        f" WHERE r.{COLUMN} <> '' AND b.id IS NULL ORDER BY r.line"
    )
    done, known = 0, 0
    into = f"COPY {_TABLE} (user_id, day_sealed, fingerprint) FROM STDIN"
    for portion in _portions(new):
        keys = person_keys.secrets([row[0] for row in portion], DataClass.IDENTITY)
        with connection.cursor() as cursor, cursor.copy(into) as copy:
            for user_id, day, name, earlier_id in portion:
                text = Birth(day, name).sealed_text
                sealed = encryption.seal(text.encode(), place=place(user_id), secret=keys[user_id])
                copy.write_row((user_id, sealed, fingerprint(text)))
                known += earlier_id is not None
        done += len(portion)
        progress(done)
    return known


def _portions(query: str) -> Iterator[list[tuple[Any, ...]]]:
    """Yields the rows of the query, some at a time."""
    if connection.connection is None:
        raise AssertionError("the connection is not open")
    with connection.connection.cursor("load_birth_dates") as rows:
        rows.execute(query)
        while portion := rows.fetchmany(PORTION):
            yield portion
