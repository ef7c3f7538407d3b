"""Rotation of the field key: what older keys sealed is sealed with the newest one."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, models, transaction

from winddown import encryption, witness
from winddown.actors import SYSTEM
from winddown.evidence import audit
from winddown.registries import Registry

BATCH = 500


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column of sealed values. `place` says to what a row's value is bound.

    `secrets` gives the secret beside the field key for some rows, by their keys; a row whose secret
    was destroyed is not among them. A column without `secrets` needs none.
    `fingerprint` names the column of the text's fingerprint and computes it again. `key` is the
    place of the value in a JSON column, in base64; `rows` chooses the rows that have one.
    """

    model: type[models.Model]
    column: str
    place: Callable[[Any], str]
    fingerprint: tuple[str, Callable[[Any, str], str]] | None = None
    key: str = ""
    rows: dict[str, Any] = field(default_factory=dict)
    secrets: Callable[[list[Any]], Mapping[Any, bytes]] | None = None

    def value(self, row: Any) -> bytes | None:
        """Returns the row's sealed value, None for none."""
        found = getattr(row, self.column)
        if self.key:
            return base64.b64decode(found[self.key])
        # What was deleted may have left an empty value.
        return bytes(found) if found else None

    def is_old(self, row: Any) -> bool:
        """Returns whether the row has a value that the newest key did not seal, or not with a
        secret although it should.
        """
        value = self.value(row)
        with_secret = self.secrets is not None
        return value is not None and not encryption.is_current(value, with_secret=with_secret)

    def resealed(self, row: Any, value: bytes, *, secret: bytes | None) -> dict[str, Any]:
        """Returns the columns of the row under the newest key."""
        place = self.place(row)
        text = encryption.unseal(value, place=place, secret=secret)
        sealed = encryption.seal(text, place=place, secret=secret)
        if self.key:
            kept = getattr(row, self.column) | {self.key: base64.b64encode(sealed).decode()}
            return {self.column: kept}
        columns: dict[str, Any] = {self.column: sealed}
        if self.fingerprint is not None:
            name, made = self.fingerprint
            columns[name] = made(row, text.decode())
        return columns


SEALED: Registry[Sealed] = Registry(
    "sealed columns", entries_are="where values that the field key sealed stand", owner=__name__
)


def reseal(sealed: Sealed) -> int:
    """Every value of the column is sealed with the newest key, and with the secret of its person if
    it has one; returns how many were not.

    A commit for each batch. Only the owner of the tables can do it: the guards of evidence refuse
    an UPDATE, and only the owner can disable them, for one transaction and with the table locked
    against every other writer.
    """
    changed, after = 0, 0
    waiting = sealed.model._base_manager.filter(**sealed.rows).order_by("pk")
    while rows := list(waiting.filter(pk__gt=after)[:BATCH]):
        after = rows[-1].pk
        if any(sealed.is_old(row) for row in rows):
            changed += _reseal([row.pk for row in rows], sealed)
    return changed


def _reseal(ids: list[int], sealed: Sealed) -> int:
    table = sealed.model._meta.db_table
    with transaction.atomic(), _without_guards(sealed.model):
        rows = sealed.model._base_manager.filter(pk__in=ids).select_for_update()
        old = [row for row in rows if sealed.is_old(row)]
        secrets: Mapping[Any, bytes] = {}
        if old and sealed.secrets is not None:
            secrets = sealed.secrets(old)
            # What was deleted cannot be read, so it is not sealed anew either.
            old = [row for row in old if row.pk in secrets]
        for row in old:
            value = sealed.value(row)
            if value is not None:
                columns = sealed.resealed(row, value, secret=secrets.get(row.pk))
                sealed.model._base_manager.filter(pk=row.pk).update(**columns)
        if old:
            audit.append(
                "encryption.reseal",
                f"table:{table}",
                actor=SYSTEM,
                column=sealed.column,
                rows=len(old),
            )
    return len(old)


@contextmanager
def _without_guards(model: type[models.Model]) -> Iterator[None]:
    """The table's triggers are disabled until the end of the block, in this transaction alone.
    Those that note digests are not.
    """
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for name in witness.witnesses(model):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {name}")
        yield
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
