"""`manage.py ways_in`: how thieves came in, and what the logs say about the thirty days before."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from refunds.claims import ways_in
from refunds.claims.desk_fields import claim_number
from refunds.models import WayIn
from winddown.authority.staff_command import StaffCommand, shown


class Command(StaffCommand):
    help = (
        "Print how many thieves came in by each way, or the rows of one way or claim. --search"
        " searches the logs first. None is said only of a log that was complete for all the time."
    )
    examples = (
        'ways_in --search --by hana --reason "the logs of June are here"',
        "ways_in --way reset",
        "ways_in --claim FC00000012",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--search", action="store_true", help="search the logs now")
        parser.add_argument("--way", choices=WayIn.Way.values, help="the rows of this way")
        parser.add_argument("--claim", metavar="CLAIM", help="the row of this claim")

    def act(self, options: dict[str, Any]) -> None:
        if options["search"]:
            fresh = ways_in.search(actor=self.actor(options), reason=options["reason"])
            self.say(f"{fresh:,} claims have a new answer.", fresh=fresh)
        elif ways_in.overtaken():
            self.say("Logs were loaded after the last search: search again.", overtaken=True)
        rows = ways_in.newest().select_related("claim")
        if options["claim"]:
            number = claim_number(options["claim"])
            if number is None:
                raise CommandError("--claim: name a claim, like FC00000012", returncode=2)
            rows = rows.filter(claim=number)
        if options["way"]:
            rows = rows.filter(way=options["way"])
        if options["claim"] or options["way"]:
            for row in rows:
                self._say_row(row)
            return
        for way, claims in ways_in.counted(rows).items():
            self.say(f"{way:<16} {claims:>8,}", way=way, claims=claims)

    def _say_row(self, row: WayIn) -> None:
        said = ways_in.said(row)
        self.say(
            f"{row.claim.reference} {row.way} {shown(row.happened_at)} ({row.basis})",
            claim=row.claim.reference,
            way=row.way,
            basis=row.basis,
            happened_at=row.happened_at,
            event=row.event_id,
            logs={each.log: each.events for each in said},
            gaps={each.log: each.gaps for each in said},
        )
        if self.as_json:
            return
        for each in said:
            what = "none found" if each.none_found else f"{each.events} found"
            if each.gaps:
                spans = ", ".join(f"{shown(since)} to {shown(until)}" for since, until in each.gaps)
                what = f"{each.events} found or more" if each.events else "not known"
                what += f", gaps {spans}"
            self.say(f"  {each.log:<16} {what}")
