"""`manage.py drain`: does all waiting work in this process, without any broker."""

from __future__ import annotations

from typing import Any

from winddown.models import Run
from winddown.programme import milestones
from winddown.runs import progress, working
from winddown.terminal import RecordedCommand


class Command(RecordedCommand):
    help = "Fire due milestones and work off every running run, without a broker."
    examples = ("drain",)

    def handle(self, *args: Any, **options: Any) -> None:
        for milestone in milestones.fire_due():
            self.stdout.write(f"{milestone.kind} fired, {milestone.late_by} late.")
        worked = working.work_off()
        for run in Run.objects.filter(pk__in=worked).order_by("pk"):
            self.stdout.write(f"{run} is {run.state}: {progress.moved(run)}")
        if not worked:
            self.stdout.write("Nothing was owed.")
