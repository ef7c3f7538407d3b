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
            raw = path.read_bytes()
            if self._read.get(path) == len(raw):
                continue
            self._read[path] = len(raw)
            for each in raw.split(_BETWEEN):
                mail = email.message_from_bytes(each, policy=email.policy.default)
                body = mail.get_body(("plain",))
                text = "" if body is None else body.get_content()
                if (link := _LINK.search(text)) is not None:
                    self._links[str(mail["To"])] = link[0]
                elif (code := _CODE.search(text)) is not None:
                    came = self._codes[str(mail["To"])]
                    came += [code[0]] if code[0] not in came else []
