"""`manage.py export_notice_evidence`: the evidence of a publication is in a file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from winddown import files
from winddown.authority.staff_command import StaffCommand
from winddown.programme import publications


class Command(StaffCommand):
    help = "Write the file that shows a publication of the notice. The journal records it."
    examples = ('export_notice_evidence 1 --out evidence --by hana --reason "the authority asks"',)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("number", type=int, help="number of the publication")
        parser.add_argument("--out", type=Path, required=True, help="directory for the file")

    def act(self, options: dict[str, Any]) -> None:
        found = publications.disclose_evidence(
            options["number"], actor=self.proven_actor(options), reason=options["reason"]
        )
        name = f"publication-{options['number']}-{found.name}"
        path = files.write_once(options["out"], name, [found.content])
        self.say(f"{path} holds the evidence.", path=str(path))
