"""Postal addresses: sealed when a file of accounts brings them, and opened for a letter alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from accounts import person_keys
from accounts.models import PostalAddress, User
from winddown import encryption
from winddown.loading import staged_rules
from winddown.loading.file_kinds import REFUSED, ROWS
from winddown.personal_data import DataClass

POSTAL_CODE, ADDRESS = "postal_code", "postal_address"
KIND = "postal_address"
LINE_END = ";"
PORTION = 5_000
TABLE = PostalAddress._meta.db_table
COLUMNS = f"r.{POSTAL_CODE}, r.{ADDRESS}"


@dataclass(frozen=True, slots=True)
class Postal:
    """An address as the file wrote it: the lines of `address` are separated by a semicolon."""

    code: str
    address: str

    @property
    def lines(self) -> list[str]:
        """Returns the lines without the postal code."""
        return [line for each in self.address.split(LINE_END) if (line := each.strip())]

    @property
    def sealed_text(self) -> str:
        return json.dumps({"code": self.code, "address": self.address}, ensure_ascii=False)

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.code, *self.lines)))

    def __repr__(self) -> str:
        return "Postal(...)"


def of(user: User) -> Postal | None:
    """Returns the person's address, or None, also if it was deleted."""
    if not hasattr(user, "postal_address"):
        return None
    try:
        return opened(user.postal_address)
    except person_keys.DataDeleted:
        return None


def opened(stored: PostalAddress) -> Postal:
    """Returns what the row holds. Raises `SealBroken`, and `DataDeleted`."""
    text = person_keys.unseal(
        stored.address_sealed,
        place=place(stored.user_id),
        person_id=stored.user_id,
        data_class=DataClass.CONTACT,
    )
    return Postal(**json.loads(text))


def place(user_id: int) -> str:
    """Returns the place that the encryption of a person's address is bound to."""
    return f"accounts_postaladdress/address/{user_id}"


def fingerprint(text: str) -> str:
    """Returns the keyed fingerprint of a sealed text."""
    return encryption.fingerprint(text, of=KIND)


# --- the load of a file ---------------------------------------------------------------------------


def are_loaded() -> bool:
    """Returns whether the file under load has addresses."""
    return staged_rules.has_column(ADDRESS)


def refuse_others() -> None:
    """Rows of known accounts that have another address here are refused. An account without one may
    get it by a later file.
    """
    known = f"FROM {ROWS} r JOIN {TABLE} p ON p.user_id = r.earlier_id"
    others = [
        (line, "account_ref", f"is already recorded with another {ADDRESS}")
        for portion in _portions(f"SELECT r.line, {COLUMNS}, p.fingerprint {known}")
        for line, code, address, stored in portion
        if stored not in encryption.fingerprints(Postal(code, address).sealed_text, of=KIND)
    ]
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {REFUSED} VALUES (%s, %s, %s)", others)  # noqa: S608


def record(progress: Callable[[int], None]) -> int:
    """Every person who has an address in the file and none here has it, sealed. The accounts are
    there. Returns how many of them were known before.
    """
    new = (
        f"SELECT u.id, {COLUMNS}, r.earlier_id FROM {ROWS} r"  # noqa: S608  constants
        f" JOIN {User._meta.db_table} u ON u.account_ref = r.account_ref"
        f" LEFT JOIN {TABLE} p ON p.user_id = u.id"
        f" WHERE r.{ADDRESS} <> '' AND p.id IS NULL ORDER BY r.line"
    )
    done, known = 0, 0
    into = f"COPY {TABLE} (user_id, address_sealed, fingerprint) FROM STDIN"
    for portion in _portions(new):
        keys = person_keys.secrets([row[0] for row in portion], DataClass.CONTACT)
        with connection.cursor() as cursor, cursor.copy(into) as copy:
            for user_id, code, address, earlier_id in portion:
                text = Postal(code, address).sealed_text
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
    with connection.connection.cursor("load_postal_addresses") as rows:
        rows.execute(query)
        while portion := rows.fetchmany(PORTION):
            yield portion
