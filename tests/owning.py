"""The few things in a test that another role does than the application's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from django.db import connection
from psycopg.pq import TransactionStatus

from winddown.database_roles import Roles


@contextlib.contextmanager
def as_owner() -> Iterator[None]:
    """Inside, the connection is the role that the tests log in as, which owns the tables."""
    with _as("NONE"):
        yield


@contextlib.contextmanager
def as_loader() -> Iterator[None]:
    """Inside, the connection is the role that loads files."""
    with _as(Roles().loader):
        yield


@contextlib.contextmanager
def _as(role: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        before = cursor.fetchone()[0]
        cursor.execute(f"SET ROLE {role}")
    mine = connection.connection
    try:
        yield
    finally:
        # A new connection is the application's by itself. A rollback that is to come takes the role
        # back too.
        if connection.connection is mine and not _rolls_back():
            with connection.cursor() as cursor:
                cursor.execute(f'SET ROLE "{before}"')


def _rolls_back() -> bool:
    """Whether a statement failed, or the test decided so."""
    status = connection.connection.info.transaction_status
    failed = status not in (TransactionStatus.IDLE, TransactionStatus.INTRANS)
    return failed or connection.needs_rollback
