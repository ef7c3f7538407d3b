"""`manage.py export_phone_messages FILE`: messages to telephones leave in a file for the carrier."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from accounts import carrier_files, outbox
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = "Write the messages owed to telephones into a new file for the carrier."
    examples = ('export_phone_messages messages.csv --by hana --reason "the carrier sends them"',)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, help="must not exist yet")

    def act(self, options: dict[str, Any]) -> None:
        path, reason = options["file"], options["reason"]
        if path.exists():
            raise CommandError(f"{path} exists: it was not touched", returncode=2)
        actor = self.proven_actor(options)
        made = outbox.export_phone_messages(actor=actor, reason=reason)
        if made is None:
            self.say("No message is owed to a telephone.", messages=0)
            return
        carrier_files.write(made, path.parent, name=path.name, actor=actor, reason=reason)
        self.say(f"{made.rows} messages in {path}.", messages=made.rows)
