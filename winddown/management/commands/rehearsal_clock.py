"""`manage.py rehearsal_clock TO`: business time of a rehearsal goes on, with what falls due on the way."""

from __future__ import annotations

import logging
from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.management.base import CommandError
from django.utils import timezone, translation

from winddown import alarm_kinds, clock
from winddown.authority.staff_command import shown
from winddown.errors import WinddownError
from winddown.models import Milestone, Programme, Run
from winddown.programme import time_travel
from winddown.runs import clockwork, progress
from winddown.terminal import RecordedCommand


class Command(RecordedCommand):
    help = (
        "Let the time of a rehearsal go on to an instant. What falls due on the way is done: on each"
        " day the work of the clockwork, at each deadline what it starts, and the batches of every"
        " running run."
    )
    exits: ClassVar[dict[int, str]] = {
        0: "it is that time",
        1: "refused: no rehearsal, or an instant that has passed",
        2: "not understood",
    }
    examples = (
        "rehearsal_clock +90d",
        "rehearsal_clock 2026-06-30T24:00",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "to",
            nargs="?",
            metavar="TO",
            help="2019-09-30T24:00 in the programme's zone, or +90d, or +6h; without it, tell the time",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        programme = Programme.objects.filter(pk=1).first()
        if programme is None:
            raise CommandError("there is no programme yet: manage.py begin", returncode=1)
        with timezone.override(programme.zone):
            if options["to"]:
                self._go_on(options["to"])
            self.stdout.write(f"It is {shown(clock.now())}.")
            with translation.override("en"):
                for alarm in alarm_kinds.find().conditions if options["to"] else ():
                    self.stdout.write(f"ALARM {alarm.sentence}")

    def _go_on(self, text: str) -> None:
        runs = set(Run.objects.filter(state__in=Run.ENDED).values_list("pk", flat=True))
        fired = set(Milestone.objects.exclude(fired_at=None).values_list("pk", flat=True))
        # On each day the follow-ups would say that there was nothing to do.
        logging.getLogger(clockwork.__name__).setLevel(logging.WARNING)
        try:
            for _at in time_travel.go_on(time_travel.meant(text)):
                pass
        except ValueError as error:
            raise CommandError(
                f"{error}; or write +90d for ninety days, +6h for six hours", returncode=2
            ) from error
        except WinddownError as refusal:
            raise CommandError(str(refusal), returncode=1) from refusal
        for milestone in Milestone.objects.exclude(fired_at=None).exclude(pk__in=fired):
            self.stdout.write(f"{milestone.kind} was reached at {shown(milestone.at)}.")
        for run in Run.objects.filter(state__in=Run.ENDED).exclude(pk__in=runs).order_by("pk"):
            moved = ", ".join(f"{step} {rows:,}" for step, rows in progress.moved(run).items())
            self.stdout.write(f"{run} is {run.state}: {moved or 'nothing moved'}.")
