"""`manage.py load_applications FILE`: what customers sent in, many at once."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import CommandError

from refunds.applications import intake
from winddown import texts
from winddown.authority.staff_command import StaffCommand
from winddown.programme.evidence_files import File

SHOWN_MAX = 5


class Command(StaffCommand):
    help = (
        "Load a file of what customers sent in: applications, bank accounts, corrections and other"
        " payout methods. Each line is in as if it were entered alone, or is refused. Columns:"
        f" {', '.join(intake.COLUMNS)}. See docs/data-in.md."
    )
    examples = ('load_applications forms.csv --by mika --reason "paper forms of week 41"',)
    exits: ClassVar[dict[int, str]] = {
        **StaffCommand.exits,
        3: "done, but some lines were refused",
    }

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, metavar="FILE", help="CSV in UTF-8")

    def act(self, options: dict[str, Any]) -> None:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"there is no file {path}", returncode=2)
        done = intake.load(
            File(name=texts.name_of(path), content=path.read_bytes()),
            actor=self.proven_actor(options),
            reason=options["reason"],
        )
        whys = Counter(str(refusal) for refusal in done.refused.values())
        if not self.as_json:
            for number, refusal in sorted(done.refused.items()):
                self.say(f"line {number}: {refusal}")
        self.say(
            f"{done.taken:,} lines are in, {done.known:,} were in before,"
            f" {len(done.refused):,} were refused.",
            rows=done.rows,
            taken=done.taken,
            known=done.known,
            refused_rows=len(done.refused),
            refused_lines=sorted(done.refused),
            message="; ".join(f"{why} ({n:,})" for why, n in whys.most_common(SHOWN_MAX)),
        )
        if done.refused:
            raise SystemExit(3)
