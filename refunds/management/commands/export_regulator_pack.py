"""`manage.py export_regulator_pack`: each figure with its instant and its rows, found again."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from refunds.closing import regulator_pack
from winddown.authority.staff_command import StaffCommand, shown


class Command(StaffCommand):
    help = (
        "Write each figure with its instant and the rows behind it. --check adds the rows of a pack"
        " up again and counts its figures anew in the database."
    )
    examples = (
        'export_regulator_pack --out pack/ --by hana --reason "the bureau asks"',
        "export_regulator_pack --check pack/",
    )
    exits: ClassVar[dict[int, str]] = {0: "written, or found again", 1: "refused, or it differs"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        chosen = parser.add_mutually_exclusive_group(required=True)
        chosen.add_argument("--out", type=Path, metavar="DIR", help="write the pack there")
        chosen.add_argument("--check", type=Path, metavar="DIR", help="recompute this pack")

    def act(self, options: dict[str, Any]) -> None:
        if options["check"] is not None:
            self._check(options["check"])
        else:
            self._export(options)

    def _export(self, options: dict[str, Any]) -> None:
        done = regulator_pack.export(
            options["out"], actor=self.proven_actor(options), reason=options["reason"]
        )
        for code, value in done.figures.items():
            self.say(f"  {code:<24} {value:>16,}", code=code, value=value)
        self.say(
            f"{done.index} holds {len(done.figures)} figures as of {shown(done.as_of)}.",
            path=str(done.index),
            as_of=done.as_of,
        )

    def _check(self, directory: Path) -> None:
        said = regulator_pack.found_again(directory)
        for sentence in said:
            self.say(sentence)
        if said:
            raise SystemExit(1)
        self.say(f"Every figure of {directory} was found again.")
