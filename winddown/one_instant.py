"""Reading everything as it was at one instant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def one_instant() -> Iterator[None]:
    """Inside, all statements see the database as it was at the first of them. No movement is
    committed between two of them. Nobody waits for them.
    """
    with transaction.atomic():
        # Within a larger transaction its owner has decided.
        if not connection.savepoint_ids:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield
