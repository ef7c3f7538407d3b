"""`manage.py rehearse FILE --data DIR`: an operator's own programme is rehearsed to the end."""

from __future__ import annotations

import io
import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.core.management.base import CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import timezone, translation
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rehearsal import stage
from rehearsal.own_data import Findings, OwnData
from winddown import clock
from winddown.authority.staff_command import shown_amount
from winddown.errors import WinddownError
from winddown.set_up import reading
from winddown.set_up.reading import NotUnderstood
from winddown.set_up.sections import Rows
from winddown.terminal import RecordedCommand

# What is not a terminal is as wide.
WIDTH = 120


class Command(RecordedCommand):
    help = (
        "Rehearse a programme on its own set-up file and CSV files, from the take-over to the end of"
        " the refund window, with a simulated bank, simulated issuers and simulated people, and say"
        " what would stall, for how much, and who mends it by which command or page."
        " An earlier rehearsal in this database is deleted; a real programme is refused."
    )
    examples = (
        "rehearse rehearsal.toml --data case",
        "rehearse rehearsal.toml --data case --claims 20 --json",
    )
    exits: ClassVar[dict[int, str]] = {
        0: "nothing stalled",
        1: "refused: the database holds a real programme",
        2: "not understood",
        3: "something stalled",
    }

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the set-up file, as `begin` reads it")
        parser.add_argument(
            "--data",
            type=Path,
            required=True,
            metavar="DIR",
            help="where accounts.csv and so on are",
        )
        parser.add_argument(
            "--claims",
            type=int,
            default=0,
            metavar="NUMBER",
            help="so many holders say that the newest top-up of their card was not theirs, so that"
            " the fraud desk and the issuers are exercised (default 0: only what the rules find)",
        )
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["data"].is_dir():
            raise CommandError(f"{options['data']} is no directory", returncode=2)
        try:
            rows = read(options["file"])
            stage.empty_database()
            found = OwnData(
                rows,
                data=options["data"],
                out=Path(settings.LOCAL_DIR) / "rehearse",
                tell=(lambda _line: None) if options["json"] else self.stdout.write,
                claimed=options["claims"],
            ).play()
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}", returncode=2) from error
        except NotUnderstood as refusal:
            problems = "\n".join(str(each) for each in refusal.problems)
            raise CommandError(f"{problems}\n{refusal}", returncode=2) from refusal
        except WinddownError as refusal:
            raise CommandError(str(refusal), returncode=1) from refusal
        self.say(found, as_json=options["json"])
        if found.stalls:
            raise SystemExit(3)

    def say(self, found: Findings, *, as_json: bool) -> None:
        """The findings are printed, as a table and sentences or as JSON."""
        if as_json:
            self.stdout.write(json.dumps(found.as_dict(), cls=DjangoJSONEncoder))
            return
        self._table(found)
        self.stdout.write(
            f"{found.unreachable:,} people cannot be reached; {found.passwords:,} chose a password."
        )
        for state, of in found.unpaid.items():
            self.stdout.write(
                f"{state}: {of['holders']:,} holders, {shown_amount(of['amount_minor'])} not paid"
            )
        for desk in found.not_exercised:
            self.stdout.write(f"Not exercised: {desk}.")
        self.stdout.write(
            f"{found.commands:,} commands were run and {sum(found.forms.values()):,} forms sent;"
            f" {len(found.stalls):,} things stall. The programme is {found.state}."
        )

    def _table(self, found: Findings) -> None:
        """Each stall, who mends it and by which door, with the total below."""
        if not found.stalls:
            return
        table = Table(title="What stalls", title_justify="left", show_lines=True)
        for name in ("what and why", "number", "amount", "who acts", "door"):
            right = name in ("number", "amount")
            table.add_column(name, justify="right" if right else "left", overflow="fold")
        for stall in found.stalls:
            table.add_row(
                Text(f"{stall.what}: {stall.why}"),
                f"{stall.number:,}",
                shown_amount(stall.amount_minor) if stall.amount_minor else "",
                stall.role.replace("_", " "),
                Text(stall.door),
            )
        table.add_row(
            "total", f"{len(found.stalls):,}", shown_amount(found.total["amount_minor"]), "", ""
        )
        printed = io.StringIO()
        Console(file=printed, width=None if self.stdout.isatty() else WIDTH).print(table)
        self.stdout.write(printed.getvalue())


def read(path: Path) -> Rows:
    """Returns the set-up file, judged at the real instant: an earlier rehearsal in this database has
    left its clock elsewhere, and it stays there if the file is not understood.
    """
    with translation.override("en"), transaction.atomic():
        if clock.is_rehearsal():
            clock.travel(timezone.now())
        try:
            return reading.read(path.read_bytes())
        finally:
            transaction.set_rollback(True)
