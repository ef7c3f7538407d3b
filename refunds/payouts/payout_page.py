"""The pages of payout batches and of breaks, as one person sees them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db.models import Count, Sum
from django.utils.translation import gettext_lazy as _
from django_fsm import get_available_FIELD_transitions

from refunds.models import Payout, PayoutBatch, ReconciliationBreak, RefundTerms
from refunds.payouts import arrivals, caps, line_removal, payout_batches, refund_limits
from refunds.payouts.break_kinds import KINDS
from refunds.payouts.methods import METHODS
from refunds.payouts.payout_acts import BATCHES, BREAKS, EXPORT
from winddown import clock
from winddown.actors import Actor
from winddown.authority import approvals
from winddown.models import Approval, Signature
from winddown.site import acts
from winddown.site.acts import Act
from winddown.site.decisions import Decision
from winddown.words import Text

SHOWN_MAX = 200
# By verb: the transition of the batch that it begins, itself or by a second person.
_BEGINS = {
    "stop": "stop_release",
    "transmit": "transmit",
    "accept": "accept",
    "void": "void",
    "refusal": "refuse",
    "close": "close",
    "waiver": "waive",
}


@dataclass(frozen=True, slots=True)
class BatchesPage:
    """The batches, the newest first."""

    at: dt.datetime
    batches: Sequence[PayoutBatch]
    open_breaks: int


@dataclass(frozen=True, slots=True)
class Group:
    """So many payouts of a batch are in this state, and come to this sum."""

    state: str
    count: int
    sum_minor: int


@dataclass(frozen=True, slots=True)
class BatchPage:
    """One batch: what was signed, by whom, and how its payouts stand."""

    at: dt.datetime
    batch: PayoutBatch
    groups: list[Group]
    payouts: Sequence[Payout]
    signatures: Sequence[Signature]
    waiting: list[Approval]
    to_give_up: frozenset[int]
    """The shown payouts that came back and that the person may give up."""
    decisions: list[Decision]
    caps: RefundTerms
    day_minor: int
    """What the agreed files of its value date come to, without this one."""
    following: int | None
    """The batch that is the next version of this one."""
    sample: arrivals.Counted | None
    """What those said who were asked whether the money arrived."""

    @property
    def method(self) -> Text:
        return METHODS[self.batch.method].label

    @property
    def stoppable(self) -> bool:
        """Tells whether a release that began can still be stopped by one person."""
        return bool(self.batch.state == PayoutBatch.State.RELEASING)

    @property
    def query(self) -> str:
        """Fills the forms of its verbs in."""
        return f"?number={self.batch.pk}"


@dataclass(frozen=True, slots=True)
class BreakRow:
    """One break, how many days it is old, and the request about it that waits."""

    found: ReconciliationBreak
    days: int
    waiting: Approval | None

    @property
    def kind(self) -> Text:
        return KINDS.get(self.found.kind, self.found.kind)


@dataclass(frozen=True, slots=True)
class BreaksPage:
    """The breaks, those that are open first."""

    at: dt.datetime
    rows: list[BreakRow]
    together: list[Approval]
    """Requests to clear several breaks at once."""
    decisions: list[Decision]


def batches() -> BatchesPage:
    """Returns the list of batches."""
    return BatchesPage(
        at=clock.now(),
        batches=list(PayoutBatch.objects.select_related("maker").order_by("-pk")[:SHOWN_MAX]),
        open_breaks=ReconciliationBreak.objects.filter(
            state=ReconciliationBreak.State.OPEN
        ).count(),
    )


def batch(found: PayoutBatch, *, actor: Actor) -> BatchPage:
    """Returns the page of one batch as `actor` sees it."""
    payouts = list(Payout.objects.filter(batch=found).order_by("pk")[:SHOWN_MAX])
    may_give_up = actor.has_perm(BATCHES["give-up"].permission)
    grouped = (
        Payout.objects.filter(batch=found)
        .values("state")
        .annotate(count=Count("pk"), sum_minor=Sum("amount_minor"))
        .order_by("state")
    )
    return BatchPage(
        at=clock.now(),
        batch=found,
        groups=[Group(**each) for each in grouped],
        payouts=payouts,
        to_give_up=frozenset(
            each.pk for each in payouts if may_give_up and each.state == Payout.State.RETURNED
        ),
        signatures=list(
            Signature.objects.filter(subject=found.subject).select_related("signer").order_by("pk")
        ),
        waiting=_requests(found),
        decisions=_decisions(found, actor=actor),
        caps=refund_limits.current(),
        day_minor=caps.taken(found.value_date, beside=found),
        following=PayoutBatch.objects.filter(replaces=found).values_list("pk", flat=True).first(),
        sample=arrivals.counted_of(found),
    )


def _decisions(found: PayoutBatch, *, actor: Actor) -> list[Decision]:
    decisions = [acts.decision(verb, act, actor=actor) for verb, act in _possible(found).items()]
    if found.leaves_at is None or found.leaves_at <= clock.now():
        return decisions
    return [
        replace(each, refused=each.refused or _("It can still be stopped."))
        if each.verb == "export"
        else each
        for each in decisions
    ]


def _possible(found: PayoutBatch) -> dict[str, Act]:
    """Returns what the state of the batch allows, for any person."""
    ahead = {
        each.name
        for each in get_available_FIELD_transitions(found, PayoutBatch._meta.get_field("state"))
    }
    possible = {verb: BATCHES[verb] for verb, name in _BEGINS.items() if name in ahead}
    if found.state in line_removal.STATES:
        possible["lines"] = BATCHES["lines"]
    if found.state == PayoutBatch.State.APPROVED and payout_batches.grace():
        return {"release": BATCHES["release"], **possible}
    if found.state in PayoutBatch.AGREED:
        return {"export": EXPORT, **possible}
    return possible


def breaks(*, actor: Actor) -> BreaksPage:
    """Returns the list of breaks as `actor` sees it."""
    at = clock.now()
    found = ReconciliationBreak.objects.select_related("owner", "payout").order_by("state", "pk")
    waiting = {
        ":".join(request.subject.split(":")[:2]): request
        for request in approvals.open_requests()
        if request.subject.startswith("break:")
    }
    return BreaksPage(
        at=at,
        rows=[
            BreakRow(each, (at - each.found_at).days, waiting.get(each.subject))
            for each in found[:SHOWN_MAX]
        ],
        together=[
            request
            for request in approvals.open_requests()
            if request.subject.startswith("breaks:")
        ],
        decisions=[acts.decision(verb, act, actor=actor) for verb, act in BREAKS.items()],
    )


def _requests(found: PayoutBatch) -> list[Approval]:
    stems = (f"{found.subject}:", f"payout_lines:{found.pk}:")
    return [
        request
        for request in approvals.open_requests()
        if request.subject == found.subject or request.subject.startswith(stems)
    ]
