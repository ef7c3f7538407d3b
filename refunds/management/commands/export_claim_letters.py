"""`manage.py export_claim_letters`: letters with claim numbers, and the codes asked for by letter."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from refunds.applications import claim_letters
from winddown import files
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = (
        "Give everybody whom a letter alone reaches a claim number, and write the letters that are"
        " in no file yet, with the paper form, as pages to print."
    )
    examples = (
        'export_claim_letters --out letters --by hana --reason "those without mail"',
        'export_claim_letters --out letters --number 1 --by hana --reason "the printer jammed"',
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--out", type=Path, required=True, help="directory for the file")
        parser.add_argument("--number", type=int, help="the number of a file, to get it again")

    def act(self, options: dict[str, Any]) -> None:
        found = claim_letters.export(
            actor=self.proven_actor(options),
            reason=options["reason"],
            number=options["number"],
        )
        path = files.write_once(options["out"], found.name, [found.content])
        self.say(f"{path} holds the letters.", path=str(path))
