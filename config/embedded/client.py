"""The client's side: a server runs for as long as this process lives, or is stopped for everybody."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from .errors import EmbeddedServerError
from .limits import POLL_S, START_S_MAX, STOP_S_MAX
from .places import place_for
from .room import CLIENTS, START, SUPERVISOR
from .server import Server

# Held for the life of the process. Closing one of them would say that we no longer need the server.
_joined: dict[tuple[str, Path], tuple[int, str]] = {}


def ensure(kind: type[Server], *, home: Path, throwaway: bool = False) -> str:
    """The server runs while this process lives; returns its URL. With `throwaway`, a server that
    starts now does not wait for the disk.
    """
    place = place_for(home)
    key = (kind.name, place)
    if key not in _joined:
        server = kind(place, throwaway=throwaway)
        _joined[key] = (join(server), server.url)
    return _joined[key][1]


def join(server: Server) -> int:
    """The server runs and stays while this process lives; returns the descriptor that says so.

    A fork inherits the descriptor, because a worker's children use the server too.
    """
    room = server.room
    room.make()
    with room.locked_within(START, START_S_MAX):
        clients = room.lock(CLIENTS, fcntl.LOCK_SH)
        try:
            _wait_until_it_answers(server)
            server.complete()
        except BaseException:
            os.close(clients)
            raise
    return clients


def stop(server: Server) -> bool:
    """The server is stopped, also while others use it; returns false if it was not running."""
    if not (server.room.path / SUPERVISOR).exists():
        return False
    pid = server.room.supervisor_pid()
    if not pid:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_S_MAX
    while server.room.supervisor_pid():
        if time.monotonic() > deadline:
            raise EmbeddedServerError(
                f"{server.label} did not stop in {STOP_S_MAX:.0f} s; its supervisor is {pid}."
            )
        time.sleep(POLL_S)
    return True


def _wait_until_it_answers(server: Server) -> None:
    """A living supervisor has a server, and the server takes requests."""
    trouble = server.room.path / "trouble"
    trouble.unlink(missing_ok=True)
    deadline = time.monotonic() + START_S_MAX
    pause_s = 0.02
    while not (server.room.has_a_server() and server.answers()):
        if trouble.exists():
            raise EmbeddedServerError(trouble.read_text().strip())
        if time.monotonic() > deadline:
            raise EmbeddedServerError(
                f"{server.label} did not answer within {START_S_MAX:.0f} s; see {server.log}."
            )
        # Inside the loop: the supervisor that was found alive may have been about to end.
        if not server.room.supervisor_pid():
            _start_supervisor(server)
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, 0.5)


def _start_supervisor(server: Server) -> None:
    program = Path(__file__).with_name("__main__.py")
    words = ["supervise", server.name, "--place", str(server.place)]
    words += ["--throwaway"] if server.throwaway else []
    with server.room.append_to("supervisor.log") as log:
        launcher = subprocess.Popen(
            [sys.executable, "-P", str(program), *words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )
    # It forks and ends at once, so that the supervisor has no parent here and leaves no zombie.
    if launcher.wait() != 0:
        raise EmbeddedServerError(
            f"{server.label}'s supervisor did not start; see {server.room.path / 'supervisor.log'}."
        )
