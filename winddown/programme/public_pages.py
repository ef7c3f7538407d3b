"""Reads a page at a public address, as everybody can read it, within limits of time and size."""

from __future__ import annotations

from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from urllib.parse import urlsplit

from winddown import outside

ANSWER_S_MAX = 10
# Also a server that sends one byte at a time is given up after this time.
WHOLE_S_MAX = 20


class Unreachable(Exception):
    """The page cannot be read; the message says what happened, without a word of the server."""


@dataclass(frozen=True, slots=True)
class Page:
    """What an address answers. A redirect is not followed, because the page is then elsewhere."""

    status: int
    content: bytes


def read(url: str, *, bytes_max: int) -> Page:
    """Returns the answer of the address. At most `bytes_max` bytes are read of it. Raises
    `Unreachable`.
    """
    parts = urlsplit(url)
    kind = outside.Https if parts.scheme == "https" else outside.Http
    connection = kind(parts.hostname or "", parts.port, timeout=ANSWER_S_MAX)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        with outside.within(connection, WHOLE_S_MAX) as passed:
            connection.request("GET", target, headers={"Accept-Encoding": "identity"})
            answer = connection.getresponse()
            content = answer.read(bytes_max)
        if passed.is_set():
            raise Unreachable(f"it took longer than {WHOLE_S_MAX} s")
        _refuse_broken_off(answer, len(content) < bytes_max)
        return Page(status=answer.status, content=content)
    except (OSError, HTTPException, ValueError) as failed:
        raise Unreachable(type(failed).__name__) from failed


def _refuse_broken_off(answer: HTTPResponse, ended: bool) -> None:
    if ended and answer.length:
        raise Unreachable("the answer broke off")
