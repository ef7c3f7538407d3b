"""`manage.py import_bank_results FILE...`: the bank's answers are booked, each file once.

The exit code is 3 when a line fits nothing of ours: the rest is booked, and two people clear it.
"""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import CommandError

from refunds.bankfiles.errors import BankFileError
from refunds.payouts import results
from winddown import texts
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = "Book the bank's answers: results and returns of transfers, account-name checks."
    examples = ('import_bank_results result.txt --by hana --reason "results of Friday"',)
    exits: ClassVar[dict[int, str]] = {**StaffCommand.exits, 3: "booked, but lines are open"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "files", nargs="+", type=Path, metavar="FILE", help="files of answers or account checks"
        )

    def act(self, options: dict[str, Any]) -> None:
        actor, breaks = self.actor(options), 0
        for path in options["files"]:
            try:
                done = results.import_file(path, actor=actor, reason=options["reason"])
            except BankFileError as refusal:
                raise CommandError(
                    f"{texts.name_of(path)} was refused whole: {refusal}"
                ) from refusal
            except OSError as error:
                raise CommandError(
                    f"{texts.name_of(path)}: {error.strerror}", returncode=2
                ) from error
            said = (
                "was imported before; nothing changed"
                if done.known_before
                else f"{done.settled} settled, {done.returned} returned, {done.matched} "
                f"accounts matched,"
                f" {done.refused} refused, {done.repeated} known before, {done.breaks} breaks"
            )
            self.say(f"{texts.name_of(path)}: {said}", file=texts.name_of(path), **asdict(done))
            breaks += done.breaks
        if breaks:
            raise SystemExit(3)
