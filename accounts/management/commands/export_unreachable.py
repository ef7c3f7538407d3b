"""`manage.py export_unreachable`: the people whom no notice of a reset can reach."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from accounts.reset_notices import notice_files
from winddown.authority.staff_command import StaffCommand
from winddown.files import write_once
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
            progress.latest(notice_files.WORKFLOW, states=tuple(Run.State.values)),
            actor=self.proven_actor(options),
            reason=options["reason"],
        )
        write_once(options["out"], done.name, done.pieces)
        self.say(
            f"{done.rows:,} accounts cannot be reached: {done.name}.",
            rows=done.rows,
            files=[done.name],
        )
