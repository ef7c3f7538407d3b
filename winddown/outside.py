"""Connections to servers outside: they lead to public addresses, and end when their time is over."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPSConnection
from typing import Any

from django.conf import settings

AGAIN_S = 0.1
# Global addresses, and those of 6to4 in them, which hold an address of the older kind.
_GLOBAL_V6, _6TO4 = ipaddress.ip_network("2000::/3"), ipaddress.ip_network("2002::/16")
# A gateway of the own network leads from here to the older address in the last four bytes.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class PrivateAddress(OSError):
    """The host has an address inside, which the settings do not allow."""


def may_be_reached(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Returns whether the address is public, or in one of `REACHED_NETWORKS` of the settings."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if any(address in network for network in settings.REACHED_NETWORKS):
        return True
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return may_be_reached(ipaddress.IPv4Address(address.packed[-4:]))
        if address not in _GLOBAL_V6 or address in _6TO4:
            return False
    return address.is_global and not address.is_multicast


def _connected(
    address: tuple[str, int], timeout: float, source: tuple[str, int] | None = None
) -> socket.socket:
    """Returns a socket to the host. It is resolved once, and each of its addresses must be allowed,
    so that a name cannot lead inside. Raises `PrivateAddress`.
    """
    host, port = address
    found = [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not all(may_be_reached(ipaddress.ip_address(each)) for each in found):
        raise PrivateAddress
    failed: OSError | None = None
    for each in found:
        try:
            return socket.create_connection((each, port), timeout, source)
        except OSError as error:
            failed = error
    raise failed or OSError("the host has no address")


class Http(HTTPConnection):
    """As its base, to an address that was checked. `reached` is its socket, also after the base let
    go of it to read an answer.
    """

    reached: socket.socket | None = None

    def __init__(self, *named: Any, **more: Any) -> None:
        super().__init__(*named, **more)
        self._create_connection = _connected

    def connect(self) -> None:
        super().connect()
        self.reached = self.sock


class Https(HTTPSConnection, Http):
    """As its bases, with the certificate of the host's name."""

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
