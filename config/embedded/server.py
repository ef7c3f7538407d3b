"""A server: its paths, its files and programs, and the methods of each kind."""

import contextlib
import functools
import importlib.metadata
import importlib.util
import os
import shutil
import signal
import stat
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from .errors import EmbeddedServerError
from .limits import SOCKET_PATH_BYTES_MAX
from .places import digest, may_read, server_account
from .room import Room


class Server(ABC):
    """One server in its room: `place/name/`."""

    name: str
    label: str
    stop_signal: signal.Signals
    socket_name: str

    def __init__(self, place: Path, *, throwaway: bool = False) -> None:
        self.place = place
        # Nobody misses its data after a power cut, as that of a test.
        self.throwaway = throwaway
        self.room = Room(place, self.name, label=self.label)
        self.data = self.room.path / "data"
        self.log = self.room.path / "server.log"

    # --- What differs -----------------------------------------------------------------------------

    @property
    @abstractmethod
    def url(self) -> str:
        """Returns the value of DATABASE_URL or REDIS_URL for a client."""

    @abstractmethod
    def command(self) -> Sequence[str | Path]:
        """Returns the server's command line; it stays in the foreground."""

    @abstractmethod
    def prepare(self) -> None:
        """The data directory exists and nothing stale in it prevents a start."""

    @abstractmethod
    def answers(self) -> bool:
        """Returns whether the server takes requests."""

    @abstractmethod
    def complete(self) -> None:
        """The running server has the database that clients expect."""

    @abstractmethod
    def stop_orphan(self) -> None:
        """A server without a supervisor has been asked to stop."""

    # --- What all have ----------------------------------------------------------------------------

    @functools.cached_property
    def account(self) -> tuple[int, int] | None:
        """Returns the account of the server, None for our own. PostgreSQL refuses to run as root."""
        return server_account(self.place) if os.geteuid() == 0 else None

    @property
    def gate(self) -> Path:
        """The directory around the socket's: the room, or one whose path is short."""
        address = self.room.path / "run" / self.socket_name
        too_long = len(os.fsencode(address)) > SOCKET_PATH_BYTES_MAX
        # libpq takes a comma in a host's name for the beginning of another host.
        if not too_long and "," not in str(address):
            return self.room.path
        return Path("/tmp") / f"winddown-{digest(self.room.path)}"  # noqa: S108

    @property
    def socket_room(self) -> Path:
        """A private directory whose path can be a socket's address."""
        return self.gate / "run"

    @property
    def socket(self) -> Path:
        """The Unix socket it answers on."""
        return self.socket_room / self.socket_name

    def close(self) -> None:
        """Sockets and data are reached by the place's owner and the server's account only."""
        owner = self.place.stat()
        for path in {self.room.path, self.gate}:
            _make_directory(path, owner.st_uid, owner.st_gid)
            if self.account:
                os.chown(path, -1, self.account[1])
            path.chmod(0o710 if self.account else 0o700)

    def own_directory(self, path: Path) -> None:
        """The directory exists, belongs to the server's account and is closed to everybody else."""
        uid, gid = self.account or (os.geteuid(), os.getegid())
        found = _make_directory(path, uid, gid)
        if found.st_mode & 0o077:
            raise _refused(path, uid)

    def remove_sockets(self) -> None:
        shutil.rmtree(self.socket_room, ignore_errors=True)
        if self.gate != self.room.path:
            with contextlib.suppress(OSError):
                self.gate.rmdir()

    def package(self, name: str) -> Path:
        """A directory with the package's files, in a place where the server's account may run them.

        Root's virtual environment may be closed to that account; a copy is made then, once.
        """
        installed = _package(name)
        if not self.account or may_read(installed, self.account):
            return installed
        copy = self.room.path / f"{name}-{importlib.metadata.version(name)}"
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

    def last_words(self) -> str:
        """Returns the last line of the log that says why the server ended."""
        with contextlib.suppress(OSError, IndexError):
            lines = self.log.read_text(errors="replace").splitlines()[-20:]
            fatal = [
                line for line in lines if "FATAL" in line or "PANIC" in line or "Fatal" in line
            ]
            return (fatal or lines)[-1].strip()
        return "it left no message"


def _make_directory(path: Path, uid: int, gid: int) -> os.stat_result:
    """The directory exists and belongs to the user; returns what is known of it."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
        os.chown(path, uid, gid)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid:
        raise _refused(path, uid)
    return found


def _refused(path: Path, uid: int) -> EmbeddedServerError:
    return EmbeddedServerError(
        f"{path} must be a directory of user {uid} that nobody else may enter; remove it."
    )


def _package(name: str) -> Path:
    """Returns where a package is installed, without importing it: its Python code is not used."""
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise EmbeddedServerError(
            f"The package {name.replace('_', '-')} is not installed: set DATABASE_URL and"
            " REDIS_URL, or install requirements-embedded.txt."
        )
    return Path(found.submodule_search_locations[0])
