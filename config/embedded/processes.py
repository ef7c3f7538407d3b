"""How a child process starts: under which account, and ended with its parent."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

PR_SET_PDEATHSIG = 1


def run_as(account: tuple[int, int] | None) -> dict[str, Any]:
    """Returns arguments for subprocess that give up root's rights, or none."""
    if account is None:
        return {}
    return {"user": account[0], "group": account[1], "extra_groups": []}


def die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Returns a preexec_fn: the kernel signals the child when its parent dies in any way."""
    if sys.platform != "linux":
        # There, the next supervisor stops a server that was left behind: see stop_orphan.
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def arrange() -> None:
        prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        # The parent may have died before the arrangement was made.
        if os.getppid() != parent:
            os._exit(1)

    return arrange
