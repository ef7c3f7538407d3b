"""The mails that the service of a rehearsal really sent, which are files on this machine."""

from __future__ import annotations

import email
import email.policy
import re
from pathlib import Path

_BETWEEN = b"-" * 79 + b"\n"
_LINK = re.compile(r"https?://\S+/recovery/link/\S+")


class Mailbox:
    """The mails that came into the directory after this object was made."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._seen = set(directory.glob("*.log"))
        self._read: dict[Path, int] = {}
        self._links: dict[str, str] = {}

    def links(self) -> dict[str, str]:
        """Returns the newest one-time link of each address. An unfinished mail has none yet."""
        for path in sorted(set(self.directory.glob("*.log")) - self._seen):
            raw = path.read_bytes()
            if self._read.get(path) == len(raw):
                continue
            self._read[path] = len(raw)
            for each in raw.split(_BETWEEN):
                mail = email.message_from_bytes(each, policy=email.policy.default)
                body = mail.get_body(("plain",))
                link = _LINK.search(body.get_content()) if body is not None else None
                if link is not None:
                    self._links[str(mail["To"])] = link[0]
        return dict(self._links)
