"""The page of the end: the closing proof, and what still holds the completion back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.closing import buckets, proofs
from refunds.models import ClosingProof
from winddown import clock
from winddown.actors import Actor
from winddown.authority import approvals
from winddown.models import Approval
from winddown.programme import stages
from winddown.site import acts
from winddown.site.acts import Act
from winddown.site.decisions import Decision
from winddown.words import Text

SHOWN_MAX = 50
BUCKETS: dict[str, Text] = {
    "paid": pgettext_lazy("bucket", "Paid"),
    "transferred": _("Taken over by another issuer"),
    "excluded": _("Excluded from the refund"),
    buckets.CLAWED_BACK: _("Clawed back after fraud"),
    buckets.EMPTY: _("Nothing was left at the close"),
}
SUMS: dict[str, Text] = {
    "sealed": _("Sealed at the close"),
    **{name: BUCKETS[name] for name in (*buckets.ENDS, buckets.CLAWED_BACK)},
    "left": _("Still owed or held"),
}


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket of a proof: its wallets, and its sums in the order of `SUMS`."""

    title: Text
    wallets: int
    sums: list[int]


@dataclass(frozen=True, slots=True)
class Proof:
    """A closing proof as the page shows it."""

    proof: ClosingProof
    state: str
    waiting: Approval | None
    buckets: list[Bucket]
    totals: list[int]
    ledger: list[int]


@dataclass(frozen=True, slots=True)
class ClosingPage:
    """The newest proof whole, the earlier ones, and what is open."""

    at: dt.datetime
    newest: Proof | None
    earlier: list[Proof]
    sums: list[Text]
    still_open: list[object]
    decisions: list[Decision]


def look(*, actor: Actor) -> ClosingPage:
    """Returns the page as `actor` sees it."""
    found = [
        _shown(each)
        for each in ClosingProof.objects.select_related("taken_by").order_by("-pk")[:SHOWN_MAX]
    ]
    return ClosingPage(
        at=clock.now(),
        newest=found[0] if found else None,
        earlier=found[1:],
        sums=list(SUMS.values()),
        still_open=stages.open_things(),
        decisions=[acts.decision(verb, act, actor=actor) for verb, act in CLOSING.items()],
    )


def _shown(proof: ClosingProof) -> Proof:
    return Proof(
        proof=proof,
        state=proofs.state_of(proof),
        waiting=approvals.standing(proof.subject, stage=proofs.STAGE),
        buckets=[
            Bucket(
                title=BUCKETS[name],
                wallets=bucket["wallets"],
                sums=[bucket[each] for each in buckets.SUMS],
            )
            for name, bucket in proof.buckets.items()
        ],
        totals=[buckets.total(proof.buckets, name) for name in buckets.SUMS],
        ledger=[proof.ledger[name] for name in buckets.SUMS],
    )


CLOSING: dict[str, Act] = {
    "prove": Act(
        title=pgettext_lazy("verb", "Take the closing proof"),
        effect=_("Every wallet is counted now. A second person is asked to confirm the proof."),
        permission=proofs.PERMISSION,
        do=lambda actor, given: proofs.take(actor=actor, reason=given["reason"]),
        tone="main",
        not_now=proofs.not_now,
    ),
}
