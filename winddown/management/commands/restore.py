"""`manage.py restore --check FILE`: a backup is restored beside the database, judged and dropped."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from winddown.errors import WinddownError
from winddown.evidence import backups
from winddown.terminal import RecordedCommand


class Command(RecordedCommand):
    help = """
    Restore a backup into a database of its own, check migrations, manifest and invariants there,
    say what WINDDOWN_AUDIT_HEADS_DIR knows beyond it, and drop that database.
    """
    examples = ("restore --check winddown.dump",)
    exits: ClassVar[dict[int, str]] = {0: "the backup can be restored", 1: "it cannot, or is wrong"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", type=Path, required=True, metavar="FILE", help="the dump that was written"
        )
        parser.add_argument(
            "--server",
            default="",
            metavar="URL",
            help="another server to restore on; the configured one if left out",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = backups.check(options["check"], server=options["server"])
        except WinddownError as refusal:
            self.stdout.write(str(refusal))
            raise SystemExit(1) from refusal
        for sentence in found.newer:
            self.stdout.write(f"newer outside: {sentence}")
        for sentence in found.faults:
            self.stdout.write(f"FAULT {sentence}")
        if found.faults:
            raise SystemExit(1)
        self.stdout.write(f"{options['check']} can be restored: everything holds in it.")
