"""The supervisor's side: a process that keeps one server running while anybody uses it."""

import fcntl
import os
import signal
import subprocess
import time
from collections import deque

from .errors import EmbeddedServerError
from .limits import (
    GRACE_S,
    LOG_BYTES_MAX,
    POLL_S,
    RESTARTS_MAX,
    RESTARTS_WINDOW_S,
    STOP_S_MAX,
)
from .processes import die_with_parent, run_as
from .room import CLIENTS, SERVER, START, SUPERVISOR, try_lock
from .server import Server


class Supervisor:
    """Starts the server, starts it again after a crash, and stops it when nobody uses it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.room = server.room
        self.told_to_stop = False
        self.starts: deque[float] = deque(maxlen=RESTARTS_MAX)

    def supervise(self) -> int:
        """The server has run until nobody used it or it was told to stop; returns an exit code."""
        lock = self.room.open(SUPERVISOR)
        if not try_lock(lock):
            return 0
        self.room.announce(lock, os.getpid())
        signal.signal(signal.SIGTERM, self._stop_soon)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            self._keep_running(lock)
        except (EmbeddedServerError, OSError) as error:
            draft = self.room.path / "trouble.draft"
            draft.write_text(f"{error}\n")
            draft.replace(self.room.path / "trouble")
            print(error, flush=True)
            return 1
        return 0

    def _stop_soon(self, *_: object) -> None:
        self.told_to_stop = True

    def _keep_running(self, lock: int) -> None:
        clients = self.room.open(CLIENTS)
        child = self._start(lock)
        unused_since: float | None = None
        try:
            while True:
                time.sleep(POLL_S)
                now = time.monotonic()
                if self.told_to_stop:
                    return
                if child.poll() is not None:
                    self._refuse_endless_restarts(child.returncode, now=now)
                    self.room.announce(lock, os.getpid())
                    child = self._start(lock)
                if not try_lock(clients):
                    unused_since = None
                    continue
                fcntl.flock(clients, fcntl.LOCK_UN)
                unused_since = unused_since or now
                if now - unused_since >= GRACE_S and self._closed_to_clients(clients):
                    return
        finally:
            self._stop(child)

    def _closed_to_clients(self, clients: int) -> bool:
        """No client uses the server, and one that comes now waits for this process to end."""
        start = self.room.open(START)
        # A client that is about to join holds it.
        if try_lock(start) and try_lock(clients):
            # Both stay held until this process ends. A client that comes now waits for the end of
            # the stop and then starts the server again.
            return True
        os.close(start)
        return False

    def _refuse_endless_restarts(self, status: int, *, now: float) -> None:
        label, log = self.server.label, self.server.log
        if len(self.starts) == RESTARTS_MAX and now - self.starts[0] < RESTARTS_WINDOW_S:
            raise EmbeddedServerError(
                f"{label} ended {RESTARTS_MAX} times in a minute with status"
                f" {status}: {self.server.last_words()} (see {log})."
            )
        print(f"{label} ended with status {status}; starting it again.")

    def _start(self, lock: int) -> "subprocess.Popen[bytes]":
        """The server runs, and the supervisor's lock file names it."""
        self._outlive_the_predecessor()
        self.server.prepare()
        child = self._spawn()
        self.room.announce(lock, os.getpid(), child.pid)
        self.starts.append(time.monotonic())
        return child

    def _spawn(self) -> "subprocess.Popen[bytes]":
        log_file = self.server.log
        if log_file.exists() and log_file.stat().st_size > LOG_BYTES_MAX:
            log_file.replace(log_file.with_suffix(".log.1"))
        alive = self.room.lock(SERVER, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            with self.room.append_to(log_file.name) as log:
                return subprocess.Popen(
                    [str(part) for part in self.server.command()],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.server.data,
                    env={"PATH": os.defpath, "LC_ALL": "C"},
                    pass_fds=(alive,),
                    preexec_fn=die_with_parent(self.server.stop_signal),
                    **run_as(self.server.account),
                )
        finally:
            # The server holds it now, for its own life and that of its children.
            os.close(alive)

    def _stop(self, child: "subprocess.Popen[bytes]") -> None:
        if child.poll() is None:
            child.send_signal(self.server.stop_signal)
            try:
                child.wait(STOP_S_MAX)
            except subprocess.TimeoutExpired:
                print(
                    f"{self.server.label} did not stop in {STOP_S_MAX:.0f} s and is killed.",
                    flush=True,
                )
                child.kill()
                child.wait()
        self.server.remove_sockets()

    def _outlive_the_predecessor(self) -> None:
        """No process of an earlier server lives: the data directory is ours.

        After `kill -9` of a supervisor the kernel tells its server to stop, and after `kill -9` of
        a server its children end by themselves. Both take a moment.
        """
        deadline = time.monotonic() + STOP_S_MAX
        lock = self.room.open(SERVER)
        try:
            while not try_lock(lock):
                if time.monotonic() > deadline:
                    raise EmbeddedServerError(
                        f"An earlier {self.server.label} of {self.server.data} did not stop in"
                        f" {STOP_S_MAX:.0f} s; stop the process that holds"
                        f" {self.room.path / SERVER}."
                    )
                self.server.stop_orphan()
                time.sleep(POLL_S)
        finally:
            os.close(lock)
