"""`manage.py begin FILE`: the programme exists as the file says, or waits for a changed file."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.urls import reverse
from django.utils import translation

from winddown import clock
from winddown.authority.staff_command import StaffCommand
from winddown.set_up import beginning, page_code, reading
from winddown.set_up.reading import NotUnderstood
from winddown.set_up.sections import Rows
from winddown.set_up.writing import USUAL, example, examples


class Command(StaffCommand):
    help = (
        "Begin the programme of an empty database from a file in TOML, or ask a second person to"
        " accept what a changed file says. A second run with the same file changes nothing."
    )
    examples = (
        "begin --example",
        "begin my.toml --check",
        "begin my.toml --rehearsal --at 2026-04-01T09:00",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", nargs="?", type=Path, help="the set-up file")
        parser.add_argument(
            "--example", action="store_true", help="print a commented file that works"
        )
        parser.add_argument(
            "--pack",
            choices=examples(),
            default=USUAL,
            help="with --example: the jurisdiction of the example (default %(default)s)",
        )
        parser.add_argument(
            "--check", action="store_true", help="say what is wrong or would change, and do nothing"
        )
        parser.add_argument(
            "--rehearsal",
            action="store_true",
            help="mark the database as a rehearsal for good: its clock may be moved",
        )
        parser.add_argument(
            "--at",
            metavar="INSTANT",
            help="with --rehearsal: when its time begins, as 2019-07-01T09:00 in the zone of the file",
        )

        parser.add_argument(
            "--page",
            action="store_true",
            help="print a code with which /console/begin/ takes the file instead; it works once,"
            " within an hour",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # The example is the first thing that somebody asks for, and there may be no table yet.
        if options["example"]:
            self.stdout.write(example(options["pack"]), ending="")
        else:
            super().handle(*args, **options)

    def act(self, options: dict[str, Any]) -> None:
        if options["page"]:
            url = settings.SITE_URL + reverse("console:begin")
            self.say(f"Begin within an hour at {url} with the code {page_code.issue()}")
            return
        if options["file"] is None:
            raise CommandError("name the set-up file, or print one by --example", returncode=2)
        try:
            # What the fields say is in the language of the other sentences of a command.
            with translation.override("en"):
                rows = reading.read(options["file"].read_bytes())
            if not beginning.has_begun():
                self._begin(rows, options)
            else:
                self._change(rows, options)
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}", returncode=2) from error
        except NotUnderstood as refusal:
            for problem in refusal.problems:
                self.say(str(problem), place=problem.place, why=problem.why)
            raise

    def _begin(self, rows: Rows, options: dict[str, Any]) -> None:
        if options["check"]:
            self.say("The file is in order. The programme has not begun.")
            return
        said = beginning.begin(
            rows,
            reason=options["reason"] or "the programme begins",
            rehearsal=options["rehearsal"],
            at=self._at(rows, options),
        )
        for sentence in said:
            self.say(sentence)
        self.say("The programme has begun.")

    def _at(self, rows: Rows, options: dict[str, Any]) -> dt.datetime | None:
        if not options["at"]:
            return None
        if not options["rehearsal"]:
            raise CommandError("--at takes --rehearsal: real time is the clock's", returncode=2)
        try:
            return clock.instant(options["at"], zone=rows["programme"][0]["time_zone"])
        except ValueError as error:
            raise CommandError(f"--at: {error}", returncode=2) from error

    def _change(self, rows: Rows, options: dict[str, Any]) -> None:
        found = beginning.changes(rows)
        for change in found:
            self.say(str(change), place=change.place, was=change.was, will_be=change.will_be)
        if not found:
            for sentence in [] if options["check"] else beginning.owed(rows):
                self.say(sentence)
            self.say("The file says what is in force already. Nothing has changed.")
            return
        if options["check"]:
            return
        asked = beginning.ask(rows, actor=self.actor(options), reason=options["reason"])
        self.say_awaited("Nothing has changed yet.", asked)
