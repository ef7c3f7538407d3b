"""`manage.py probe_notice`: the electronic notice is read at its address, and compared."""

from __future__ import annotations

from typing import Any, ClassVar

from winddown.programme import notice_watch
from winddown.terminal import RecordedCommand


class Command(RecordedCommand):
    help = (
        "Read the electronic notice at its public address and compare its SHA-256. The clockwork"
        " does so every five minutes."
    )
    examples = ("probe_notice",)
    exits: ClassVar[dict[int, str]] = {
        0: "it is there as it was published, or there is none",
        1: "it is down or altered",
    }

    def handle(self, *args: Any, **options: Any) -> None:
        probes = [notice_watch.probe(each) for each in notice_watch.watched()]
        for each in probes:
            self.stdout.write(f"{each.publication.url} is {each.found}: {each.detail}")
        seen = notice_watch.meter()
        if seen is None:
            self.stdout.write("There is no electronic notice.")
            return
        self.stdout.write(
            f"Interrupted for {notice_watch.hours(seen.used)} of"
            f" {notice_watch.hours(seen.allowed)} hours;"
            f" {len(seen.uncorrected)} interruptions without a correction."
        )
        if any(each.found != notice_watch.Found.INTACT for each in probes):
            raise SystemExit(1)
