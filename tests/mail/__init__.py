"""A real mail server for tests, and how they see what it got."""

from __future__ import annotations

import email
import subprocess
import sys
import time
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0


class MailServer:
    """`with MailServer(place)`: it takes mail on a port of its own until the end."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> MailServer:
        self.place.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.mail.server", str(self.place)], cwd=ROOT
        )
        deadline = time.monotonic() + PATIENCE_S
        while not (self.place / "port").exists():
            assert time.monotonic() < deadline, "the mail server did not start"
            time.sleep(0.05)
        return self

    def __exit__(self, *_: Any) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    @property
    def port(self) -> int:
        return int((self.place / "port").read_text())

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}?tls=none"

    @property
    def log(self) -> Path:
        """The delivery log, as the mail server's operator hands it over."""
        return self.place / "log.csv"

    def mend(self) -> None:
        """From now on every mail is taken."""
        (self.place / "mended").touch()

    def count(self) -> int:
        return sum(1 for _ in self.place.glob("*.eml"))

    def recipients(self) -> list[str]:
        """Of every mail, in the order in which they were taken."""
        files = sorted(self.place.glob("*.eml"), key=lambda path: int(path.stem))
        return [path.open("rb").readline()[6:].strip().decode() for path in files]

    def mails(self) -> list[EmailMessage]:
        files = sorted(self.place.glob("*.eml"), key=lambda path: int(path.stem))
        return [email.message_from_bytes(path.read_bytes(), policy=default) for path in files]  # type: ignore[misc]
