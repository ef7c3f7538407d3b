"""`manage.py figures`: what is known of the fraud as of an instant, and the rows of each count."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from refunds.claims import figures
from winddown import clock
from winddown.authority.staff_command import StaffCommand, shown, shown_amount
from winddown.models import Programme


class Command(StaffCommand):
    help = (
        "Print the published figures of the fraud as they were known, the damage by day, issuer,"
        " funding and way of detection, late victims, and the precision of the rules."
    )
    examples = ("figures", "figures --as-of 2019-07-31T17:00", "figures --rows funding=credit")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--as-of", metavar="TIME", help="as it was known then, in the programme's zone (now)"
        )
        parser.add_argument("--rows", metavar="COUNT", help="the losses behind this count")

    def act(self, options: dict[str, Any]) -> None:
        as_of = _instant(options["as_of"])
        if options["rows"]:
            for row in figures.rows(options["rows"], as_of=as_of):
                self.say(
                    f"FC{row.claim_id:08d} loss {row.loss_id} {shown(row.hit_at)}"
                    f" {shown_amount(row.amount_minor):>16}",
                    claim=row.claim_id,
                    loss=row.loss_id,
                    hit_at=row.hit_at,
                    amount_minor=row.amount_minor,
                )
            return
        found = figures.as_known(as_of=as_of)
        for told in found.series:
            self.say(
                f"{shown(told.as_of)}: {told.victims:,} victims, {shown_amount(told.amount_minor)}"
                f" ({told.victims_more:+,}; {told.reason})",
                published=told.as_of,
                victims=told.victims,
                amount_minor=told.amount_minor,
                exact=told.exact,
                victims_more=told.victims_more,
                amount_more_minor=told.amount_more_minor,
                reason=told.reason,
            )
        for each in (found.total, *found.counts):
            self.say(
                f"{each.key:<28} {each.victims:>7,} {shown_amount(each.amount_minor):>16}",
                count=each.key,
                victims=each.victims,
                amount_minor=each.amount_minor,
            )
        self.say(
            f"{'suspected':<28} {found.suspected.victims:>7,}"
            f" {shown_amount(found.suspected.amount_minor):>16}",
            count="suspected",
            victims=found.suspected.victims,
            amount_minor=found.suspected.amount_minor,
        )
        for rule in found.precision:
            right = "-" if rule.percent is None else f"{rule.percent} %"
            self.say(
                f"{rule.rule:<28} right {right}: {rule.confirmed:,} confirmed,"
                f" {rule.rejected:,} rejected, {rule.undecided:,} undecided",
                rule=rule.rule,
                confirmed=rule.confirmed,
                rejected=rule.rejected,
                undecided=rule.undecided,
            )


def _instant(text: str | None) -> dt.datetime:
    if not text:
        return clock.now()
    try:
        return clock.instant(text, zone=Programme.current().time_zone)
    except ValueError as error:
        raise CommandError("--as-of: write it like 2019-07-31T17:00", returncode=2) from error
