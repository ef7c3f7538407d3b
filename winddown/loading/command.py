"""The form of every `load_*` command: one file, its announced totals, and the result."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import CommandError
from rich.console import Console
from rich.progress import (
    BarColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from winddown.authority.staff_command import StaffCommand, shown_amount
from winddown.errors import LoadRefused
from winddown.loading import file_kinds, loader, outcome
from winddown.loading.csv_source import CODECS


class LoadCommand(StaffCommand):
    """`manage.py load_<kind> FILE`: exit 0 loaded or already there, 1 refused, 2 not understood."""

    kind: ClassVar[str]
    family = "Commands that load a file"

    @classmethod
    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        word = f"load_{cls.kind}"
        cls.examples = (f"{word} {cls.kind}.csv --expect-rows 1200 --by hana",)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a CSV file")
        parser.add_argument(
            "--expect-rows", type=int, metavar="N", help="refuse the file unless it has N rows"
        )
        parser.add_argument(
            "--expect-sum",
            type=int,
            metavar="MINOR",
            help="refuse the file unless its amounts add up to this many minor units",
        )
        parser.add_argument(
            "--encoding",
            choices=tuple(CODECS),
            default="utf-8",
            help="of the file (default %(default)s)",
        )
        parser.add_argument(
            "--columns", action="store_true", help="print the columns of such a file and stop"
        )

    def act(self, options: dict[str, Any]) -> None:
        if options["columns"]:
            self.say(file_kinds.get(self.kind).described(), columns=file_kinds.get(self.kind).names)
            return
        if options["file"] is None:
            raise CommandError("FILE is missing: name the CSV file to load", returncode=2)
        actor = self.actor(options, reason_needed=False)
        try:
            with self._progress() as progress:
                done = loader.load(
                    self.kind,
                    options["file"],
                    actor=actor,
                    expect_rows=options["expect_rows"],
                    expect_sum=options["expect_sum"],
                    encoding=options["encoding"],
                    reason=options["reason"],
                    progress=progress,
                )
        except LoadRefused as refusal:
            self._say_refused(refusal)
            raise SystemExit(refusal.exit_code) from refusal
        self._say_loaded(done)

    def _say_loaded(self, done: outcome.Loaded) -> None:
        amount = "" if done.sum_minor is None else f", {shown_amount(done.sum_minor)} in all"
        if done.repeated:
            sentence = f"{done.file} was loaded before, byte for byte: nothing was changed."
        elif done.inserted == 0:
            sentence = (
                f"{done.file}: all {done.rows:,} rows were already there: nothing was changed."
            )
        else:
            there = f"; {done.already_there:,} were already there" if done.already_there else ""
            sentence = (
                f"{done.file}: {done.inserted:,} {done.kind.replace('_', ' ')} loaded"
                f"{there} ({done.rows:,} rows{amount})."
            )
        if done.unreachable:
            sentence += (
                f" {done.unreachable:,} of these people cannot be reached: they have no verified"
                " mail address, no verified telephone number and no postal address."
            )
        self.say(sentence, **asdict(done), already_there=done.already_there)

    def _say_refused(self, refusal: LoadRefused) -> None:
        facts = refusal.facts
        first: list[outcome.Refusal] = facts.get("first", [])
        if self.as_json:
            self.say(
                str(refusal),
                refused=refusal.code,
                file=facts["file"],
                why=facts["why"],
                rows=facts.get("rows"),
                refused_rows=facts.get("refused", 0),
                refused_file=facts.get("refused_file", ""),
                first=[asdict(row) for row in first],
            )
            return
        self.say(str(refusal))
        for row in first[1:]:
            self.say(f"  {row}")
        if facts.get("refused_file"):
            self.say(
                f"Every refused row stands with its reason in {facts['refused_file']}. Correct them"
                " in the system that wrote the file, and load the corrected file whole."
            )

    @contextmanager
    def _progress(self) -> Iterator[outcome.Progress]:
        """A bar per phase on a terminal; silence everywhere else."""
        if self.as_json or not sys.stderr.isatty():
            yield lambda phase, done, total: None
            return
        columns = (
            TextColumn("{task.description:<10}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Bars(*columns, console=Console(stderr=True)) as bars:
            shown: dict[str, TaskID] = {}

            def progress(phase: str, done: int, total: int) -> None:
                if phase not in shown:
                    shown[phase] = bars.add_task(phase, total=total)
                bars.update(shown[phase], completed=done, total=total)

            yield progress
