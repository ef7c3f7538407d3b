"""`manage.py judge_detection`: precision and recall of the detection rules on a generated case."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils.dateparse import parse_datetime

from rehearsal import judging
from winddown import clock
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = (
        "Judge the detection rules on the loaded case: a suspicion is any hit, a candidate is what"
        " would become a claim."
    )
    examples = ('judge_detection --truth case/truth.csv --by hana --reason "after the rehearsal"',)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--truth", type=Path, required=True, help="truth/victims.csv of the generated case"
        )
        parser.add_argument("--as-of", metavar="TIME", help="judge up to here (default now)")

    def act(self, options: dict[str, Any]) -> None:
        as_of = parse_datetime(options["as_of"]) if options["as_of"] else clock.now()
        if as_of is None or as_of.tzinfo is None:
            raise CommandError("--as-of needs a time with its offset", returncode=2)
        if not options["truth"].is_file():
            raise CommandError(f"{options['truth']} is not a file", returncode=2)
        found = judging.judge(options["truth"], as_of=as_of)
        if self.as_json:
            self._say_document(found, as_of)
        else:
            self._say_table(found)

    def _say_document(self, found: judging.Judgement, as_of: dt.datetime) -> None:
        """The judgement is written as one JSON document."""
        self.say(
            "judged",
            as_of=as_of,
            scores=[
                asdict(score) | {"precision": score.precision, "recall": score.recall}
                for score in (*found.rules, found.suspected, found.candidates)
            ],
            accounts=found.accounts,
            false_share=found.false_share,
            in_order=found.in_order,
            windows=[
                {"wave": row.wave, "started_at": row.started_at, "ended_at": row.ended_at}
                for row in found.windows
            ],
        )

    def _say_table(self, found: judging.Judgement) -> None:
        """The judgement is written for a reader, one line for each rule and each wave."""
        self.say(f"{'':<16}{'found':>8}{'right':>8}{'precision':>11}{'recall':>9}")
        for score in (*found.rules, found.suspected, found.candidates):
            self.say(
                f"{score.name:<16}{score.found:>8,}{score.right:>8,}{score.precision:>11.1%}"
                f"{score.recall:>9.1%}"
            )
        self.say(
            f"False candidates: {found.candidates.wrong:,} of {found.accounts:,} accounts"
            f" ({found.false_share:.3%})."
        )
        for row in found.windows:
            ended = f"{row.ended_at:%m-%d %H:%M}" if row.ended_at else "open"
            self.say(f"{row.wave:<18} {row.started_at:%Y-%m-%d %H:%M} - {ended} UTC")
        order = (
            "as a list-type attack has them" if found.in_order else "not those of such an attack"
        )
        self.say(f"The waves and their order are {order}." if found.windows else "No attack.")
