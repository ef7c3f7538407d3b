"""Whether the role that the service is connected as may serve in production."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection

from winddown import database_roles

log = logging.getLogger(__name__)

NAME_THE_APPLICATION = (
    "Name the application in DATABASE_URL (winddown_application, unless `manage.py database_roles`"
    " was given another name). WINDDOWN_DATABASE_ROLE is not enough, because a session can leave"
    " the role that it names."
)
APPLY_AGAIN = "Run `manage.py database_roles --apply` as the owner; after each migration, too."


def too_powerful(cursor: Any, alias: str) -> str:
    """Returns why the login could switch the guards off; empty where it could not."""
    cursor.execute(
        "SELECT rolname, rolsuper OR rolbypassrls OR rolcreaterole, EXISTS ("
        " SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND pg_has_role(session_user, relowner, 'MEMBER'))"
        " FROM pg_roles WHERE rolname = session_user"
    )
    role, is_powerful, is_owner = cursor.fetchone()
    if not is_powerful and not is_owner:
        return ""
    why = "has rights over the whole server" if is_powerful else "owns tables"
    return f"The role {role} of the database {alias} {why}: it can switch the guards off."


def differing(cursor: Any) -> list[str]:
    """Returns the tables on which the connected role is not the application that was declared."""
    cursor.execute(
        "SELECT tablename, array_agg(p) FILTER (WHERE has_table_privilege('public.'"
        " || quote_ident(tablename), p)) FROM pg_tables, unnest(%s::text[]) p"
        " WHERE schemaname = 'public' GROUP BY 1 ORDER BY 1",
        [["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER"]],
    )
    known = database_roles.declared()
    return [
        table
        for table, may in cursor.fetchall()
        if set(may or ()) != set(database_roles.application_may(table, known.get(table)))
    ]


def refuse_the_owner(sender: object, connection: Any, **_: object) -> None:
    """The new connection is a role's that cannot switch the guards off; raises otherwise, and the
    connection is closed.
    """
    with connection.cursor() as cursor:
        found = too_powerful(cursor, connection.alias)
    if found:
        connection.close()
        raise ImproperlyConfigured(f"{found} {NAME_THE_APPLICATION}")


def check_at_start() -> None:
    """The log of a process that starts to serve says whether its role is the declared application.

    Raises if the role could switch the guards off. While the database is away, nothing is said; each
    later connection is judged when it is made.
    """
    try:
        with connection.cursor() as cursor:
            tables = differing(cursor)
    except OperationalError as error:
        log.warning("the role of the database was not checked: %s", error)
        return
    finally:
        connection.close()
    if tables:
        log.error(
            "The role of the database may more or less than was declared on %s. %s",
            ", ".join(tables),
            APPLY_AGAIN,
        )
