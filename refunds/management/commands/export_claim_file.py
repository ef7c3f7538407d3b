"""`manage.py export_claim_file`: a file of evidence is in a file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from refunds.claims import files as claim_files
from winddown import files
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = "Write a file of evidence that a claim keeps. The journal records it."
    examples = ('export_claim_file 3 --out evidence --by mika --reason "to look at it"',)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("number", type=int, help="number of the file")
        parser.add_argument("--out", type=Path, required=True, help="directory for the file")

    def act(self, options: dict[str, Any]) -> None:
        found = claim_files.disclose(
            claim_files.find(options["number"]),
            actor=self.proven_actor(options),
            reason=options["reason"],
        )
        path = files.write_once(options["out"], found.name, [found.content])
        self.say(f"{path} holds the file.", path=str(path))
