"""`manage.py watchdog`: exit code 1 while work exists that no worker attends to, or a stop is
overdue for ratification.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from winddown import capabilities, runner


class Command(BaseCommand):
    help = "Exit code 1 while a running run has no worker or a stop is overdue. Let a supervisor restart workers on it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--seconds", type=int, default=60, help="how long without a worker is too long"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        alarms = runner.unattended(options["seconds"]) + capabilities.overdue()
        for alarm in alarms:
            self.stdout.write(alarm)
        if alarms:
            raise SystemExit(1)
        self.stdout.write("All work is attended to.")
