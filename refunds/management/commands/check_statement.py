"""`manage.py check_statement FILE`: whether a customer's statement is ours, byte for byte."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from refunds.applications import account_statement
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = "Say whether this service signed the statement and nobody changed it."
    examples = ("check_statement statement-20200110.csv --by mika",)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, help="the file that the customer gave")

    def act(self, options: dict[str, Any]) -> None:
        self.actor(options, reason_needed=False)
        if not options["file"].is_file():
            raise CommandError(f"there is no file {options['file']}", returncode=2)
        ours = account_statement.is_ours(options["file"].read_bytes())
        self.say("It is ours, as we gave it." if ours else "It is not ours.", ours=ours)
        if not ours:
            raise SystemExit(1)
