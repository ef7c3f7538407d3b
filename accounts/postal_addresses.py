"""Postal addresses: sealed when a file of accounts brings them, and opened for a letter alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from accounts import person_keys
from accounts.models import PostalAddress, User
from accounts.sealed_loads import SealedLoad
from winddown.personal_data import DataClass

POSTAL_CODE, ADDRESS = "postal_code", "postal_address"
LINE_END = ";"


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


LOAD: Final = SealedLoad(
    column=ADDRESS,
    table=PostalAddress._meta.db_table,
    sealed="address_sealed",
    data_class=DataClass.CONTACT,
    parts=f"r.{POSTAL_CODE}, r.{ADDRESS}",
    text=lambda code, address: Postal(code, address).sealed_text,
    place=place,
)
