"""`manage.py generate_case`: the case as CSV files for the load_* commands."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from rehearsal.attack_shapes import LIST_TYPE, SHAPES
from rehearsal.generator import ATTEMPTS_MAX, GenerationRefused, Progress, generate_case
from winddown.terminal import RecordedCommand


class Command(RecordedCommand):
    help = "Generate the 7pay case as CSV files: same accounts and seed, same bytes."
    examples = ("generate_case --accounts 1000 --seed 1 --out case",)
    # The command needs no database: it must run before there is one.
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--accounts", type=int, required=True, help="at least 2,000")
        parser.add_argument("--seed", type=int, required=True, help="another seed is another case")
        parser.add_argument("--out", type=Path, required=True, help="directory for the files")
        parser.add_argument(
            "--attempts-max",
            type=int,
            default=ATTEMPTS_MAX,
            help="most sign-in attempts of the attack (default %(default)s)",
        )
        parser.add_argument(
            "--attack",
            choices=tuple(SHAPES),
            default=LIST_TYPE.name,
            help="; ".join(f"{shape.name}: {shape.says}" for shape in SHAPES.values()),
        )
        parser.add_argument("--json", action="store_true", help="print the manifest as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            manifest = generate_case(
                accounts=options["accounts"],
                seed=options["seed"],
                out=options["out"],
                attempts_max=options["attempts_max"],
                attack=options["attack"],
                progress=self._progress(),
            )
        except GenerationRefused as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(manifest, ensure_ascii=False, indent=2))
            return
        for entry in manifest["files"] + manifest["truth"]:
            amount = "" if entry["sum_minor"] is None else f"{entry['sum_minor']:>16,}"
            self.stdout.write(f"{entry['path']:<34}{entry['rows']:>12,}{amount}")

    def _progress(self) -> Progress:
        """A line that overwrites itself on a terminal; silence everywhere else."""
        if not sys.stderr.isatty():
            return lambda phase, done, total: None

        def show(phase: str, done: int, total: int) -> None:
            self.stderr.write(f"\r{phase:<10}{done / total:>5.0%}", ending="")

        return show
