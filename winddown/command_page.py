"""The page that lists the management commands, written from the commands themselves."""

from __future__ import annotations

from argparse import Action, ArgumentParser, _SubParsersAction
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import fill
from typing import Final

from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from winddown.terminal import RecordedCommand

WIDTH: Final = 100
APPS: Final = ("winddown", "accounts", "wallets", "refunds", "rehearsal")
# The arguments that Django gives every command.
_DJANGO: Final = {action.dest for action in BaseCommand().create_parser("", "")._actions}
_EXITS: Final = RecordedCommand.exits
_FAMILY: Final = "Commands that nobody signs for"

_BEGIN: Final = """# Commands

Written by `manage.py commands`. `tests/architecture/test_commands.py` compares this page with the
commands. Each command is called as `.venv/bin/python manage.py NAME`; the options that Django gives
to every command are left out.
"""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument as a person types it, and its purpose."""

    spelling: str
    meaning: str
    needed: bool

    def line(self) -> str:
        needed = "needed; " if self.needed and self.spelling.startswith("-") else ""
        return f"| `{self.spelling}` | {needed}{self.meaning} |"


@dataclass(frozen=True, slots=True)
class Listed:
    """One command as the page shows it."""

    name: str
    """With its verb where it has some: `staff add`."""
    app: str
    help: str
    family: str
    exits: dict[int, str]
    arguments: tuple[Argument, ...]

    @property
    def command(self) -> str:
        """Returns the name without the verb, as it is loaded."""
        return self.name.partition(" ")[0]


def listed() -> list[Listed]:
    """Returns every command of our apps, by name."""
    return [
        each
        for name, app in sorted(get_commands().items())
        if app in APPS
        for each in _listed(name, load_command_class(app, name), app)
    ]


def _listed(name: str, command: BaseCommand, app: str) -> Iterator[Listed]:
    """Yields the command, or each of its verbs where it has some."""
    whole = command.create_parser("manage.py", name)
    parsers = dict(verbs(name, whole)) or {name: whole}
    for called, parser in parsers.items():
        yield Listed(
            name=called,
            app=app,
            help=" ".join((parser.description or "").split()),
            family=getattr(command, "family", _FAMILY),
            exits=getattr(command, "exits", _EXITS),
            arguments=tuple(
                _argument(each) for each in parser._actions if each.dest not in _DJANGO
            ),
        )


def verbs(name: str, parser: ArgumentParser) -> Iterator[tuple[str, ArgumentParser]]:
    """Yields the parser of each verb of the command, by name."""
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            for verb, own in action.choices.items():
                yield f"{name} {verb}", own


def _argument(action: Action) -> Argument:
    value = "" if action.nargs == 0 else _value(action)
    if action.option_strings:
        spelling = " ".join([action.option_strings[-1], *([value] if value else [])])
    else:
        spelling = f"[{value}]" if action.nargs in ("?", "*") else value
    shown = {"default": action.default, "prog": "manage.py", "choices": action.choices}
    meaning = " ".join((action.help or "").split()) % shown if action.help else ""
    return Argument(spelling=spelling, meaning=meaning, needed=action.required)


def _value(action: Action) -> str:
    value = action.metavar or action.dest.upper()
    if action.choices and not action.metavar:
        # In a table of Markdown a bar would end the cell.
        value = "{" + ",".join(str(each) for each in action.choices) + "}"
    return f"{value} ..." if action.nargs in ("+", "*") else str(value)


def page() -> str:
    """Returns the whole page, in Markdown."""
    families: dict[str, list[Listed]] = defaultdict(list)
    for command in listed():
        families[command.family].append(command)
    parts = [_BEGIN]
    for family in sorted(families, key=lambda name: (name == _FAMILY, name)):
        parts.extend(_family(family, families[family]))
    return "\n".join(parts)


def _family(name: str, commands: list[Listed]) -> Iterator[str]:
    """Prints the arguments that most commands of a family take once, above the commands."""
    counted = Counter(argument for command in commands for argument in command.arguments)
    shared = [argument for argument, times in counted.items() if times * 2 > len(commands)]
    yield f"## {name}\n"
    if shared:
        yield "Unless a command says otherwise, each of them takes:\n"
        yield _table(shared)
    for command in commands:
        yield f"### `{command.name}`\n"
        yield fill(command.help, WIDTH) + "\n"
        own = [argument for argument in command.arguments if argument not in shared]
        missing = [each.spelling for each in shared if each not in command.arguments]
        if own:
            yield _table(own)
        if missing:
            without = ", ".join(f"`{each}`" for each in missing)
            yield fill(f"Does not take {without}.", WIDTH) + "\n"
        exits = "; ".join(f"{code} {meaning}" for code, meaning in command.exits.items())
        yield fill(f"App `{command.app}`. Exit codes: {exits}.", WIDTH) + "\n"


def _table(arguments: list[Argument]) -> str:
    lines = ["| argument | meaning |", "|---|---|", *(each.line() for each in arguments)]
    return "\n".join(lines) + "\n"
