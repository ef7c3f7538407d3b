"""`manage.py rehearse FILE --data DIR`: an operator's own programme is rehearsed to the end."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.core.management.base import CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import translation

from rehearsal import stage
from rehearsal.own_data import Findings, OwnData
from winddown.authority.staff_command import shown_amount
from winddown.errors import WinddownError
from winddown.set_up import reading
from winddown.set_up.reading import NotUnderstood
from winddown.terminal import RecordedCommand


class Command(RecordedCommand):
    help = (
        "Rehearse a programme on its own set-up file and CSV files, from the take-over to the end of"
        " the refund window, with a simulated bank and simulated holders, and say what would stall."
        " An earlier rehearsal in this database is deleted; a real programme is refused."
    )
    examples = ("rehearse rehearsal.toml --data case",)
    exits: ClassVar[dict[int, str]] = {
        0: "nothing stalled",
        1: "something stalled, or the database is no rehearsal",
        2: "not understood",
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
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["data"].is_dir():
            raise CommandError(f"{options['data']} is no directory", returncode=2)
        try:
            with translation.override("en"):
                rows = reading.read(options["file"].read_bytes())
            stage.empty_database()
            found = OwnData(
                rows,
                data=options["data"],
                out=Path(settings.LOCAL_DIR) / "rehearse",
                tell=(lambda _line: None) if options["json"] else self.stdout.write,
            ).play()
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}", returncode=2) from error
        except NotUnderstood as refusal:
            problems = "\n".join(str(each) for each in refusal.problems)
            raise CommandError(f"{problems}\n{refusal}", returncode=2) from refusal
        except WinddownError as refusal:
            raise CommandError(str(refusal), returncode=1) from refusal
        self._say(found, as_json=options["json"])
        if found.stalls:
            raise SystemExit(1)

    def _say(self, found: Findings, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(found.as_dict(), cls=DjangoJSONEncoder))
            return
        for stall in found.stalls:
            self.stdout.write(f"STALLS {stall.what} ({stall.number:,}): {stall.why}")
        self.stdout.write(f"{found.unreachable:,} people cannot be reached.")
        for state, of in found.unpaid.items():
            self.stdout.write(
                f"{state}: {of['holders']:,} holders, {shown_amount(of['amount_minor'])} not paid"
            )
        self.stdout.write(
            f"{found.commands:,} commands were run; {len(found.stalls):,} things stall."
        )
