"""`manage.py release_holds`: what was held for a claim is spendable again."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db.models import QuerySet

from refunds.claims import holding, reporting
from refunds.models import FraudClaim
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = (
        "Release what was held for the claims; by a supervisor who is another person than the one"
        " who held it. Without --claim: for every rejected claim."
    )
    examples = ('release_holds --claim 7 --by hana --reason "the holder was asked"',)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--claim", type=int, action="append", metavar="ID", help="for this claim; repeatable"
        )
        parser.add_argument(
            "--drop", action="store_true", help="also drop the candidates among the claims"
        )

    def act(self, options: dict[str, Any]) -> None:
        actor = self.proven_actor(options)
        chosen = list(self.chosen(options["claim"]))
        dropped = 0
        if options["drop"]:
            dropped, ended = reporting.expire(chosen, actor=actor, reason=options["reason"])
        else:
            ended = holding.release(chosen, actor=actor, reason=options["reason"])
        self.say(
            f"{ended:,} holds released, {dropped:,} candidates dropped.",
            claims=len(chosen),
            released=ended,
            dropped=dropped,
        )

    def chosen(self, ids: list[int] | None) -> QuerySet[FraudClaim]:
        """Returns the claims with these ids, or every rejected claim."""
        if ids is None:
            return FraudClaim.objects.filter(state=FraudClaim.State.REJECTED)
        found = FraudClaim.objects.filter(pk__in=ids).order_by("pk")
        unknown = sorted(set(ids) - {claim.pk for claim in found})
        if unknown:
            raise CommandError(
                f"there is no claim {', '.join(map(str, unknown))}; nothing was released",
                returncode=2,
            )
        return found
