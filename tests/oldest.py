"""Transactions of the whole server, on which a seal depends: tests run beside others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


def oldest_transaction() -> int:
    """Returns the number of the oldest transaction under way on the server."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        return int(cursor.fetchone()[0])


@contextmanager
def oldest_one(database: Any) -> Iterator[Any]:
    """Inside, another session has a transaction open, and none of the server is older: otherwise an
    older one of another test would end meanwhile.
    """
    with database.connect() as other:
        other.execute("BEGIN")
        (own,) = other.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
        while oldest_transaction() < own:
            time.sleep(0.1)
        yield other
        other.execute("ROLLBACK")
