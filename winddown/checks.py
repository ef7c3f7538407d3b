"""The checks of the database: migrations that this code does not have, and a role with too many
privileges.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from winddown import database_roles


@register(Tags.database)
def unknown_migrations(
    *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Returns an error for each database that records one of our migrations that has no file.

    Django ignores such a record. It would report nothing to migrate, and the service would run on a
    schema that nobody has compared with the models.
    """
    ours = {
        config.label
        for config in apps.get_app_configs()
        if Path(config.path).parent == Path(settings.BASE_DIR)
    }
    found: list[CheckMessage] = []
    for alias in databases or ():
        recorded = MigrationRecorder(connections[alias]).applied_migrations()
        on_disk = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
        unknown = sorted(
            f"{app}.{name}" for app, name in set(recorded) - set(on_disk) if app in ours
        )
        if unknown:
            found.append(
                Error(
                    f"The database {connections[alias].settings_dict['NAME']} was made by another"
                    f" version: this one does not know its migrations {', '.join(unknown)}.",
                    hint="It cannot be migrated. Use the version that made it, or drop it and migrate"
                    " an empty one. Where it is the database under .local/, `make clean` removes it"
                    " with all data in it, and `make demo` starts anew.",
                    id="winddown.E001",
                )
            )
    return found


@register(Tags.database, deploy=True)
def role_that_owns_nothing(
    *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Returns an error for each database in which production connects as a role that can switch the
    guards off, or whose privileges are not those of the application.

    Only `check --deploy --database NAME` asks: the owner passes the checks of `migrate`.
    """
    if not settings.PRODUCTION:
        return []
    return [
        found for alias in databases or () for found in _judged(connections[alias].cursor(), alias)
    ]


def _judged(cursor: Any, alias: str) -> list[CheckMessage]:
    cursor.execute(
        "SELECT rolname, rolsuper OR rolbypassrls OR rolcreaterole, EXISTS ("
        " SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND pg_has_role(session_user, relowner, 'MEMBER'))"
        " FROM pg_roles WHERE rolname = session_user"
    )
    role, is_powerful, is_owner = cursor.fetchone()
    if is_powerful or is_owner:
        why = "owns tables" if is_owner and not is_powerful else "has rights over the whole server"
        return [
            Error(
                f"The role {role} of the database {alias} {why}: it can switch the guards off.",
                hint="`manage.py database_roles` prints the roles of the service: name the"
                " application in DATABASE_URL.",
                id="winddown.E002",
            )
        ]
    if differing := _differing(cursor):
        return [
            Error(
                f"The role {role} of the database {alias} may more or less than was declared on"
                f" {', '.join(differing)}.",
                hint="Run `manage.py database_roles --apply` as the owner; after each migration, too.",
                id="winddown.E003",
            )
        ]
    return []


def _differing(cursor: Any) -> list[str]:
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
