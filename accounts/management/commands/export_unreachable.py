"""`manage.py export_unreachable`: the people whom no notice of a reset can reach."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from accounts.reset_notices import notice_files
from winddown.authority.staff_command import StaffCommand
from winddown.models import Run
from winddown.runs import progress


class Command(StaffCommand):
    help = "Write the accounts without a working channel, by their account_ref alone."
    examples = ('export_unreachable --out letters --by hana --reason "letters by post"',)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--out", type=Path, required=True, help="directory for the file")

    def act(self, options: dict[str, Any]) -> None:
        done = notice_files.export_unreachable(
            progress.latest("reset-all-passwords", states=tuple(Run.State.values)),
            to=options["out"],
            actor=self.proven_actor(options),
            reason=options["reason"],
        )
        self.say(
            f"{done.rows:,} accounts cannot be reached: {done.files[0]}.",
            rows=done.rows,
            files=done.files,
        )
