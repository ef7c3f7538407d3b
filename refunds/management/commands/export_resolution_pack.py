"""`manage.py export_resolution_pack`: what an outsider needs to finish the refunds, sealed."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from refunds.closing import resolution_pack
from winddown.authority.staff_command import StaffCommand, shown_amount


class Command(StaffCommand):
    help = (
        "Write the resolution pack into an empty directory: client records, database, keys and"
        " documents, sealed for the confirmed recipients. --check judges a pack where it was made."
    )
    examples = (
        'export_resolution_pack --out pack/ --by hana --reason "monthly"',
        "export_resolution_pack --check pack/",
    )
    exits: ClassVar[dict[int, str]] = {
        0: "written, or complete and in step with the ledger",
        1: "refused, or the pack lacks something",
    }

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        chosen = parser.add_mutually_exclusive_group(required=True)
        chosen.add_argument("--out", type=Path, metavar="DIR", help="write the pack there")
        chosen.add_argument("--check", type=Path, metavar="DIR", help="judge this pack")

    def act(self, options: dict[str, Any]) -> None:
        if options["check"] is not None:
            self._check(options["check"])
        else:
            self._export(options)

    def _export(self, options: dict[str, Any]) -> None:
        done = resolution_pack.export(
            options["out"], actor=self.proven_actor(options), reason=options["reason"]
        )
        for name, minor in done.owed.sums.items():
            self.say(f"  {name:<12} {shown_amount(minor)}", bucket=name, minor=minor)
        for kind in done.missing:
            self.say(f"No document of the kind {kind} is in the pack.", missing=kind)
        self.say(
            f"{done.index} is written: {done.owed.rows:,} lines,"
            f" {shown_amount(done.owed.total_minor)} owed in all.",
            path=str(done.index),
            **done.owed.as_json(),
        )

    def _check(self, directory: Path) -> None:
        said = resolution_pack.wrong_with(directory)
        for sentence in said:
            self.say(sentence)
        if said:
            raise SystemExit(1)
        self.say(f"{directory} is complete, and owes what the ledger says.")
