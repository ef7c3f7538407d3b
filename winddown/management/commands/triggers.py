"""`manage.py triggers`: every trigger and every SQL function as a page for the documents."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from winddown.machines import trigger_pages
from winddown.printed import Printed
from winddown.terminal import RecordedCommand


class Command(RecordedCommand):
    help = "Write a page per table with triggers, and the SQL functions, to docs/triggers/."
    examples = ("triggers --check",)
    exits: ClassVar[dict[int, str]] = {0: "written, or up to date", 1: "not up to date"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--out", default="docs/triggers", metavar="DIR", help="where they are written"
        )
        parser.add_argument(
            "--check", action="store_true", help="exit code 1 if the files are not up to date"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        printed = Printed(Path(options["out"]), trigger_pages.pages())
        code = printed.answer(command="triggers", check=options["check"], say=self.stdout.write)
        if options["check"]:
            raise SystemExit(code)
