"""`manage.py demo`: the 7pay case is replayed, and then console and portal are served on it."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from rich.console import Console

from rehearsal import serving
from rehearsal.replay import Replay
from rehearsal.storyteller import Storyteller
from winddown.errors import WinddownError
from winddown.terminal import RecordedCommand


class Command(RecordedCommand):
    help = "Replay the 7pay case, judge it, and serve console and portal on it until Ctrl-C."
    examples = ("demo",)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--accounts", type=int, default=20_000, help="at least 2,000 (default %(default)s)"
        )
        parser.add_argument(
            "--seed", type=int, default=7, help="another seed is another case (default %(default)s)"
        )
        parser.add_argument("--port", type=int, default=8000, help="default %(default)s")

    def handle(self, *args: Any, **options: Any) -> None:
        directory = Path(settings.LOCAL_DIR) / "replay"
        console = Console(highlight=False)
        replay = Replay(
            accounts=options["accounts"],
            seed=options["seed"],
            directory=directory,
            storyteller=Storyteller(console),
        )
        try:
            # Before the replay, which takes minutes.
            serving.refuse_taken(options["port"])
            report = replay.play()
            report.write(directory / "report.json")
            replay.storyteller.verdict(report, directory / "report.json")
            serving.serve(console, port=options["port"], logs=directory, cast=replay.cast)
        except WinddownError as refusal:
            raise CommandError(str(refusal)) from refusal
        if not report.passed:
            raise SystemExit(1)
