"""The columns of accounts that hold sealed values. `reseal` gives them a new field key."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator

from accounts import birth_dates, outbox, person_keys, postal_addresses
from accounts.addresses import Address, understood
from accounts.models import (
    AccessRequest,
    BirthDate,
    CarrierFilePart,
    Message,
    OneTimeLink,
    PostalAddress,
    RecoveryCase,
)
from accounts.models.carrier_file import part_place
from accounts.recovery import access_requests, cases, links
from accounts.sign_in.adapters import SECRET_PLACE
from winddown.personal_data import HOUSE, DataClass
from winddown.resealing import SEALED, Sealed


def secrets_of(whose: Callable[[Any], int], data_class: DataClass) -> Callable[[list[Any]], Any]:
    """Returns the secrets of some rows, by their keys. `whose` says whose data a row has."""

    def found(rows: list[Any]) -> dict[Any, bytes]:
        people = {row.pk: whose(row) for row in rows}
        gone = person_keys.deleted_of(set(people.values()), data_class)
        keys = person_keys.secrets(set(people.values()) - gone, data_class)
        return {pk: keys[person] for pk, person in people.items() if person in keys}

    return found


def of_house(_row: Any) -> int:
    return HOUSE


def _of_link(link: OneTimeLink, text: str) -> str:
    return (understood(text) or Address(link.channel, text)).fingerprint


def _of_case(case: RecoveryCase, text: str) -> str:
    address = understood(json.loads(text)["address"])
    # The form accepted only addresses. A value that is no address any more keeps its fingerprint.
    return address.fingerprint if address else case.contact_fingerprint


SEALED.add(
    "addresses of messages",
    Sealed(Message, "to_sealed", place=lambda row: outbox.message_place(row.key)),
)
SEALED.add(
    "files for carriers",
    Sealed(
        CarrierFilePart,
        "content_sealed",
        place=lambda row: part_place(row.file_id, row.number),
        secrets=secrets_of(of_house, DataClass.CORRESPONDENCE),
    ),
)
SEALED.add(
    "requests for access",
    Sealed(
        AccessRequest,
        "typed_sealed",
        place=lambda row: access_requests.request_place(row.key),
        secrets=secrets_of(of_house, DataClass.CONTACT),
    ),
)
SEALED.add(
    "addresses of links",
    Sealed(
        OneTimeLink,
        "address_sealed",
        place=lambda row: links.link_place(row.key),
        fingerprint=("address_fingerprint", _of_link),
        secrets=secrets_of(of_house, DataClass.CONTACT),
    ),
)
SEALED.add(
    "postal addresses",
    Sealed(
        PostalAddress,
        "address_sealed",
        place=lambda row: postal_addresses.place(row.user_id),
        fingerprint=("fingerprint", lambda _row, text: postal_addresses.LOAD.fingerprint(text)),
        secrets=secrets_of(lambda row: int(row.user_id), DataClass.CONTACT),
    ),
)
SEALED.add(
    "birth dates",
    Sealed(
        BirthDate,
        "day_sealed",
        place=lambda row: birth_dates.place(row.user_id),
        fingerprint=("fingerprint", lambda _row, text: birth_dates.LOAD.fingerprint(text)),
        secrets=secrets_of(lambda row: int(row.user_id), DataClass.IDENTITY),
    ),
)
SEALED.add(
    "contacts of recovery cases",
    Sealed(
        RecoveryCase,
        "contact_sealed",
        place=lambda row: cases.case_place(row.key),
        fingerprint=("contact_fingerprint", _of_case),
        secrets=secrets_of(of_house, DataClass.CONTACT),
    ),
)
for _kind, _key in (("totp", "secret"), ("recovery_codes", "seed")):
    SEALED.add(
        f"second factors: {_kind}",
        Sealed(
            Authenticator,
            "data",
            place=lambda _: SECRET_PLACE,
            key=_key,
            rows={"type": _kind, f"data__{_key}__isnull": False},
        ),
    )
