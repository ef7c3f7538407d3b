"""`manage.py export_notices`: notices leave in a file for whoever carries them."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from accounts import carrier_files
from accounts.models import ResetNotice
from accounts.reset_notices import notice_files
from winddown.authority.staff_command import StaffCommand
from winddown.models import Run
from winddown.runs import progress


class Command(StaffCommand):
    help = "Write the queued notices of the newest reset for a carrier, and mark them as sent."
    examples = (
        'export_notices --channel email --out letters --by hana --reason "the carrier sends them"',
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--channel",
            choices=ResetNotice.Channel.values,
            required=True,
            help="the notices of this channel",
        )
        parser.add_argument("--out", type=Path, required=True, help="directory for the files")

    def act(self, options: dict[str, Any]) -> None:
        actor, reason = self.proven_actor(options), options["reason"]
        done = notice_files.hand_over(
            progress.latest(notice_files.WORKFLOW, states=Run.STARTED),
            channel=options["channel"],
            actor=actor,
            reason=reason,
        )
        written = [
            carrier_files.write(each, options["out"], actor=actor, reason=reason).name
            for each in done.files
        ]
        said = f"{done.rows:,} notices by {options['channel']} in {', '.join(written)}."
        self.say(
            said if written else f"No notice by {options['channel']} is queued.",
            rows=done.rows,
            files=written,
        )
