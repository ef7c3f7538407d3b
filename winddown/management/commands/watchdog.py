"""`manage.py watchdog`: the alarms are found and told without broker and worker."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.utils import translation

from winddown import alarm_kinds, clock
from winddown.alarms import notices, sounding
from winddown.site import alarm_finders
from winddown.terminal import RecordedCommand

CLOCKWORK_KINDS = ("tick_silent", "run_unattended")


class Command(RecordedCommand):
    help = (
        "Print every alarm, and tell the people on duty. It needs no broker and no worker."
        " Let a supervisor run it every minute, and restart beat and workers on exit code 3."
    )
    examples = ("watchdog",)
    exits: ClassVar[dict[int, str]] = {
        0: "nothing grave",
        1: "a grave alarm",
        3: "no tick comes, or a running run has no worker",
    }

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--seconds",
            type=int,
            default=alarm_finders.SILENT_S,
            help="how long without a tick or a worker is too long",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        clockwork = alarm_finders.clockwork_alarms(clock.now(), seconds=options["seconds"])
        found = alarm_kinds.find(instead={alarm_finders.CLOCKWORK: clockwork})
        with translation.override("en"):
            for condition in found.conditions:
                self.stdout.write(condition.sentence)
        sounding.sound(found)
        notices.send_due()
        kinds = {condition.kind for condition in found.conditions}
        if kinds.intersection(CLOCKWORK_KINDS):
            raise SystemExit(3)
        if any(condition.grave for condition in found.conditions):
            raise SystemExit(1)
        self.stdout.write("The clockwork ticks and nothing grave waits for a person.")
