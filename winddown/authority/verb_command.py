"""A command of several verbs, as `manage.py staff add`, of which each is a command of its own."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any, ClassVar

from winddown.authority.staff_command import StaffCommand
from winddown.terminal import KeepsLines, epilog


class VerbCommand(StaffCommand):
    """What the command of the verb that is named does, with its arguments and its exit codes."""

    verbs: ClassVar[Mapping[str, type[StaffCommand]]]

    def add_arguments(self, parser: ArgumentParser) -> None:
        chosen = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
        for name, command in self.verbs.items():
            own = chosen.add_parser(
                name,
                help=command.help,
                description=command.help,
                epilog=epilog(command()),
                formatter_class=KeepsLines,
            )
            command().add_arguments(own)

    def handle(self, *args: Any, **options: Any) -> None:
        command = self.verbs[options.pop("verb")]()
        command.stdout, command.stderr = self.stdout, self.stderr
        command.handle(*args, **options)
