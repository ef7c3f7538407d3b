"""Requests to issuers are drafts again, overdue, verified or closed when their time has come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q

from refunds.models import IssuerAction, Remedy, RequestList
from refunds.remedies import chargebacks, cut_offs, requests
from winddown import clock
from winddown.actors import SYSTEM, Actor, require
from winddown.authority import approvals
from winddown.evidence import audit
from winddown.machines.move import move_rows, transition_set
from winddown.models import Programme


def mark_overdue() -> int:
    """Requests whose answer was due are overdue and in the queue (rule 26). Returns how many."""
    with transaction.atomic():
        due = IssuerAction.objects.filter(
            state__in=IssuerAction.AWAITED, answer_due_at__lte=clock.now()
        )
        moved = transition_set(due, "fall_overdue", run=None)
        if moved:
            audit.append("issuer_asks.overdue", "issuer_actions", actor=SYSTEM, n=moved)
        return moved


def overdue() -> list[tuple[IssuerAction, dt.timedelta]]:
    """Returns the requests whose answer is late and how late each is, the oldest first."""
    at = clock.now()
    late = IssuerAction.objects.filter(state__in=IssuerAction.ANSWERABLE, answer_due_at__lte=at)
    return [
        (action, at - action.answer_due_at)
        for action in late.select_related("issuer").order_by("answer_due_at", "pk")
        if action.answer_due_at is not None
    ]


def escalate(actions: Iterable[IssuerAction], *, actor: Actor, reason: str) -> int:
    """Staff talk to the issuers about the overdue requests. Returns how many requests are new."""
    require(actor, "refunds.send_issuer_action", action="escalate issuer actions")
    with transaction.atomic():
        ids = [action.pk for action in actions]
        moved = move_rows(IssuerAction, "escalate", ids, actor=actor, reason=reason)
        if moved:
            audit.append(
                "issuer_asks.escalate", "issuer_actions", actor=actor, reason=reason, n=moved
            )
        return moved


def return_expired() -> int:
    """Requests of lists that nobody decided in time are drafts again. Returns how many."""
    with transaction.atomic():
        at = clock.now()
        waiting = RequestList.objects.filter(actions__state=IssuerAction.State.PENDING_APPROVAL)
        expired = []
        for listed in waiting.distinct().order_by("pk"):
            asked = approvals.standing(listed.subject, stage=requests.STAGE)
            if asked is None or asked.expires_at <= at:
                expired.append(listed.pk)
        rows = IssuerAction.objects.filter(request_list__in=expired)
        moved = transition_set(rows, "run_out", run=None) if expired else 0
        if moved:
            audit.append("issuer_asks.run_out", "issuer_actions", actor=SYSTEM, n=moved)
        return moved


def verify_and_close() -> int:
    """Requests that the issuer has done are verified, and those that need nothing more are closed.

    A stopped debit is verified on the day of the statement without the line, a refund by its
    reference number. Returns how many were closed.
    """
    with transaction.atomic():
        today = clock.now().astimezone(Programme.current().zone).date()
        stopped = IssuerAction.objects.filter(
            state=IssuerAction.State.DEBIT_STOPPED, statement_on__lte=today
        ).exclude(remedy__state=Remedy.State.CONTESTED)
        refunded = IssuerAction.objects.filter(state=IssuerAction.State.REFUNDED).exclude(
            Q(refund_arn="") | Q(remedy__state=Remedy.State.CONTESTED)
        )
        transition_set(stopped, "verify", run=None)
        transition_set(refunded, "verify", run=None)
        over = IssuerAction.objects.filter(state__in=IssuerAction.CLOSABLE)
        moved = transition_set(over, "close", run=None)
        if moved:
            audit.append("issuer_asks.close", "issuer_actions", actor=SYSTEM, n=moved)
        return moved


def follow_up() -> dict[str, int]:
    """Missed cut-offs, expired approvals, overdue answers, done requests and chargebacks have moved
    on. Returns how many of each. A second call changes nothing."""
    return {
        "fell_back": cut_offs.fall_back(),
        "run_out": return_expired(),
        "overdue": mark_overdue(),
        "closed": verify_and_close(),
        **chargebacks.follow_up(),
    }
