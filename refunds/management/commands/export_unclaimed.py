"""`manage.py export_unclaimed`: the unclaimed register is in a file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from refunds.closing import unclaimed
from winddown import clock, files
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = (
        "Write the unclaimed register: refunds that were excluded or deposited, or are owed without"
        " an application. CSV; the journal records it."
    )
    examples = ('export_unclaimed --out registers --by hana --reason "report of March"',)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--out", type=Path, required=True, help="directory for the file")

    def act(self, options: dict[str, Any]) -> None:
        pieces = unclaimed.content(actor=self.proven_actor(options), reason=options["reason"])
        name = f"unclaimed-{clock.now():%Y%m%dT%H%M%SZ}.csv"
        path = files.write_once(options["out"], name, pieces)
        self.say(f"{path} holds the register.", path=str(path))
