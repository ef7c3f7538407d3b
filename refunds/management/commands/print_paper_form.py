"""`manage.py print_paper_form`: the paper form of an application, blank or of one claim number."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from refunds.applications import claim_letters
from winddown import files
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = (
        "Write the paper form as a page to print. With a reference, a square to scan carries it;"
        " nothing on the form names a person."
    )
    examples = (
        'print_paper_form --out forms --by mika --reason "for the counter"',
        'print_paper_form --reference 0000001289 --out forms --by mika --reason "asked for"',
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--out", type=Path, required=True, help="directory for the file")
        parser.add_argument("--reference", default="", help="of a claim number, ten digits")

    def act(self, options: dict[str, Any]) -> None:
        found = claim_letters.form_for(
            options["reference"], actor=self.proven_actor(options), reason=options["reason"]
        )
        path = files.write_once(options["out"], found.name, [found.content])
        self.say(f"{path} is the form.", path=str(path))
