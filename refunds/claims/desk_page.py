"""The pages of the claims desk: the list with its filters, and one claim."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db import transaction
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Least, TruncDay
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from refunds.claims import case_file, claim_rules, lists, ways_page
from refunds.claims.desk_acts import DESK, FUNDINGS, PAYERS, REJECTIONS
from refunds.claims.desk_fields import claim_number
from refunds.claims.report_acts import CHANNELS
from refunds.claims.wallet_traces import wallet_traces
from refunds.models import (
    ClaimNote,
    FraudClaim,
    FraudClaimTransition,
    FraudReport,
    Loss,
    PaymentPayer,
    Remedy,
    RuleHit,
)
from wallets.models import Hold, Payment, TopUp
from winddown import clock
from winddown.actors import Actor
from winddown.authority import approvals
from winddown.evidence import audit
from winddown.models import Approval
from winddown.site import acts
from winddown.site.decisions import Decision
from winddown.words import Text

PAGE_ROWS = 50
MOVEMENTS_SHOWN = 100
State = FraudClaim.State
SAMPLE = "sample"
QUEUES: dict[str, tuple[Text, tuple[str, ...]]] = {
    "work": (_("Everything that waits for staff"), FraudClaim.UNDECIDED),
    "new": (_("New"), FraudClaim.CANDIDATES),
    "taken": (_("Under investigation"), FraudClaim.TAKEN_UP),
    "decide": (_("To be decided"), FraudClaim.PROPOSED),
    SAMPLE: (_("Sample, to be reviewed a second time"), FraudClaim.PROPOSED),
    "owed": (_("To be made good"), FraudClaim.OWED),
    "over": (_("Over"), FraudClaim.SETTLED),
}


class QueueForm(forms.Form):
    queue = forms.ChoiceField(
        label=_("Queue"), choices=[(code, name) for code, (name, _states) in QUEUES.items()]
    )
    channel = forms.ChoiceField(
        label=_("How it came in"), required=False, choices=[("", _("All")), *CHANNELS.items()]
    )
    person = forms.CharField(
        label=_("Whose work"), required=False, max_length=150, help_text=_("A login ID.")
    )
    put_off = forms.BooleanField(label=_("Show also what is put off"), required=False)
    reference = forms.CharField(label=_("Reference"), required=False, max_length=20)


@dataclass(frozen=True, slots=True)
class Row:
    """One claim of the list, what it is about in minor units, the next deadline of an issuer or of
    the desk, whose work it is, and whether it is escalated.
    """

    claim: FraudClaim
    lost_minor: int
    deadline_at: dt.datetime | None
    person: str
    is_escalated: bool

    @property
    def channel(self) -> Text:
        return CHANNELS[self.claim.channel]


@dataclass(frozen=True, slots=True)
class QueuePage:
    """The list as its filters choose it: what is escalated first, then the day of the next deadline,
    then the largest amount. Questions without an answer stand above it.
    """

    at: dt.datetime
    form: QueueForm
    rows: list[Row]
    total: int
    enquiries: list[tuple[FraudReport, str]]
    decisions: list[Decision]


@dataclass(frozen=True, slots=True)
class Movement:
    """A top-up or payment of the wallet, and whose it is."""

    subject: str
    occurred_at: dt.datetime
    amount_minor: int
    comes: bool
    whose: Text


@dataclass(frozen=True, slots=True)
class Line:
    """A loss with its kind and the remedies that were tried."""

    loss: Loss
    funding: Text
    remedies: list[Remedy]


@dataclass(frozen=True, slots=True)
class ClaimPage:
    """One claim: what happened, what was lost, what became of the money, and what can be done."""

    at: dt.datetime
    claim: FraudClaim
    channel: Text
    rejection: Text
    lines: list[Line]
    movements: list[Movement]
    paid: Any
    holds: list[Hold]
    hits: list[RuleHit]
    ways: ways_page.Section | None
    file: case_file.CaseFile
    steps: list[FraudClaimTransition]
    waiting: Approval | None
    decisions: list[Decision]

    @property
    def lost_minor(self) -> int:
        return sum(line.loss.amount_minor for line in self.lines)

    @property
    def query(self) -> str:
        """Fills the forms of its verbs in."""
        filled: dict[str, object] = {
            "claim": self.claim.reference,
            "claims": self.claim.reference,
        }
        if self.claim.decision_id:
            filled["decision"] = self.claim.decision_id
        return f"?{urlencode(filled)}"


def queue(given: QueryDict, *, actor: Actor) -> QueuePage:
    """Returns the page as `actor` sees it. Filters that are not understood count as absent."""
    form = QueueForm(given if given.get("queue") else {**given.dict(), "queue": "work"})
    chosen = form.cleaned_data if form.is_valid() else {"queue": "work"}
    found = FraudClaim.objects.filter(state__in=QUEUES[chosen["queue"]][1])
    if chosen["queue"] == SAMPLE:
        found = found.filter(pk__in=lists.waiting())
    if chosen.get("channel"):
        found = found.filter(channel=chosen["channel"])
    if chosen.get("reference"):
        found = FraudClaim.objects.filter(pk=claim_number(chosen["reference"]) or 0)
    at = clock.now()
    lost = Loss.objects.filter(claim=OuterRef("pk"), dropped_at=None).values("claim")
    waits = Q(losses__remedies__state__in=Remedy.UNDER_WAY)
    rows = found.annotate(
        lost=Subquery(lost.annotate(sum=Sum("amount_minor")).values("sum")),
        asked_by=Min("losses__remedies__action__deadline_at", filter=waits),
        due=Subquery(_newest(ClaimNote.Kind.DUE).values("until")[:1]),
        deadline=Least("asked_by", "due"),
        person=Subquery(_newest(ClaimNote.Kind.ASSIGNED).values("person__login_id")[:1]),
        put_off=Subquery(_newest(ClaimNote.Kind.SNOOZED).values("until")[:1]),
        escalated=Exists(_newest(ClaimNote.Kind.ESCALATED)),
    )
    if not chosen.get("put_off") and not chosen.get("reference"):
        rows = rows.filter(Q(put_off=None) | Q(put_off__lte=at))
    if chosen.get("person"):
        rows = rows.filter(person=chosen["person"])
    rows = rows.order_by(
        F("escalated").desc(),
        TruncDay("deadline").asc(nulls_last=True),
        F("lost").desc(nulls_last=True),
        "pk",
    )
    return QueuePage(
        at=at,
        form=form,
        rows=[
            Row(each, each.lost or 0, each.deadline, each.person or "", each.escalated)
            for each in rows[:PAGE_ROWS]
        ],
        total=rows.count(),
        enquiries=case_file.enquiries(),
        decisions=_decisions(
            (
                *("report", "report-card", "enquire", "load-reports", "load-losses", "find"),
                *("take-up", "assign", "propose", "review", "publish"),
            ),
            actor=actor,
        ),
    )


def _newest(kind: str) -> QuerySet[ClaimNote]:
    return ClaimNote.objects.filter(claim=OuterRef("pk"), kind=kind).order_by("-pk")


def one(number: int, *, actor: Actor) -> ClaimPage | None:
    """Returns the page of the claim, and None if there is none. The audit journal records who opened
    it (rule 64).
    """
    found = FraudClaim.objects.filter(pk=number).select_related("wallet", "analyst").first()
    if found is None:
        return None
    with transaction.atomic():
        audit.append("claim.open", found.subject, actor=actor)
    traced = wallet_traces([found.pk], policy=claim_rules.tracing_policy()).get(found.pk)
    losses = found.losses.filter(dropped_at=None).order_by("hit_at", "pk")
    holds = Hold.objects.filter(wallet=found.wallet, reason=found.subject).order_by("pk")
    open_requests = {each.subject: each for each in approvals.open_requests()}
    subjects = [f"claim_decision:{found.decision_id}", *_reopenings(found)]
    return ClaimPage(
        at=clock.now(),
        claim=found,
        channel=CHANNELS[found.channel],
        rejection=REJECTIONS.get(found.rejection, ""),
        lines=[
            Line(loss, FUNDINGS[loss.funding], list(loss.remedies.order_by("pk")))
            for loss in losses.prefetch_related("remedies")
        ],
        movements=_movements(found),
        paid=traced.paid if traced else None,
        holds=list(holds),
        file=case_file.of(found),
        hits=list(found.hits.select_related("rule").order_by("pk")),
        ways=ways_page.section(found.pk),
        steps=list(FraudClaimTransition.objects.filter(subject_id=found.pk).order_by("pk")),
        waiting=next((open_requests[each] for each in subjects if each in open_requests), None),
        decisions=_decisions(_possible(found), actor=actor),
    )


def _reopenings(claim: FraudClaim) -> list[str]:
    asked = Approval.objects.filter(subject__startswith=f"{claim.subject}:reopen:")
    return list(asked.values_list("subject", flat=True))


def _movements(claim: FraudClaim) -> list[Movement]:
    """Returns the newest movements of the wallet, the oldest of them first."""
    charged = set(claim.losses.filter(dropped_at=None).values_list("top_up_id", flat=True))
    payers = dict(
        PaymentPayer.objects.filter(claim=claim, replaced_at=None).values_list(
            "payment_id", "payer"
        )
    )
    came = TopUp.objects.filter(wallet=claim.wallet_id, state__in=TopUp.CHARGED)
    went = Payment.objects.filter(wallet=claim.wallet_id, state__in=Payment.SPENT)
    thief, holder = PAYERS[PaymentPayer.Payer.THIEF], PAYERS[PaymentPayer.Payer.HOLDER]
    found = [
        Movement(
            f"top_up:{each.pk}",
            each.occurred_at,
            each.amount_minor,
            True,
            thief if each.pk in charged else holder,
        )
        for each in came.order_by("-occurred_at")[:MOVEMENTS_SHOWN]
    ] + [
        Movement(
            f"payment:{each.pk}",
            each.occurred_at,
            each.amount_minor,
            False,
            PAYERS[payers.get(each.pk, PaymentPayer.Payer.UNKNOWN)],
        )
        for each in went.order_by("-occurred_at")[:MOVEMENTS_SHOWN]
    ]
    return sorted(found, key=lambda each: each.occurred_at)[-MOVEMENTS_SHOWN:]


_ON_ANY = ("note", "assign", "due", "snooze", "escalate", "keep-file")


def _possible(claim: FraudClaim) -> tuple[str, ...]:
    """Returns the verbs that the state of the claim allows, for any person."""
    by_state: dict[str, tuple[str, ...]] = {
        State.CANDIDATE: ("take-up", "ask", "drop"),
        State.REPORTED: ("take-up", "ask"),
        State.TRIAGE: ("take-up", "ask"),
        State.INVESTIGATING: ("losses", "payers", "drop-loss", "ask", "propose"),
        State.AWAITING_CUSTOMER: ("take-answer", "resume", "losses", "payers", "drop-loss"),
        State.PROPOSED_CONFIRM: ("review", "ask-again"),
        State.PROPOSED_REJECT: ("review", "ask-again"),
        State.REJECTED: ("appeal", "release"),
        State.APPEALED: ("take-up",),
        State.REMEDIED: ("close", "reopen"),
        State.REOPENED: ("take-up",),
        State.EXPIRED: ("release",),
    }
    return (*by_state.get(claim.state, ()), *_ON_ANY)


def _decisions(verbs: tuple[str, ...], *, actor: Actor) -> list[Decision]:
    return [acts.decision(verb, DESK[verb], actor=actor) for verb in verbs]
