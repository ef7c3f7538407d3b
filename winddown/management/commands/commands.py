"""`manage.py commands`: the management commands as a page of the documents."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from winddown import command_page
from winddown.printed import Printed
from winddown.terminal import RecordedCommand


class Command(RecordedCommand):
    help = "Write docs/commands.md from the commands themselves."
    examples = ("commands --check",)
    exits: ClassVar[dict[int, str]] = {0: "written, or up to date", 1: "not up to date"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--out",
            default="docs/commands.md",
            metavar="FILE",
            help="the page (default %(default)s)",
        )
        parser.add_argument("--check", action="store_true", help="compare, and write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        out = Path(options["out"])
        page = Printed(out.parent, {out.name: command_page.page()}, shared=True)
        code = page.answer(command="commands", check=options["check"], say=self.stdout.write)
        if options["check"]:
            raise SystemExit(code)
