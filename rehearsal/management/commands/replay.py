"""`manage.py replay`: the 7pay case is replayed and judged; exit code 0 only if everything holds."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from rich.console import Console

from rehearsal.replay import Replay
from rehearsal.storyteller import Storyteller
from winddown.errors import WinddownError
from winddown.terminal import RecordedCommand


class Command(RecordedCommand):
    help = "Replay the 7pay case from launch to the end of the refund window and judge it."
    examples = ("replay --accounts 1000 --seed 1",)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--accounts", type=int, default=20_000, help="at least 2,000 (default %(default)s)"
        )
        parser.add_argument(
            "--seed", type=int, default=7, help="another seed is another case (default %(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        directory = Path(settings.LOCAL_DIR) / "replay"
        replay = Replay(
            accounts=options["accounts"],
            seed=options["seed"],
            directory=directory,
            storyteller=Storyteller(Console(highlight=False)),
        )
        try:
            report = replay.play()
        except WinddownError as refusal:
            raise CommandError(str(refusal)) from refusal
        report.write(directory / "report.json")
        replay.storyteller.verdict(report, directory / "report.json")
        if not report.passed:
            raise SystemExit(1)
