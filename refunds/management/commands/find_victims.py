"""`manage.py find_victims`: wallets that the detection rules point at become candidate claims."""

import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils.dateparse import parse_datetime

from refunds.claims import holding, victims
from winddown import clock
from winddown.actors import SYSTEM
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = "Open candidate claims for the wallets that the detection rules point at."
    examples = ('find_victims --hold part --by hana --reason "the rules of today"',)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--as-of", metavar="TIME", help="what happened up to here (default now)"
        )
        parser.add_argument(
            "--hold", choices=("part", "whole"), help="also hold the suspicious part, or all"
        )

    def act(self, options: dict[str, Any]) -> None:
        as_of = self.as_of(options["as_of"])
        actor = self.actor(options) if options["by"] or options["hold"] else SYSTEM
        found = victims.claim_candidates(as_of=as_of, actor=actor)
        held = 0
        if options["hold"]:
            whole = options["hold"] == "whole"
            held = holding.hold_candidates(
                found.candidates, actor=actor, reason=options["reason"], whole=whole
            )
        self.say(
            f"{len(found.candidates)} new candidates by {found.hits} hits, {found.suspicions} new"
            f" suspicions, {held} wallets held.",
            candidates=len(found.candidates),
            hits=found.hits,
            suspicions=found.suspicions,
            held=held,
        )

    def as_of(self, typed: str | None) -> dt.datetime:
        """Returns the instant that was typed, or the present one."""
        as_of = parse_datetime(typed) if typed else clock.now()
        if as_of is None or as_of.tzinfo is None:
            raise CommandError("--as-of needs a time with its offset", returncode=2)
        return as_of
