"""The terminal from which a command is run. Every audit entry of a command records it."""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.core.management.base import BaseCommand

_running: ContextVar[dict[str, str] | None] = ContextVar("running command", default=None)


class RecordedCommand(BaseCommand):
    """A command whose audit entries record the account of the operating system, the host and the
    terminal.
    """

    def execute(self, *args: Any, **options: Any) -> str | None:
        with _recorded(type(self).__module__.rpartition(".")[2]):
            return super().execute(*args, **options)


def facts() -> dict[str, Any]:
    """Returns what an audit entry records of the command that writes it; nothing outside of one."""
    found = _running.get()
    return {"command": found} if found else {}


@contextmanager
def _recorded(name: str) -> Iterator[None]:
    here = {
        "name": name,
        "os_account": _account(),
        "host": socket.gethostname(),
        "terminal": _terminal(),
    }
    token = _running.set(here)
    try:
        yield
    finally:
        _running.reset(token)


def _account() -> str:
    """Returns the name of the process's account; an environment variable could say another one."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _terminal() -> str:
    """Returns the name of the terminal, empty where there is none."""
    for stream in (0, 1, 2):
        try:
            return os.ttyname(stream)
        except OSError:
            continue
    return ""
