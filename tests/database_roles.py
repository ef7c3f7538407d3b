"""A test's own database under roles of its own, and the connection as one of them."""

from __future__ import annotations

import contextlib
import io
import uuid
from collections.abc import Iterator
from typing import Any

from django.core.management import call_command
from django.db import connection, connections
from django.db.backends.signals import connection_created

from winddown.database_roles import Roles


@contextlib.contextmanager
def own_roles(*, own_owner: bool = False) -> Iterator[Roles]:
    """Inside, the test's own database has these roles. The owner is the role that the tests log in
    as, or one of the database's own that has no rights elsewhere.
    """
    ours = uuid.uuid4().hex[:12]
    tests = value("SELECT current_user")
    roles = Roles(
        owner=f"owner_{ours}" if own_owner else tests,
        application=f"application_{ours}",
        loader=f"loader_{ours}",
        reader=f"reader_{ours}",
    )
    below = f"{roles.application}, {roles.loader}, {roles.reader}"
    options = [f"--{name}={getattr(roles, name)}" for name in Roles.__slots__]
    call_command("database_roles", "--apply", *options, stdout=io.StringIO())
    try:
        yield roles
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP OWNED BY {below}; DROP ROLE {below}")
            if own_owner:
                cursor.execute(f"REASSIGN OWNED BY {roles.owner} TO {tests}")
                cursor.execute(f"DROP OWNED BY {roles.owner}; DROP ROLE {roles.owner}")


@contextlib.contextmanager
def acting_as(role: str) -> Iterator[None]:
    """Inside, every new connection of this process is the role's."""

    def become(connection: Any, **_: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET SESSION AUTHORIZATION {role}")

    connections.close_all()
    connection_created.connect(become)
    try:
        yield
    finally:
        connection_created.disconnect(become)
        connections.close_all()


def value(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return str(cursor.fetchone()[0])
