"""The mails that the service of a rehearsal really sent, which are files on this machine."""

from __future__ import annotations

import email
import email.policy
import re
import threading
from collections import defaultdict
from pathlib import Path

_BETWEEN = b"-" * 79 + b"\n"
_LINK = re.compile(r"https?://\S+/recovery/link/\S+")
_CODE = re.compile(r"\b\d{8}\b")


class Mailbox:
    """The mails that came into the directory after this object was made."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._seen = set(directory.glob("*.log"))
        self._read: dict[Path, int] = {}
        self._links: dict[str, str] = {}
        self._codes: dict[str, list[str]] = defaultdict(list)
        self._one_at_a_time = threading.Lock()

    def links(self) -> dict[str, str]:
        """Returns the newest one-time link of each address. An unfinished mail has none yet."""
        with self._one_at_a_time:
            self._look()
            return dict(self._links)

    def codes(self, address: str) -> list[str]:
        """Returns the codes that came to the address without a link, the newest last."""
        with self._one_at_a_time:
            self._look()
            return list(self._codes[address])

    def _look(self) -> None:
        for path in sorted(set(self.directory.glob("*.log")) - self._seen):
            read = self._read.get(path, 0)
            with path.open("rb") as file:
                file.seek(read)
                mails, _, unfinished = file.read().rpartition(_BETWEEN)
                self._read[path] = file.tell() - len(unfinished)
            for each in mails.split(_BETWEEN) if mails else ():
                mail = email.message_from_bytes(each, policy=email.policy.default)
                body = mail.get_body(("plain",))
                text = "" if body is None else body.get_content()
                if (link := _LINK.search(text)) is not None:
                    self._links[str(mail["To"])] = link[0]
                elif (code := _CODE.search(text)) is not None:
                    self._codes[str(mail["To"])].append(code[0])
