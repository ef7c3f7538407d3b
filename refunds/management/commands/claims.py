"""`manage.py claims`: the list of fraud claims, or one claim with its movements, losses and holds."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.http import QueryDict
from django.utils import translation

from refunds.claims import desk_page
from refunds.claims.desk_fields import claim_number
from refunds.claims.desk_page import ClaimPage
from winddown.authority.staff_command import StaffCommand, shown, shown_amount
from winddown.site import doors


class Command(StaffCommand):
    help = (
        "Print the first fraud claims of a queue, in the order of the desk, or one claim: its movements,"
        " losses, remedies and holds. The auditor sees who opened a claim."
    )
    examples = (
        'claims --by mika --reason "what is next"',
        'claims --queue decide --by mika --reason "what waits for a supervisor"',
        'claims FC00000012 --by mika --reason "the holder called"',
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("claim", nargs="?", help="the reference or number of one claim")
        parser.add_argument(
            "--queue", choices=list(desk_page.QUEUES), default="work", help="which claims"
        )

    def act(self, options: dict[str, Any]) -> None:
        actor = self.actor(options)
        doors.enter("console:claims", actor)
        with translation.override("en"):
            if options["claim"] is None:
                self._list(options["queue"], actor)
                return
            seen = desk_page.one(claim_number(options["claim"]) or 0, actor=actor)
            if seen is None:
                self.say("There is no such claim.", found=False)
                raise SystemExit(2)
            self._show(seen)

    def _list(self, queue: str, actor: Any) -> None:
        page = desk_page.queue(QueryDict(f"queue={queue}"), actor=actor)
        for row in page.rows:
            claim = row.claim
            until = f", by {shown(row.deadline_at)}" if row.deadline_at else ""
            self.say(
                f"{claim.reference} {claim.state:<18} {shown_amount(row.lost_minor):>16}{until}",
                claim=claim.reference,
                state=claim.state,
                amount_minor=row.lost_minor,
                deadline_at=row.deadline_at,
            )
        self.say(f"{len(page.rows):,} of {page.total:,} claims.", queue=queue, claims=page.total)

    def _show(self, seen: ClaimPage) -> None:
        claim = seen.claim
        self.say(
            f"{claim.reference} {claim.state}, lost {shown_amount(seen.lost_minor)}",
            claim=claim.reference,
            state=claim.state,
            account=f"account:{claim.wallet.account_id}",
            amount_minor=seen.lost_minor,
        )
        if seen.paid and not self.as_json:
            self.say(
                f"  charged by the thief {shown_amount(seen.paid.charged_minor)}, of that left"
                f" {shown_amount(seen.paid.thief_left_minor)}; without the fraud the holder would"
                f" have {shown_amount(seen.paid.own_position_minor)}"
            )
        for each in seen.movements:
            sign = "+" if each.comes else "-"
            self.say(
                f"  {each.subject:<14} {shown(each.occurred_at)}"
                f" {sign + shown_amount(each.amount_minor):>16} {each.whose}",
                movement=each.subject,
                at=each.occurred_at,
                amount_minor=each.amount_minor if each.comes else -each.amount_minor,
                whose=str(each.whose),
            )
        for line in seen.lines:
            made_good = ", ".join(f"{each.kind} {each.state}" for each in line.remedies) or "-"
            self.say(
                f"  loss {line.loss.pk} {shown_amount(line.loss.amount_minor)} {line.loss.funding}:"
                f" {made_good}",
                loss=line.loss.pk,
                amount_minor=line.loss.amount_minor,
                funding=line.loss.funding,
                remedies=[[each.kind, each.state] for each in line.remedies],
            )
        for hold in seen.holds:
            self.say(
                f"  hold {hold.pk} {shown_amount(hold.amount_minor)} {hold.state}",
                hold=hold.pk,
                amount_minor=hold.amount_minor,
                state=hold.state,
            )
