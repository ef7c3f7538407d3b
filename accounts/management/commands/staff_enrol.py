"""`manage.py staff_enrol LOGIN`: staff of a rehearsal follow their one-time links in a shell."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.management.base import CommandError

from accounts.recovery import rehearsed
from winddown.errors import WinddownError
from winddown.terminal import RecordedCommand


class Command(RecordedCommand):
    help = (
        "Let members of staff of a rehearsal enrol in a shell. Each uses the one-time link that was"
        " handed over last, and gets a password and an authenticator app, which are printed."
    )
    examples = ("staff_enrol hana ken",)
    exits: ClassVar[dict[int, str]] = {0: "enrolled", 1: "no rehearsal, or no link"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("login", nargs="+", metavar="LOGIN", help="who enrols")

    def handle(self, *args: Any, **options: Any) -> None:
        for login in options["login"]:
            try:
                person = rehearsed.enrol(login)
            except WinddownError as refusal:
                raise CommandError(str(refusal), returncode=1) from refusal
            self.stdout.write(f"{person.login_id} signs in with the password {person.password}")
            if person.secret:
                self.stdout.write(
                    f"    and a code: manage.py staff_code {person.login_id}, or an app with the"
                    f" secret {person.secret}"
                )
