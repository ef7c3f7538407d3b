"""`manage.py export_document`: a document of an application is in a file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from refunds.applications import documents
from winddown import files
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = "Write the file of a document that an applicant showed. The journal records it."
    examples = ('export_document 3 --out documents --by hana --reason "to check it"',)

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
        path = files.write_once(options["out"], found.name, [found.content])
        self.say(f"{path} holds the document.", path=str(path))
