"""`manage.py export_merchant_letters`: the letters to merchants whom no mail reaches."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from accounts.merchants import letters
from winddown import files
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = "Write the letters to merchants that are in no file yet, as sheets to print."
    examples = ('export_merchant_letters --out letters --by hana --reason "no mail address"',)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--out", type=Path, required=True, help="directory for the file")
        parser.add_argument("--number", type=int, help="the number of a file, to get it again")

    def act(self, options: dict[str, Any]) -> None:
        found = letters.export(
            actor=self.proven_actor(options),
            reason=options["reason"],
            number=options["number"],
        )
        path = files.write_once(options["out"], found.name, [found.content])
        self.say(f"{path} holds the letters.", path=str(path))
