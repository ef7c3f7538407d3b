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
        "SELECT rolname, rolsuper OR rolbypassrls OR rolcreaterole OR rolreplication OR EXISTS ("
        "  SELECT FROM pg_roles p WHERE p.rolname ^@ 'pg_' AND pg_has_role(r.oid, p.oid, 'MEMBER')),"
        " EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        "  AND pg_has_role(session_user, relowner, 'MEMBER'))"
        " FROM pg_roles r WHERE rolname = session_user"
    )
    role, is_powerful, is_owner = cursor.fetchone()
    if not is_powerful and not is_owner:
        return ""
    why = "has rights over the whole server" if is_powerful else "owns tables"
    return f"The role {role} of the database {alias} {why}: it can switch the guards off."


def differing(cursor: Any) -> list[str]:
    """Returns the tables on which the connected role is not the application that was declared."""
    cursor.execute(
        "SELECT relname, ARRAY(SELECT p FROM unnest(%s::text[]) p"
        "  WHERE has_table_privilege(c.oid, p)),"
        " ARRAY(SELECT attname FROM pg_attribute a WHERE a.attrelid = c.oid AND attnum > 0"
        "  AND NOT attisdropped AND has_column_privilege(c.oid, attnum, 'INSERT')"
        "  AND NOT has_table_privilege(c.oid, 'INSERT'))"
        " FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1",
        [["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER"]],
    )
    known = database_roles.declared()
    return [
        table
        for table, may, says in cursor.fetchall()
        if set(may) != set(database_roles.application_may(table, known.get(table)))
        or set(says) != set(database_roles.application_says(table, known.get(table)))
    ]


def first_settings(cursor: Any) -> str:
    """Returns the settings with which every session of the role begins, as somebody set them."""
    cursor.execute(
        "SELECT coalesce(string_agg(array_to_string(setconfig, ', '), ', '), '')"
        " FROM pg_db_role_setting"
        " WHERE setrole = (SELECT oid FROM pg_roles WHERE rolname = session_user)"
    )
    return str(cursor.fetchone()[0])


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
