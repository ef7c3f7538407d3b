"""Values about a person are sealed with the field key and the secret of the person and class of data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.db import connection

from accounts.models import PersonKey
from winddown import encryption
from winddown.errors import WinddownError
from winddown.personal_data import DataClass, deleted_sql


class DataDeleted(WinddownError):
    """These data of the person were deleted on {on}."""


def secrets(people: Collection[int], data_class: DataClass) -> dict[int, bytes]:
    """Each of the people has a key of the class. Returns the secrets by person."""
    wanted = sorted(set(people))
    with connection.cursor() as cursor:
        found = _found(cursor, wanted, data_class)
        if lacking := [each for each in wanted if each not in found]:
            cursor.execute(
                "INSERT INTO accounts_personkey (person_id, data_class)"
                " SELECT person, %s FROM unnest(%s::bigint[]) person ORDER BY person"
                " ON CONFLICT DO NOTHING",
                [data_class, lacking],
            )
            found |= _found(cursor, lacking, data_class)
    return found


def _found(cursor: Any, people: list[int], data_class: DataClass) -> dict[int, bytes]:
    cursor.execute(
        "SELECT person_id, secret FROM accounts_personkey"
        " WHERE person_id = ANY (%s) AND data_class = %s AND destroyed_at IS NULL",
        [people, data_class],
    )
    return {person: bytes(secret) for person, secret in cursor.fetchall()}


def seal(text: bytes, *, place: str, person_id: int, data_class: DataClass) -> bytes:
    """Returns the text, sealed for the place and the person."""
    secret = secrets([person_id], data_class)[person_id]
    return encryption.seal(text, place=place, secret=secret)


def unseal(
    sealed: bytes | memoryview, *, place: str, person_id: int, data_class: DataClass
) -> bytes:
    """Returns the text. Raises `DataDeleted` if it was deleted, and `SealBroken`."""
    if sealed and not encryption.needs_secret(sealed):
        return encryption.unseal(sealed, place=place)
    with connection.cursor() as cursor:
        secret = _found(cursor, [person_id], data_class).get(person_id)
    return opened(sealed, secret, place=place, person_id=person_id, data_class=data_class)


def opened(
    sealed: bytes | memoryview,
    secret: bytes | memoryview | None,
    *,
    place: str,
    person_id: int,
    data_class: DataClass,
) -> bytes:
    """As `unseal`, with a secret that a query over many rows brought."""
    try:
        return encryption.unseal(
            sealed, place=place, secret=None if secret is None else bytes(secret)
        )
    except encryption.SealBroken:
        on = deleted_on(person_id, data_class)
        if on is None:
            raise
        raise DataDeleted(on=on.date().isoformat()) from None


def deleted_on(person_id: int, data_class: DataClass) -> dt.datetime | None:
    """Returns when data of the class of the person were last deleted; None if they never were."""
    destroyed = PersonKey.objects.filter(
        person_id=person_id, data_class=data_class, destroyed_at__isnull=False
    )
    return destroyed.order_by("destroyed_at").values_list("destroyed_at", flat=True).last()


def deleted_of(people: Collection[int], data_class: DataClass) -> set[int]:
    """Returns those of the people whose data of the class were deleted, and who have none now."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT person FROM unnest(%s::bigint[]) person"  # noqa: S608  our own SQL
            f" WHERE {deleted_sql('person', data_class)}",
            [sorted(people)],
        )
        return {person for (person,) in cursor.fetchall()}


def deletions(person_id: int) -> dict[str, dt.datetime]:
    """Returns by class when the person's data were deleted, for classes of which there are none now."""
    keys = PersonKey.objects.filter(person_id=person_id).order_by("destroyed_at")
    told: dict[str, dt.datetime] = {}
    live = set()
    for each in keys:
        if each.destroyed_at is None:
            live.add(each.data_class)
        else:
            told[each.data_class] = each.destroyed_at
    return {code: told[code] for code in DataClass.values if code in told and code not in live}
