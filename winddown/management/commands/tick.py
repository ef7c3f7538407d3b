"""`manage.py tick`: what beat does every 15 seconds, once, for cron or systemd."""

from typing import Any

from django.core.management.base import BaseCommand

from winddown.runs import clockwork


class Command(BaseCommand):
    help = "Fire due milestones, wake what is owed, seal new movements: one tick."

    def handle(self, *args: Any, **options: Any) -> None:
        clockwork.tick()
