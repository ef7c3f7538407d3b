"""`manage.py watchdog`: exit code 1 while ticks are missing, work has no worker, or a stop waits
too long for its ratification.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, ClassVar

from winddown.runs import clockwork
from winddown.terminal import RecordedCommand


class Command(RecordedCommand):
    help = (
        "Exit code 1 while no tick comes, a running run has no worker, or a stop is overdue."
        " Let a supervisor restart beat and workers on it."
    )
    exits: ClassVar[dict[int, str]] = {0: "all is attended to", 1: "an alarm"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--seconds",
            type=int,
            default=60,
            help="how long without a tick or a worker is too long",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        alarms = clockwork.alarms(seconds=options["seconds"])
        for alarm in alarms:
            self.stdout.write(alarm)
        if alarms:
            raise SystemExit(1)
        self.stdout.write("The clockwork ticks and all work is attended to.")
