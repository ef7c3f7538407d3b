"""The terminal from which a command is run. Every audit entry of a command records it."""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandParser, DjangoHelpFormatter

_running: ContextVar[dict[str, str] | None] = ContextVar("running command", default=None)


class RecordedCommand(BaseCommand):
    """A command whose audit entries record the account of the operating system, the host and the
    terminal. Its help ends with its examples and its exit codes.
    """

    exits: ClassVar[dict[int, str]] = {0: "done", 1: "failed", 2: "not understood"}
    examples: ClassVar[tuple[str, ...]] = ()
    """Its words after `manage.py`, as somebody would type them."""

    def create_parser(self, prog_name: str, subcommand: str, **more: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **more)
        parser.epilog = epilog(self)
        parser.formatter_class = KeepsLines
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        with _recorded(type(self).__module__.rpartition(".")[2]):
            return super().execute(*args, **options)


class KeepsLines(DjangoHelpFormatter):
    """A help in which a text of several lines keeps its lines."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" in text:
            return "\n".join(f"{indent}{line}" for line in text.splitlines())
        return super()._fill_text(text, width, indent)


def epilog(command: RecordedCommand) -> str:
    """Returns what stands at the end of the command's help."""
    examples = [f"  manage.py {words}" for words in command.examples]
    exits = [f"  {code}  {meaning}" for code, meaning in command.exits.items()]
    return "\n".join([*(["examples:", *examples, ""] if examples else []), "exit codes:", *exits])


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
