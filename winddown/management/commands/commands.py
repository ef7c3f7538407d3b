"""`manage.py commands`: the management commands as a page of the documents."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand

from winddown import command_page


class Command(BaseCommand):
    help = "Write docs/commands.md from the commands themselves."
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
        current = out.exists() and out.read_text() == command_page.page()
        if options["check"]:
            if not current:
                self.stdout.write(f"{out} is not up to date: run manage.py commands")
            raise SystemExit(0 if current else 1)
        out.write_text(command_page.page())
        self.stdout.write(f"{out} is written.")
