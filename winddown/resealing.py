"""Rotation of the field key: what older keys sealed is sealed with the newest one."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
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

    `fingerprint` names the column of the text's fingerprint and computes it again. `key` is the
    place of the value in a JSON column, in base64; `rows` chooses the rows that have one.
    """

    model: type[models.Model]
    column: str
    place: Callable[[Any], str]
    fingerprint: tuple[str, Callable[[Any, str], str]] | None = None
    key: str = ""
    rows: dict[str, Any] = field(default_factory=dict)

    def value(self, row: Any) -> bytes | None:
        """Returns the row's sealed value, None for none."""
        found = getattr(row, self.column)
        if self.key:
            return base64.b64decode(found[self.key])
        return None if found is None else bytes(found)

    def resealed(self, row: Any, value: bytes) -> dict[str, Any]:
        """Returns the columns of the row under the newest key."""
        place = self.place(row)
        text = encryption.unseal(value, place=place)
        sealed = encryption.seal(text, place=place)
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
    """Every value of the column is sealed with the newest key; returns how many were not.

    A commit for each batch. Only the owner of the tables can do it: the guards of evidence refuse
    an UPDATE, and only the owner can disable them, for one transaction and with the table locked
    against every other writer.
    """
    changed, after = 0, 0
    waiting = sealed.model._base_manager.filter(**sealed.rows).order_by("pk")
    while rows := list(waiting.filter(pk__gt=after)[:BATCH]):
        after = rows[-1].pk
        if any(_is_old(sealed, row) for row in rows):
            changed += _reseal([row.pk for row in rows], sealed)
    return changed


def _is_old(sealed: Sealed, row: Any) -> bool:
    value = sealed.value(row)
    return value is not None and not encryption.is_current(value)


def _reseal(ids: list[int], sealed: Sealed) -> int:
    table = sealed.model._meta.db_table
    with transaction.atomic(), _without_guards(sealed.model):
        rows = sealed.model._base_manager.filter(pk__in=ids).select_for_update()
        old = [row for row in rows if _is_old(sealed, row)]
        for row in old:
            value = sealed.value(row)
            if value is not None:
                columns = sealed.resealed(row, value)
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
