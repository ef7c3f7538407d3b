"""A real SMTP server in a process of its own: every mail is a file, every acceptance a log line.

What it does with a mail is told by the recipient: `refused` is answered 550, `later` 451, `once`
451 the first time, `taken` is taken and the connection is then cut without an answer, `cut` is cut
before the content. While a file `mended` lies in its directory, all are taken.
"""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import email
import os
import sys
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP


class Mailbox:
    """The place where mails and the log are kept."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.number = 0
        self.put_off: set[str] = set()
        self.log = (place / "log.csv").open("w", newline="")
        csv.writer(self.log).writerow(["message_id", "event", "at"])
        self.log.flush()

    @property
    def mended(self) -> bool:
        return (self.place / "mended").exists()

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        (self.place / "seen").touch()
        if not self.mended:
            if "refused" in address:
                return "550 5.1.1 no such mailbox"
            if "later" in address:
                return "451 4.7.1 try again later"
            if "once" in address and address not in self.put_off:
                self.put_off.add(address)
                return "451 4.7.1 try again later"
            if "cut" in address:
                server.transport.abort()
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.number += 1
        found = email.message_from_bytes(envelope.content)
        draft = self.place / f"{self.number}.draft"
        draft.write_bytes(f"X-To: {envelope.rcpt_tos[0]}\r\n".encode() + envelope.content)
        draft.rename(self.place / f"{self.number}.eml")
        csv.writer(self.log).writerow(
            [found["Message-ID"], "accepted", dt.datetime.now(dt.UTC).isoformat()]
        )
        self.log.flush()
        if "taken" in envelope.rcpt_tos[0] and not self.mended:
            server.transport.abort()
        return "250 taken"


async def main(place: Path) -> None:
    mailbox = Mailbox(place)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(mailbox, enable_SMTPUTF8=False, ident="test"), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    draft = place / f"port.{os.getpid()}"
    draft.write_text(str(port))
    draft.rename(place / "port")
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
