"""The checks of the database: migrations that this code does not have or no longer has, login
providers that nobody declared, and a role with too many privileges.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

from winddown import connected_role
from winddown.evidence import migrations
from winddown.models import LoginProvider, Programme


@register(Tags.database)
def unknown_migrations(
    *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Returns an error for each database that records one of our migrations that has no file, or
    that lacks some of those that one file replaces.

    Django ignores either. It would report nothing to migrate, and the service would run on a schema
    that nobody has compared with the models.
    """
    ours = {
        config.label
        for config in apps.get_app_configs()
        if Path(config.path).parent == Path(settings.BASE_DIR)
    }
    found: list[CheckMessage] = []
    for alias in databases or ():
        recorded = MigrationRecorder(connections[alias]).applied_migrations()
        known = migrations.known()
        unknown = sorted(f"{app}.{name}" for app, name in set(recorded) - known if app in ours)
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
        if lacking := migrations.lacking(recorded):
            found.append(
                Error(
                    f"The database {connections[alias].settings_dict['NAME']} stands before a state"
                    f" that this version begins from: it lacks {', '.join(lacking)}.",
                    hint="Migrate it with the last version that has these migrations, then with this"
                    " one (docs/decisions/0030).",
                    id="winddown.E005",
                )
            )
    return found


@register(Tags.database)
def undeclared_providers(
    *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Returns a warning for each database whose programme does not declare a login provider that
    the environment connects, so that a misspelt name is not ignored silently.
    """
    apps_ = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    connected = {app["provider_id"] for app in apps_}
    found: list[CheckMessage] = []
    for alias in (databases or ()) if connected else ():
        if LoginProvider._meta.db_table not in connections[alias].introspection.table_names():
            continue
        if not Programme.objects.using(alias).exists():
            continue
        known = set(LoginProvider.objects.using(alias).values_list("code", flat=True))
        if strange := sorted(connected - known):
            found.append(
                Warning(
                    f"The environment connects {', '.join(strange)}, which the programme does not"
                    " declare, so nobody can sign in there.",
                    hint=f"Its login providers are {', '.join(sorted(known)) or 'none'}: correct the"
                    " name in WINDDOWN_OIDC_<NAME>_URL, or add the provider to the set-up file.",
                    id="winddown.W001",
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
    if found := connected_role.too_powerful(cursor, alias):
        return [Error(found, hint=connected_role.NAME_THE_APPLICATION, id="winddown.E002")]
    if chosen := connected_role.first_settings(cursor):
        return [
            Error(
                f"Every session of the role of the database {alias} begins with {chosen}, which"
                " somebody set for the role.",
                hint="Whoever has the role's password can do that. Run `ALTER ROLE … RESET ALL`, and"
                " once more with IN DATABASE, and replace the password.",
                id="winddown.E004",
            )
        ]
    if tables := connected_role.differing(cursor):
        return [
            Error(
                f"The role of the database {alias} may more or less than was declared on"
                f" {', '.join(tables)}.",
                hint=connected_role.APPLY_AGAIN,
                id="winddown.E003",
            )
        ]
    return []
