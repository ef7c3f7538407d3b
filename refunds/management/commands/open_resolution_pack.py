"""`manage.py open_resolution_pack`: a recipient opens the pack on an empty machine."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from refunds.closing import resolution_pack, sealed_parts
from winddown import money
from winddown.errors import WinddownError
from winddown.terminal import RecordedCommand


class Command(RecordedCommand):
    help = (
        "Open a resolution pack with the key of a recipient, and say what is owed. It needs no"
        " database. --restore also fills the configured empty database, counts again there, and"
        " says what it owes."
    )
    examples = (
        "open_resolution_pack pack/ --certificate me.pem --key me.key --into plain/",
        "open_resolution_pack pack/ --certificate me.pem --key me.key --into plain/ --restore",
    )
    exits: ClassVar[dict[int, str]] = {0: "opened, the totals are equal", 1: "it does not open"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("pack", type=Path, metavar="DIR", help="the pack")
        parser.add_argument("--certificate", type=Path, required=True, metavar="FILE",
                            help="certificate of the recipient, PEM")  # fmt: skip
        parser.add_argument("--key", type=Path, required=True, metavar="FILE",
                            help="private key of the recipient, PEM")  # fmt: skip
        parser.add_argument("--into", type=Path, required=True, metavar="DIR",
                            help="where the files are written in plain")  # fmt: skip
        parser.add_argument("--restore", action="store_true",
                            help="fill the configured database, which must be empty")  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            opened = resolution_pack.open_pack(
                options["pack"],
                options["into"],
                recipient=sealed_parts.recipient(options["certificate"], options["key"]),
            )
            self._tell(opened)
            if options["restore"]:
                owed = resolution_pack.restore(opened)
                self.stdout.write(
                    f"The database is restored. Its {owed.rows:,} lines owe the same to the unit."
                )
        except WinddownError as refusal:
            self.stdout.write(str(refusal))
            raise SystemExit(1) from refusal

    def _tell(self, opened: resolution_pack.Opened) -> None:
        currency = opened.index["currency"]
        for name, minor in opened.owed.items():
            said = f"{minor:,}" if name == "rows" else money.spoken(minor, currency=currency,
                                                                   locale="en")  # fmt: skip
            self.stdout.write(f"  {name:<12} {said}")
        for each in opened.index["documents"]:
            self.stdout.write(
                f"  {each['name']}: {each['title']['en']} ({each['file_name']}), kept by"
                f" {each['owner']}, reviewed on {each['reviewed_on']}"
            )
        self.stdout.write(
            f"{opened.directory / resolution_pack.RECORDS} lists what is owed to whom as of"
            f" {opened.index['as_of']}."
        )
