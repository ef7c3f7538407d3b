"""manage.py load_breached_passwords: the passwords of a published list can no longer be chosen."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from accounts.sign_in import breached
from winddown.authority.staff_command import StaffCommand
from winddown.errors import LoadRefused
from winddown.loading.command import LoadCommand


class Command(LoadCommand):
    help = "Load a list of SHA-1 fingerprints of breached passwords, whole or not at all."
    kind = breached.KIND

    def add_arguments(self, parser: ArgumentParser) -> None:
        StaffCommand.add_arguments(self, parser)
        parser.add_argument("file", type=Path, metavar="FILE", help="one SHA-1[:count] a line")
        parser.add_argument(
            "--expect-rows", type=int, metavar="N", help="refuse the file unless it has N rows"
        )

    def act(self, options: dict[str, Any]) -> None:
        actor = self.actor(options, reason_needed=False)
        try:
            with self._progress() as progress:
                done = breached.load(
                    options["file"],
                    actor=actor,
                    reason=options["reason"],
                    expect_rows=options["expect_rows"],
                    progress=progress,
                )
        except LoadRefused as refusal:
            self._say_refused(refusal)
            raise SystemExit(refusal.exit_code) from refusal
        self._say_loaded(done)
