"""`manage.py backup DIR`: the database is in a dump with its manifest."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from winddown.errors import WinddownError
from winddown.evidence import backups
from winddown.terminal import RecordedCommand


class Command(RecordedCommand):
    help = "Write a dump of the database and its manifest into a directory."
    examples = ("backup /var/backups/winddown",)
    exits: ClassVar[dict[int, str]] = {0: "written", 1: "failed, and there is no backup"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, metavar="DIR", help="where both are written")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            dump = backups.take(options["directory"])
        except WinddownError as refusal:
            self.stdout.write(str(refusal))
            raise SystemExit(1) from refusal
        self.stdout.write(f"{dump} is written, with its manifest {dump.with_suffix('.json').name}.")
