"""The page of the people who are paid nothing: who, why, until when, and what waits."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from refunds.models import PaymentBlock
from refunds.payouts.payment_block_acts import BLOCKS, KINDS
from winddown import clock
from winddown.actors import Actor
from winddown.authority import approvals
from winddown.models import Approval
from winddown.site import acts
from winddown.site.decisions import Decision
from winddown.words import Text

SHOWN_MAX = 200


@dataclass(frozen=True, slots=True)
class Row:
    """One block, how it stands, and the request about it that waits for a second person."""

    block: PaymentBlock
    state: str
    waiting: Approval | None

    @property
    def kind(self) -> Text:
        return KINDS[self.block.kind]


@dataclass(frozen=True, slots=True)
class BlocksPage:
    """Everything on the page: those in force first."""

    at: dt.datetime
    rows: list[Row]
    decisions: list[Decision]

    def decision(self, verb: str) -> Decision | None:
        return next((each for each in self.decisions if each.verb == verb), None)


def look(*, actor: Actor) -> BlocksPage:
    """Returns the page as `actor` sees it."""
    at = clock.now()
    blocks = PaymentBlock.objects.select_related("entered_by").order_by("-pk")[:SHOWN_MAX]
    waiting = {
        ":".join(request.subject.split(":")[:2]): request
        for request in approvals.open_requests()
        if request.subject.startswith("payment_block:")
    }
    rows = [
        Row(block=each, state=_state(each, at), waiting=waiting.get(each.subject))
        for each in blocks
    ]
    return BlocksPage(
        at=at,
        rows=sorted(rows, key=lambda row: row.state != "in_force"),
        decisions=[acts.decision(verb, act, actor=actor) for verb, act in BLOCKS.items()],
    )


def _state(block: PaymentBlock, at: dt.datetime) -> str:
    if block.lifted_at is not None:
        return "lifted"
    return "in_force" if block.ends_at > at else "over"
