"""The site, its worker and beat stop together with the process that started them."""

import contextlib
import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest
from django.conf import settings

from config.serve import console_port
from tests.config import serving

# The embedded server that all tests use, but another one of its sixteen databases.
OWN_BROKER = re.sub(r"(/|db=)\d+$", r"\g<1>14", settings.REDIS_URL)
ROOT = Path(__file__).resolve().parents[2]
THREADS = runpy.run_path(str(ROOT / "gunicorn.conf.py"))["threads"]
# Only so that a broken test ends; nothing is measured.
PATIENCE_S = 60.0


def wait_until(reached: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [
        process
        for process in processes
        if process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    ]


class Site:
    """`python -m config.serve` on a free port, and everything it started."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        # A file: a pipe that nobody reads fills up, and then each process that writes a line waits.
        self.output = home / "output"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "config.serve", "--port", str(self.port)],
            cwd=ROOT,
            env=os.environ
            | {
                # No database, and its own broker: this worker must not take work of others.
                "DATABASE_URL": "postgres://nobody@/nothing?host=/nonexistent",
                "REDIS_URL": OWN_BROKER,
                "WINDDOWN_LOCAL_DIR": str(home),
            },
            stdout=self.output.open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        wait_until(lambda: self.answers() and self.has_all(), "the site answers")
        self.family = psutil.Process(self.process.pid).children(recursive=True)

    def answers(self) -> bool:
        assert self.process.poll() is None, self.output.read_text()
        return all(serving.answers(port) for port in (self.port, console_port(self.port)))

    def has_all(self) -> bool:
        lines = [" ".join(p.cmdline()) for p in psutil.Process(self.process.pid).children()]
        return all(any(word in line for line in lines) for word in ("gunicorn", "worker", "beat"))

    def takes(self, port: int, half: bytes, times: int) -> list[socket.socket]:
        """So many visitors sent half a request to the port and keep the connection open."""
        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(times)]
        for each in slow:
            each.sendall(half)
        time.sleep(1)
        return slow


@contextlib.contextmanager
def running(place: Path) -> Iterator[Site]:
    site = Site(place)
    yield site
    for process in alive([*site.family]):
        process.kill()
    if site.process.poll() is None:
        site.process.kill()
    site.process.wait()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site that the test may end."""
    with running(tmp_path) as site:
        yield site


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site of the tests that let it run."""
    with running(tmp_path_factory.mktemp("site")) as site:
        yield site


together = pytest.mark.xdist_group("lasting site")


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGHUP, marks=pytest.mark.long_form)]
)
def test_no_process_survives_a_signal_of_the_terminal(site: Site, number: signal.Signals) -> None:
    # As a terminal does it: to the whole foreground process group.
    os.killpg(site.process.pid, number)

    assert site.process.wait(PATIENCE_S) == 0
    assert alive(site.family) == []


@together
@pytest.mark.parametrize("half", serving.HALVES, ids=["headers", "body"])
def test_requests_sent_by_half_silence_neither_console_nor_portal(
    lasting: Site, half: bytes
) -> None:
    site = lasting
    console = console_port(site.port)
    with contextlib.ExitStack() as open_ones:
        for port in (site.port, console):
            for each in site.takes(port, half, 8):
                open_ones.enter_context(each)

        for port in (site.port, console) * 2:
            wait_until(partial(serving.answers, port), f"port {port} answers")

        # More than the portal has threads for. The console has its own.
        for each in site.takes(site.port, half, THREADS + 8):
            open_ones.enter_context(each)

        for _ in range(2):
            wait_until(partial(serving.answers, console), "the console answers")


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_no_process_survives_a_killed_parent(site: Site) -> None:
    site.process.kill()

    wait_until(lambda: not alive(site.family), "everything has ended")


@together
def test_a_mail_names_the_site_with_its_port(lasting: Site) -> None:
    named = {process.environ().get("WINDDOWN_SITE_URL") for process in lasting.family}

    assert named == {f"http://127.0.0.1:{lasting.port}"}


def test_all_processes_end_when_one_of_them_ends(site: Site) -> None:
    beat = next(process for process in site.family if "beat" in " ".join(process.cmdline()))
    beat.kill()

    assert site.process.wait(PATIENCE_S) == 1
    assert alive(site.family) == []
