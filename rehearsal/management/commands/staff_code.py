"""`manage.py staff_code LOGIN`: the code that the person's authenticator app shows now; in a rehearsal only."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts.models import User
from accounts.sign_in import second_factor
from winddown import clock
from winddown.terminal import RecordedCommand


class Command(RecordedCommand):
    help = "Show the present code of a member of staff of a rehearsal, who has no phone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("login", help="the login ID of the member of staff")

    def handle(self, *args: Any, **options: Any) -> None:
        if not clock.is_rehearsal():
            raise CommandError("This database is not a rehearsal: use your own app.", returncode=2)
        person = User.objects.filter(
            login_id=options["login"].lower(), kind=User.Kind.STAFF
        ).first()
        code = second_factor.current_code(person) if person else None
        if code is None:
            raise CommandError(f"{options['login']} has no authenticator app.", returncode=2)
        self.stdout.write(code)
