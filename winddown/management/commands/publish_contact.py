"""`manage.py publish_contact`: the telephone number on the public pages."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from winddown.authority.staff_command import StaffCommand
from winddown.programme import public_notice


class Command(StaffCommand):
    help = "Put the telephone number that customers call on the public pages."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--phone", required=True, metavar="NUMBER", help="the number, as it is shown"
        )

    def act(self, options: dict[str, Any]) -> None:
        actor = self.actor(options)
        public_notice.publish_contact(options["phone"], actor=actor, reason=options["reason"])
        self.say(f"The public pages say {options['phone']}.", phone=options["phone"])
