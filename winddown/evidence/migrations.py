"""Which migrations a database has, of those that this code knows.

A file may stand in place of many earlier ones, which are gone (`replaces`). Django goes on where
all of them were applied. Where some were, it leaves the file out without a word.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db.migrations.loader import MigrationLoader


def known() -> set[tuple[str, str]]:
    """Returns app and name of each migration that has a file, or that a file replaces."""
    files = _files()
    return set(files) | {earlier for replaced in files.values() for earlier in replaced}


def lacking(applied: Collection[tuple[str, str]]) -> list[str]:
    """Returns the replaced migrations that are not among the applied ones, although others that the
    same file replaces are: only the version that has them can apply them.
    """
    return sorted(
        f"{app}.{name}"
        for replaced in _files().values()
        if any(each in applied for each in replaced)
        for app, name in replaced
        if (app, name) not in applied
    )


def _files() -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Returns for each migration what it replaces."""
    on_disk = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    return {key: list(migration.replaces) for key, migration in on_disk.items()}
