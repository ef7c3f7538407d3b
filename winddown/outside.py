"""Connections to servers outside, which end when their whole time is over, whatever they wait for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPSConnection

AGAIN_S = 0.1


class Http(HTTPConnection):
    """As its base; `reached` is its socket, also after the base let go of it to read an answer."""

    reached: socket.socket | None = None

    def connect(self) -> None:
        super().connect()
        self.reached = self.sock


class Https(HTTPSConnection, Http):
    """As its bases."""

    def connect(self) -> None:
        super().connect()
        self.reached = self.sock


@contextmanager
def within(connection: Http, seconds: float) -> Iterator[threading.Event]:
    """Inside, the connection is broken once the seconds are over, again and again until the end, as
    it may have no socket yet. Whoever waits for the server gets an error or the end of the answer.
    Yields an event that is set then.
    """
    passed, over = threading.Event(), threading.Event()

    def watch() -> None:
        wait = seconds
        while not over.wait(wait):
            passed.set()
            wait = AGAIN_S
            _cut(connection.reached)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield passed
    finally:
        over.set()
        connection.close()


def _cut(sock: socket.socket | None) -> None:
    if sock is not None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            # The other side has ended it.
            return
