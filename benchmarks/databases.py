"""The databases of the benchmarks, on the server of `DATABASE_URL`. The database that it names is
never touched.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlencode

from django.core.management import call_command
from django.db import connection, connections

PREFIX = f"bench_{os.getpid()}"


class Databases:
    """Databases that live as long as the benchmarks.

    One is migrated, filled once for each size, and copied for each side, so that every side starts
    alike, after a checkpoint.
    """

    def __init__(self) -> None:
        self.made: list[str] = []

    def filled(self, name: str, fill: Callable[..., None], **options: Any) -> str:
        """Returns the name of a migrated database that `fill(**options)` has filled. It is made at
        the first call.
        """
        # Two benchmarks may fill databases of one name with different rows.
        whose = fill.__module__.rpartition(".")[2]
        label = "_".join([PREFIX, whose, name, *(str(value) for value in options.values())])
        if label not in self.made:
            self._copy(self._migrated(), label)
            with inside(label):
                fill(**options)
                _execute("VACUUM ANALYZE")
        return label

    @contextlib.contextmanager
    def side(self, template: str, name: str = "side") -> Iterator[str]:
        """Inside, Django's connection leads to a copy of `template`, which is dropped at the end.
        Copies of several names can stand beside each other.
        """
        label = f"{template}_{name}"
        self._copy(template, label)
        try:
            with inside(label):
                yield label
        finally:
            self._drop(label)

    @contextlib.contextmanager
    def empty(self, name: str) -> Iterator[str]:
        """Inside, Django's connection leads to a database without a table, which is dropped at the
        end.
        """
        label = f"{PREFIX}_{name}"
        self._server(f'CREATE DATABASE "{label}"')
        self.made.append(label)
        try:
            with inside(label):
                yield label
        finally:
            self._drop(label)

    def drop_all(self) -> None:
        for label in reversed(self.made.copy()):
            self._drop(label)

    def _migrated(self) -> str:
        label = f"{PREFIX}_migrated"
        if label not in self.made:
            self._server(f'CREATE DATABASE "{label}"')
            self.made.append(label)
            with inside(label):
                call_command("migrate", verbosity=0)
        return label

    def _copy(self, template: str, label: str) -> None:
        self._server(f'CREATE DATABASE "{label}" TEMPLATE "{template}" STRATEGY file_copy')
        self.made.append(label)

    def _drop(self, label: str) -> None:
        self._server(f'DROP DATABASE IF EXISTS "{label}" WITH (FORCE)')
        self.made.remove(label)

    def _server(self, statement: str) -> None:
        with connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]
            cursor.execute(statement)


@contextlib.contextmanager
def inside(name: str) -> Iterator[None]:
    """Inside, Django's connection leads to the database `name` in every thread."""
    fields = connections["default"].settings_dict
    outside = fields["NAME"]
    connections.close_all()
    fields["NAME"] = name
    try:
        yield
    finally:
        connections.close_all()
        fields["NAME"] = outside


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def database_url() -> str:
    """Returns the URL of the database that Django's connection leads to at present."""
    said = connections["default"].settings_dict
    person = quote(said["USER"] or "")
    if said["PASSWORD"]:
        person += ":" + quote(said["PASSWORD"])
    parameters = {"host": said["HOST"], "port": str(said["PORT"] or "")}
    parameters |= {
        name: value
        for name, value in said["OPTIONS"].items()
        if name.startswith("ssl") and isinstance(value, str)
    }
    query = urlencode({name: value for name, value in parameters.items() if value}, safe="/")
    return f"postgres://{person + '@' if person else ''}/{quote(said['NAME'])}" + (
        f"?{query}" if query else ""
    )
