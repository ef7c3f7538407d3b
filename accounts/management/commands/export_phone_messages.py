"""`manage.py export_phone_messages FILE`: messages to telephones leave in a file for the carrier."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from accounts import outbox
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = "Write the messages owed to telephones into a new file for the carrier."
    examples = ('export_phone_messages messages.csv --by hana --reason "the carrier sends them"',)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, help="must not exist yet")

    def act(self, options: dict[str, Any]) -> None:
        number = outbox.export_phone_messages(
            options["file"], actor=self.proven_actor(options), reason=options["reason"]
        )
        self.say(f"{number} messages in {options['file']}.", messages=number)
