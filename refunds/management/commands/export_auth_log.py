"""`manage.py export_auth_log`: logs for outside investigators, under pseudonyms."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from refunds.claims import log_export
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = (
        "Write the logs that two people let out (`ask_auth_log`), with a pseudonym in the place of"
        " each account, login id, address, network and device. The hash is recorded."
    )
    examples = (
        'export_auth_log --request 3 --out logs --by hana --reason "for the investigators"',
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--request", type=int, required=True, metavar="NUMBER", help="3 of log_export:3"
        )
        parser.add_argument("--out", type=Path, required=True, help="directory for the file")

    def act(self, options: dict[str, Any]) -> None:
        path, done = log_export.write(
            options["request"],
            options["out"],
            actor=self.proven_actor(options),
            reason=options["reason"],
        )
        self.say(
            f"{path} holds {done.rows:,} events for {done.recipient}. SHA-256 {done.sha256}",
            path=str(path),
            rows=done.rows,
            sha256=done.sha256,
        )
