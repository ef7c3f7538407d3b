"""`manage.py machines`: the declared state machines as diagrams for the documents."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand

from winddown.machines.declare import all_machines
from winddown.machines.diagrams import svg


class Command(BaseCommand):
    help = "Write one SVG per declared state machine, and an index, to docs/machines/."
    exits: ClassVar[dict[int, str]] = {0: "written, or up to date", 1: "not up to date"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--out", default="docs/machines", metavar="DIR", help="where they are written"
        )
        parser.add_argument(
            "--check", action="store_true", help="exit code 1 if the files are not up to date"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        out = Path(options["out"])
        wanted = {f"{model.__name__}.svg": svg(model) for model in all_machines()}
        lines = [f"- [{model._meta.label}]({model.__name__}.svg)" for model in all_machines()]
        wanted["README.md"] = (
            "# State machines\n\nWritten by `manage.py machines`.\n\n" + "\n".join(lines) + "\n"
        )
        stale = [
            name
            for name, text in wanted.items()
            if not (out / name).exists() or (out / name).read_text() != text
        ]
        left_over = [path for path in sorted(out.glob("*.svg")) if path.name not in wanted]
        if options["check"]:
            for path in [*(out / name for name in stale), *left_over]:
                self.stdout.write(f"{path} is not up to date: run manage.py machines")
            raise SystemExit(1 if stale or left_over else 0)
        out.mkdir(parents=True, exist_ok=True)
        for path in left_over:
            path.unlink()
        for name in stale:
            (out / name).write_text(wanted[name])
        self.stdout.write(f"{len(wanted)} files in {out}, {len(stale)} of them written anew.")
