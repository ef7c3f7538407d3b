"""`manage.py import_bank_results FILE...`: the bank's answers are booked, each file once. With
`--check` they are only looked at.

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
from refunds.payouts.answer_lines import Imported
from refunds.payouts.results import Preview
from winddown import texts
from winddown.authority.staff_command import StaffCommand, shown_amount


class Command(StaffCommand):
    help = "Book the bank's answers: results and returns of transfers, account-name checks."
    examples = (
        "import_bank_results result.txt --check --by hana",
        'import_bank_results result.txt --by hana --reason "results of Friday"',
    )
    exits: ClassVar[dict[int, str]] = {
        **StaffCommand.exits,
        3: "booked, but lines are open; with --check: lines would be open",
    }

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "files", nargs="+", type=Path, metavar="FILE", help="files of answers or account checks"
        )
        parser.add_argument(
            "--check", action="store_true", help="say what would change, and change nothing"
        )

    def act(self, options: dict[str, Any]) -> None:
        checked = options["check"]
        actor, breaks = self.actor(options, reason_needed=not checked), 0
        for path in options["files"]:
            try:
                seen = results.preview(path, actor=actor) if checked else None
                done = (
                    results.import_file(path, actor=actor, reason=options["reason"])
                    if seen is None
                    else seen.would
                )
            except BankFileError as refusal:
                raise CommandError(
                    f"{texts.name_of(path)} was refused whole: {refusal}"
                ) from refusal
            except OSError as error:
                raise CommandError(
                    f"{texts.name_of(path)}: {error.strerror}", returncode=2
                ) from error
            self.say(
                f"{texts.name_of(path)}: {_said(done, seen)}",
                file=texts.name_of(path),
                **asdict(done),
                **({} if seen is None else {"preview": asdict(seen)}),
            )
            breaks += 0 if done.known_before else done.breaks
        if breaks:
            raise SystemExit(3)


def _said(done: Imported, seen: Preview | None) -> str:
    said = (
        f"{done.settled} settled, {done.returned} returned, {done.matched} accounts matched,"
        f" {done.refused} refused, {done.noted} under way, {done.repeated} known before, {done.breaks} breaks"
    )
    if done.known_before:
        return f"was imported before; nothing changed. The first time: {said}"
    if seen is None:
        return said
    parts = [
        *(
            f"batch {each.name}: {each.lines} lines of {shown_amount(each.sum_minor)}"
            for each in seen.batches
        ),
        *(f"{each.name}: {each.lines} lines" for each in seen.conflicts),
    ]
    return "; ".join([f"nothing changed. It would be: {said}", *parts])
