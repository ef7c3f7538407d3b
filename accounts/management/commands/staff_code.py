"""`manage.py staff_code LOGIN`: the code that the person's authenticator app shows now; in a rehearsal only."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.management.base import CommandError

from accounts.recovery import rehearsed
from winddown.errors import WinddownError
from winddown.terminal import RecordedCommand


class Command(RecordedCommand):
    help = "Show the present code of a member of staff of a rehearsal, who has no phone."
    examples = ("staff_code hana",)
    exits: ClassVar[dict[int, str]] = {0: "shown", 1: "no rehearsal, or no app"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("login", help="the login ID of the member of staff")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(rehearsed.code_of(options["login"]))
        except WinddownError as refusal:
            raise CommandError(str(refusal), returncode=1) from refusal
