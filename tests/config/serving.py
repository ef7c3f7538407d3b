"""Whether a served site answers."""

from __future__ import annotations

import urllib.error
import urllib.request

# What a visitor who sends slowly has sent so far.
HALVES = [
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: ",
    # With a cookie of the form's, so that the form is read before it is refused.
    b"POST /sign-in/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n"
    b"Cookie: csrftoken=" + b"a" * 32 + b"\r\n\r\nlogin",
]


def answers(port: int, path: str = "/static/nothing", *, patience_s: int = 5) -> bool:
    """Returns whether a server on the port answers for the service."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=patience_s)
    except urllib.error.HTTPError as answered:
        return answered.code == 404
    except OSError:
        return False
    return True
