"""`manage.py machines`: the declared state machines as diagrams for the documents."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from winddown.machines.declare import all_machines
from winddown.machines.diagrams import svg
from winddown.printed import Printed
from winddown.terminal import RecordedCommand


class Command(RecordedCommand):
    help = "Write one SVG per declared state machine, and an index, to docs/machines/."
    examples = ("machines --check",)
    exits: ClassVar[dict[int, str]] = {0: "written, or up to date", 1: "not up to date"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--out", default="docs/machines", metavar="DIR", help="where they are written"
        )
        parser.add_argument(
            "--check", action="store_true", help="exit code 1 if the files are not up to date"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = {f"{model.__name__}.svg": svg(model) for model in all_machines()}
        lines = [f"- [{model._meta.label}]({model.__name__}.svg)" for model in all_machines()]
        wanted["README.md"] = (
            "# State machines\n\nWritten by `manage.py machines`.\n\n" + "\n".join(lines) + "\n"
        )
        printed = Printed(Path(options["out"]), wanted)
        code = printed.answer(command="machines", check=options["check"], say=self.stdout.write)
        if options["check"]:
            raise SystemExit(code)
