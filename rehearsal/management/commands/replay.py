"""`manage.py replay`: the 7pay case is replayed and judged; exit code 0 only if everything holds."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from rich.console import Console

from rehearsal.plans import STANDARD, load_plan
from rehearsal.replay import Replay
from rehearsal.storyteller import Storyteller
from winddown.errors import WinddownError
from winddown.terminal import RecordedCommand


class Command(RecordedCommand):
    help = "Replay the 7pay case from launch to the end of the refund window and judge it."
    examples = (
        "replay --accounts 2000 --seed 1",
        "replay --plan rehearsal/case/plans/early.toml",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--accounts", type=int, default=20_000, help="at least 2,000 (default %(default)s)"
        )
        parser.add_argument(
            "--seed", type=int, default=7, help="another seed is another case (default %(default)s)"
        )

        parser.add_argument(
            "--plan",
            type=Path,
            default=STANDARD,
            metavar="FILE",
            help="what the operator does about the refund (default: what 7pay did)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        directory = Path(settings.LOCAL_DIR) / "replay"
        try:
            replay = Replay(
                accounts=options["accounts"],
                seed=options["seed"],
                directory=directory,
                storyteller=Storyteller(Console(highlight=False)),
                plan=load_plan(options["plan"]),
            )
            report = replay.play()
        except WinddownError as refusal:
            raise CommandError(str(refusal)) from refusal
        plan = replay.plan
        path = directory / ("report.json" if plan.is_published else f"report-{plan.code}.json")
        report.write(path)
        replay.storyteller.verdict(report, path)
        if not report.passed:
            raise SystemExit(1)
