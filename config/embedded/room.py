"""A server's room: the directory with its lock files, its logs and the note of who supervises it."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from .errors import EmbeddedServerError
from .limits import POLL_S
from .places import give_to_owner

START = "start.lock"
CLIENTS = "clients.lock"
SUPERVISOR = "supervisor.lock"
SERVER = "server.lock"


def try_lock(descriptor: int) -> bool:
    """The lock is ours if this returns true."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Room:
    """`place/name/`; `label` is the server's name for people."""

    def __init__(self, place: Path, name: str, *, label: str) -> None:
        self.place = place
        self.path = place / name
        self.label = label

    def make(self) -> None:
        """The room exists, and this process may write in it."""
        try:
            self.place.mkdir(mode=0o755, parents=True, exist_ok=True)
            # Of processes that start together, one makes it.
            with contextlib.suppress(FileExistsError):
                self.path.mkdir(mode=0o700)
                give_to_owner(self.path, like=self.place)
            if not os.access(self.path, os.W_OK | os.X_OK):
                raise PermissionError
        except PermissionError as error:
            raise EmbeddedServerError(
                f"{self.place} cannot be written by this user: another one (root?) used the"
                " checkout before; run as that user, or have that user remove it."
            ) from error

    # --- Locks ------------------------------------------------------------------------------------

    def open(self, name: str) -> int:
        """The lock file exists; returns a descriptor of it."""
        path = self.path / name
        try:
            new = not path.exists()
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if new:
                give_to_owner(path, like=self.path)
            return descriptor
        except PermissionError as error:
            raise EmbeddedServerError(
                f"{path} belongs to another user (root?), who used the checkout before;"
                f" run as that user, or have that user remove {self.place}."
            ) from error

    def lock(self, name: str, operation: int) -> int:
        """The lock is taken; returns the descriptor that keeps it."""
        descriptor = self.open(name)
        fcntl.flock(descriptor, operation)
        return descriptor

    @contextlib.contextmanager
    def locked_within(self, name: str, seconds: float) -> Iterator[None]:
        """The lock is ours inside; raises if another process keeps it for longer than `seconds`."""
        descriptor = self.open(name)
        deadline = time.monotonic() + seconds
        try:
            while not try_lock(descriptor):
                if time.monotonic() > deadline:
                    raise EmbeddedServerError(
                        f"Another process has been starting {self.label} for {seconds:.0f} s and"
                        f" holds {self.path / name}."
                    )
                time.sleep(POLL_S / 5)
            yield
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def append_to(self, name: str) -> Iterator[int]:
        """What is written to the descriptor is appended to the file."""
        path = self.path / name
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            give_to_owner(path, like=self.path)
            yield descriptor
        finally:
            os.close(descriptor)

    # --- Who supervises ---------------------------------------------------------------------------

    def announce(self, lock: int, *pids: int) -> None:
        """The supervisor's lock file names the supervisor and, once there is one, its server."""
        line = " ".join(str(pid) for pid in pids).encode()
        # In this order: a reader never sees an old server's pid behind a new supervisor's.
        os.ftruncate(lock, 0)
        os.pwrite(lock, line, 0)

    def supervisor_pid(self) -> int:
        """Returns the living supervisor's pid, 0 if there is none."""
        lock = self.open(SUPERVISOR)
        try:
            if try_lock(lock):
                return 0
            # A supervisor that has only just taken its lock has not written its pid yet.
            for _ in range(100):
                if pids := os.pread(lock, 100, 0).split():
                    return int(pids[0])
                time.sleep(POLL_S)
            raise EmbeddedServerError(f"{self.path / SUPERVISOR} is held but names no process.")
        finally:
            os.close(lock)

    def has_a_server(self) -> bool:
        """Returns false while the server that answers is one whose supervisor is dead."""
        if not self.supervisor_pid():
            return False
        return len((self.path / SUPERVISOR).read_text().split()) == 2
