"""The real worker and beat of a replay. Both end with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings

from config.embedded.processes import die_with_parent


class Processes:
    """`with Processes(...)`: a Celery worker and beat run inside, on this process's database and
    broker.
    """

    names: tuple[str, ...] = ("worker", "beat")

    def __init__(self, *, logs: Path, tick_s: int = 2, concurrency: int = 2) -> None:
        self.logs = logs
        self.tick_s = tick_s
        self.concurrency = concurrency
        self.running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Processes:
        self.logs.mkdir(parents=True, exist_ok=True)
        celery = [sys.executable, "-m", "celery", "-A", "config"]
        quiet = ["--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
        self._start("worker", [*celery, "worker", "--concurrency", str(self.concurrency), *quiet])
        self._start("beat", [*celery, "beat", "--loglevel", "WARNING"])
        return self

    def environment(self) -> dict[str, str]:
        """Returns the variables of everything that runs here."""
        return os.environ | {"WINDDOWN_ROLE": "worker", "WINDDOWN_TICK_S": str(self.tick_s)}

    def _start(self, name: str, command: list[str]) -> None:
        with (self.logs / f"{name}.log").open("wb") as log:
            self.running.append(
                subprocess.Popen(
                    command,
                    cwd=settings.BASE_DIR,
                    env=self.environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    # The worker ends even if the replay is killed with SIGKILL.
                    preexec_fn=die_with_parent(signal.SIGTERM),
                )
            )

    def __exit__(self, *_: Any) -> None:
        for process in reversed(self.running):
            process.send_signal(signal.SIGTERM)
        for process in self.running:
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running = []

    def dead(self) -> str | None:
        """Returns the sentence that says which of them has ended, None if all run."""
        for name, process in zip(self.names, self.running, strict=True):
            if process.poll() is not None:
                log = self.logs / f"{name}.log"
                return f"the {name} ended with code {process.returncode}; see {log}"
        return None

    def peak_memory_kib(self) -> int:
        """Returns the largest resident size that any of them has had."""
        return max((_peak_kib(process.pid) for process in self.running), default=0)


def _peak_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)
