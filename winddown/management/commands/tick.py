"""`manage.py tick`: what beat does every 15 seconds, once, for cron or systemd."""

from typing import Any

from winddown.runs import clockwork
from winddown.terminal import RecordedCommand


class Command(RecordedCommand):
    help = "Fire due milestones, wake what is owed, seal new movements: one tick."
    examples = ("tick",)

    def handle(self, *args: Any, **options: Any) -> None:
        clockwork.tick()
