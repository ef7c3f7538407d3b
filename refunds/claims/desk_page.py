"""The pages of the claims desk: the list with its filters, and one claim."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from refunds.attribution import claim_rules
from refunds.attribution.wallet_traces import wallet_traces
from refunds.claims import case_file, lists, ways_page
from refunds.claims.desk_acts import DESK, FUNDINGS, PAYERS, REJECTIONS
from refunds.claims.desk_fields import claim_number
from refunds.claims.report_acts import CHANNELS
from refunds.models import (
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
    at, person = clock.now(), chosen.get("person") or None
    every = bool(chosen.get("put_off") or chosen.get("reference"))
    try:
        chosen_sql, chosen_params = found.values("pk").query.sql_with_params()
    except EmptyResultSet:
        chosen_sql, chosen_params = "SELECT NULL::bigint WHERE false", ()
    zone = timezone.get_current_timezone_name()
    with connection.cursor() as cursor:
        cursor.execute(
            _QUEUE.format(chosen=chosen_sql),
            [*chosen_params, list(Remedy.UNDER_WAY), every, at, person, person, zone, PAGE_ROWS],
        )
        rows = cursor.fetchall()
    claims = FraudClaim.objects.in_bulk([row[0] for row in rows])
    return QueuePage(
        at=at,
        form=form,
        rows=[
            Row(claims[claim], int(lost), deadline, person or "", escalated)
            for claim, lost, deadline, person, escalated, _total in rows
        ],
        total=rows[0][-1] if rows else 0,
        enquiries=case_file.enquiries(),
        decisions=_decisions(
            (
                *("report", "report-card", "enquire", "load-reports", "load-losses", "find"),
                *("take-up", "assign", "propose", "review", "publish"),
            ),
            actor=actor,
        ),
    )


# Each table is read once, because a subquery would be asked for every claim of the queue. Of the notes
# of a kind the newest holds.
_QUEUE = """
    WITH chosen (id) AS MATERIALIZED (
        {chosen}
    ), lines AS (
        SELECT l.claim_id, sum(l.amount_minor) AS amount_minor, min(a.deadline_at) AS deadline_at
        FROM chosen c JOIN refunds_loss l ON l.claim_id = c.id AND l.dropped_at IS NULL
        LEFT JOIN refunds_remedy r ON r.loss_id = l.id AND r.state = ANY (%s)
        LEFT JOIN refunds_issueraction a ON a.remedy_id = r.id
        GROUP BY l.claim_id
    ), noted AS (
        SELECT claim_id,
            (array_agg(until ORDER BY id DESC) FILTER (WHERE kind = 'due'))[1] AS due,
            (array_agg(until ORDER BY id DESC) FILTER (WHERE kind = 'snoozed'))[1] AS put_off,
            (array_agg(person_id ORDER BY id DESC) FILTER (WHERE kind = 'assigned'))[1] AS person_id,
            bool_or(kind = 'escalated') AS escalated
        FROM refunds_claimnote GROUP BY claim_id
    )
    SELECT c.id, coalesce(lines.amount_minor, 0), LEAST(lines.deadline_at, noted.due),
        u.login_id, coalesce(noted.escalated, false), count(*) OVER ()
    FROM chosen c LEFT JOIN lines ON lines.claim_id = c.id
    LEFT JOIN noted ON noted.claim_id = c.id LEFT JOIN accounts_user u ON u.id = noted.person_id
    WHERE (%s OR noted.put_off IS NULL OR noted.put_off <= %s)
        AND (%s::text IS NULL OR u.login_id = %s)
    ORDER BY coalesce(noted.escalated, false) DESC,
        (LEAST(lines.deadline_at, noted.due) AT TIME ZONE %s)::date ASC NULLS LAST,
        lines.amount_minor DESC NULLS LAST, c.id
    LIMIT %s
"""


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
