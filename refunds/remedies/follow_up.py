"""What time alone changes about requests to issuers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from refunds.models import IssuerAction, Remedy
from refunds.remedies import routes, slots
from winddown import clock
from winddown.actors import SYSTEM, require
from winddown.evidence import audit
from winddown.machines.move import move_rows, transition_set
from winddown.models import Programme


def mark_overdue() -> int:
    """Asks whose answer was due are overdue and stand in the queue (rule 26); returns how many."""
    with transaction.atomic():
        due = IssuerAction.objects.filter(
            state__in=["sent", "acknowledged"], answer_due_at__lte=clock.now()
        )
        moved = transition_set(due, "fall_overdue", run=None)
        if moved:
            audit.append("issuer_asks.overdue", "issuer_actions", actor=SYSTEM, n=moved)
        return moved


def overdue() -> list[tuple[IssuerAction, dt.timedelta]]:
    """What waits for an issuer longer than it may, with its age, the oldest first."""
    at = clock.now()
    late = IssuerAction.objects.filter(
        state__in=["sent", "acknowledged", "overdue", "escalated"], answer_due_at__lte=at
    )
    return [
        (action, at - action.answer_due_at)
        for action in late.select_related("issuer").order_by("answer_due_at", "pk")
        if action.answer_due_at is not None
    ]


def escalate(actions: Iterable[IssuerAction], *, actor: Any, reason: str) -> int:
    """The silence is taken up with the issuers by name."""
    require(actor, "refunds.send_issuer_action", action="escalate issuer actions")
    with transaction.atomic():
        ids = [action.pk for action in actions]
        moved = move_rows(IssuerAction, "escalate", ids, actor=actor, reason=reason)
        if moved:
            audit.append(
                "issuer_asks.escalate", "issuer_actions", actor=actor, reason=reason, n=moved
            )
        return moved


def give_up_unsent(*, actor: Any = SYSTEM) -> int:
    """Stops of a debit that were not sent before the issuer's cut-off are closed, and their losses
    take the next road (rule 18); returns how many."""
    with transaction.atomic():
        at = clock.now()
        waiting = (
            IssuerAction.objects.select_for_update(no_key=True, of=("self",))
            .filter(
                kind=IssuerAction.Kind.STOP_DEBIT,
                state__in=["draft", "pending_approval", "approved"],
                deadline_at__lte=at,
            )
            .select_related("remedy__loss__issuer")
            .order_by("pk")
        )
        zone = Programme.current().zone
        passed = [each for each in waiting if slots.cut_off(each.remedy.loss, zone=zone) <= at]
        if not passed:
            return 0
        slots.fall_back(
            [action.remedy for action in passed],
            routes.UNANSWERED[routes.STOP_DEBIT],
            failure=Remedy.Failure.TOO_LATE,
            at=at,
            actor=actor,
        )
        ids = [action.pk for action in passed]
        moved = move_rows(IssuerAction, "close", ids, actor=actor, reason="cut-off passed")
        audit.append("issuer_asks.give_up_unsent", "issuer_actions", actor=actor, n=moved)
        return moved


def verify_and_close() -> int:
    """Done asks that statement or reference shows to be done are verified, and what needs nothing
    more is closed.

    A stopped debit is verified once the statement's day has come without the line, a refund by its
    reference number. Returns how many were closed.
    """
    with transaction.atomic():
        today = clock.now().astimezone(Programme.current().zone).date()
        stopped = IssuerAction.objects.filter(
            state=IssuerAction.State.DEBIT_STOPPED, statement_on__lte=today
        )
        refunded = IssuerAction.objects.filter(state=IssuerAction.State.REFUNDED).exclude(
            refund_arn=""
        )
        transition_set(stopped, "verify", run=None)
        transition_set(refunded, "verify", run=None)
        over = IssuerAction.objects.filter(
            state__in=["verified", "charged_back", "fallback_opened"]
        )
        moved = transition_set(over, "close", run=None)
        if moved:
            audit.append("issuer_asks.close", "issuer_actions", actor=SYSTEM, n=moved)
        return moved


def follow_up() -> dict[str, int]:
    """What time alone changes has changed: missed cut-offs, overdue answers, done asks. A second
    call changes nothing."""
    return {
        "fell_back": give_up_unsent(),
        "overdue": mark_overdue(),
        "closed": verify_and_close(),
    }
