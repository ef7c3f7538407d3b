"""`manage.py export_closing_document`: a document of the end is in a file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from refunds.closing import documents
from winddown import files
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = "Write the file of a document of the end. The journal records it."
    examples = ('export_closing_document 1 --out documents --by hana --reason "to confirm it"',)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("number", type=int, help="number of the document")
        parser.add_argument("--out", type=Path, required=True, help="directory for the file")

    def act(self, options: dict[str, Any]) -> None:
        found = documents.disclose(
            documents.find(options["number"]),
            actor=self.proven_actor(options),
            reason=options["reason"],
        )
        name = f"document-{options['number']}-{found.name}"
        path = files.write_once(options["out"], name, [found.content])
        self.say(f"{path} holds the document.", path=str(path))
