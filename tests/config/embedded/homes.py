"""A directory with embedded servers of its own, and the processes that use them."""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg

from config import embedded
from config.embedded.client import stop
from config.embedded.places import place_for

ROOT = Path(__file__).resolve().parents[3]
# What every process of the project does first: it reads the settings.
CLIENT = """
import sys, time
from config import settings
print(settings.DATABASE_URL, settings.REDIS_URL, flush=True)
time.sleep(float(sys.argv[1]))
"""
# Only so that a broken test ends; nothing is measured.
PATIENCE_S = 60.0


class Client:
    """A process of the project that uses the embedded servers of a home, which wait for no disk."""

    def __init__(self, home: Path, *, stays: bool, **variables: str) -> None:
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "REDIS_URL"} and not name.startswith("WINDDOWN_")
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", CLIENT, "600" if stays else "0"],
            cwd=ROOT,
            env=environment
            | {"WINDDOWN_LOCAL_DIR": str(home), "WINDDOWN_THROWAWAY_DATA": "1"}
            | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def urls(self) -> tuple[str, str]:
        """The servers run now; returns their addresses."""
        assert self.process.stdout
        assert self.process.stderr
        words = self.process.stdout.readline().split()
        assert len(words) == 2, self.process.stderr.read()
        return words[0], words[1]

    def kill(self, number: signal.Signals) -> None:
        """The whole foreground process group gets the signal, as from a terminal."""
        os.killpg(self.process.pid, number)
        self.process.communicate()

    def message(self) -> str:
        """Returns the message with which it did not start."""
        _, said = self.process.communicate()
        assert self.process.returncode != 0
        return said.strip().splitlines()[-1]


class Home:
    """A .local directory of a test, its clients and what runs there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clients: list[Client] = []

    @property
    def place(self) -> Path:
        return place_for(self.path)

    def client(self, *, stays: bool = True, **variables: str) -> Client:
        client = Client(self.path, stays=stays, **variables)
        self.clients.append(client)
        return client

    def run_once(self) -> tuple[str, str]:
        """One process has used the servers and left, and they have stopped."""
        client = self.client(stays=False)
        urls = client.urls()
        client.process.communicate()
        self.wait_until_nothing_runs()
        return urls

    def pids(self, server: str) -> tuple[int, int]:
        """Returns the process ids of the supervisor and the server."""
        found = (self.place / server / "supervisor.lock").read_text().split()
        assert len(found) == 2
        return int(found[0]), int(found[1])

    def runs(self) -> list[str]:
        """Returns everything that still runs here, by its command line and by the locks it holds."""
        found = []
        for process in psutil.process_iter(["pid", "cmdline", "status"]):
            line = " ".join(process.info["cmdline"] or [])
            if str(self.place) in line and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(line)
        for lock in self.place.glob("*/*.lock"):
            with lock.open() as opened:
                try:
                    fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    found.append(str(lock))
        return found

    def wait_until_nothing_runs(self) -> None:
        wait_until(lambda: not self.runs(), lambda: self.runs())

    def close(self) -> None:
        for client in self.clients:
            if client.process.poll() is None:
                client.process.kill()
            client.process.communicate()
        for kind in embedded.SERVERS.values():
            server = kind(self.place)
            with contextlib.suppress(embedded.EmbeddedServerError):
                stop(server)
            server.remove_sockets()
        shutil.rmtree(self.place, ignore_errors=True)


def wait_until(reached: Callable[[], object], describe: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < deadline, describe()
        time.sleep(0.05)


def lives(pid: int) -> bool:
    """Returns False for a dead process, even if its parent has not read its exit code."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def query(url: str, statement: str) -> list[tuple[object, ...]]:
    """The statement has been run and committed; returns its rows."""
    with psycopg.connect(url.replace("/winddown?", "/winddown?connect_timeout=10&")) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def answers(url: str) -> bool:
    try:
        return query(url, "SELECT 1") == [(1,)]
    except psycopg.OperationalError:
        return False
