"""`manage.py export_check_file`: the bank is asked whether names and accounts belong together."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from refunds.applications import payees
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = "Write the file that asks the bank about every account that it was not asked about yet."
    examples = ('export_check_file --out to_bank --by aoi --reason "new accounts"',)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--out", type=Path, required=True, help="directory for the file")
        parser.add_argument(
            "--again", action="store_true", help="also about accounts that it has not answered"
        )

    def act(self, options: dict[str, Any]) -> None:
        path = payees.export_check_file(
            options["out"],
            actor=self.proven_actor(options),
            reason=options["reason"],
            again=options["again"],
        )
        if path is None:
            self.say("No account waits for it.", path="")
        else:
            self.say(f"{path} asks the bank.", path=str(path))
