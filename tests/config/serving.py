"""Whether a served site answers."""

from __future__ import annotations

import urllib.error
import urllib.request


def answers(port: int) -> bool:
    """Returns whether a server on the port answers for the service."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/static/nothing", timeout=5)
    except urllib.error.HTTPError as answered:
        return answered.code == 404
    except OSError:
        return False
    return True
