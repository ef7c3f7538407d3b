"""What the database answers to a statement that it may refuse."""

from __future__ import annotations

from django.db import DatabaseError, connection, transaction


def refusal(sql: str) -> str | None:
    """Returns the SQLSTATE with which the statement is refused; None if it was carried out."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    except DatabaseError as error:
        return str(error.__cause__.sqlstate)  # type: ignore[union-attr]
    return None
