"""`manage.py export_unpaid`: what is unpaid, or was paid too much, is in a file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from refunds.payouts import unpaid
from winddown import clock, files
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = (
        "Write the list of unpaid or overpaid amounts as CSV, with its sum, which ties with the"
        " ledger. No row names a person."
    )
    examples = ('export_unpaid --list unpaid --out lists --by hana --reason "report of the month"',)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--list", choices=sorted(unpaid.TITLES), required=True, help="which of the two lists"
        )
        parser.add_argument("--out", type=Path, required=True, help="directory for the file")

    def act(self, options: dict[str, Any]) -> None:
        name = options["list"]
        text = unpaid.as_csv(
            name,
            query=f"export_unpaid --list {name}",
            actor=self.proven_actor(options),
            reason=options["reason"],
        )
        path = options["out"] / f"{name}-{clock.now():%Y%m%dT%H%M%SZ}.csv"
        files.write_once(options["out"], path.name, [text.encode("utf-8-sig")])
        self.say(f"{path} holds the list.", path=str(path))
