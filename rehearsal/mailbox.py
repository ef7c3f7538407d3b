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

    def links(self) -> dict[str, str]:
        """Returns the newest one-time link of each address. An unfinished mail has none yet."""
        found = {}
        for path in sorted(set(self.directory.glob("*.log")) - self._seen):
            for raw in path.read_bytes().split(_BETWEEN):
                mail = email.message_from_bytes(raw, policy=email.policy.default)
                body = mail.get_body(("plain",))
                link = _LINK.search(body.get_content()) if body is not None else None
                if link is not None:
                    found[str(mail["To"])] = link[0]
        return found
