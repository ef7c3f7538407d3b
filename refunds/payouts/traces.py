"""Money that the bank calls paid and its holder does not have: traced, owned, closed by two people."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from refunds.models import MethodTerms, Payout, Recall, TraceCase
from refunds.payouts import payout_batches
from winddown import business_days, clock
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NothingToDecide, says
from winddown.evidence import audit
from winddown.machines.move import transition_one
from winddown.models import Approval, Programme
from winddown.programme import jurisdictions

OPENS, PERMISSION = "refunds.work_application", "refunds.reconcile"
CLOSE = "close_trace"
# The bank asks the payee's bank, which has a week.
DUE_BANK_DAYS = 10
Outcome = TraceCase.Outcome


def open_for(payout: Payout, *, actor: Actor, reason: str) -> TraceCase:
    """The payout has a trace case, with the bank and the last digits of the account.

    Its holder opens it by answering that nothing arrived; anybody else needs
    `refunds.work_application`. Raises `GuardNotMet` for a payout that no bank calls paid, and while
    a trace of it is open.
    """
    if payout.holder_id != actor.pk:
        require(actor, OPENS, action=f"trace payout {payout.pk}")
    refused = says("trace a payout")
    with transaction.atomic():
        locked = Payout.objects.select_for_update(no_key=True, of=("self",)).get(pk=payout.pk)
        if locked.state != Payout.State.SETTLED or locked.method != MethodTerms.BANK:
            raise GuardNotMet(action=refused, why=says("no bank says that it was paid"))
        if TraceCase.objects.filter(payout=locked, state=TraceCase.State.OPEN).exists():
            raise GuardNotMet(action=refused, why=says("a trace of it is open"))
        if locked.payee is None:
            raise AssertionError("a transfer has a payee")
        trace = TraceCase.objects.create(
            payout=locked,
            account_end=locked.payee.account_number[-4:],
            opened_at=clock.now(),
            opened_by_id=actor.pk,
            due_on=_due_on(),
        )
        audit.append("trace.open", trace.subject, actor=actor, reason=reason, payout=locked.pk)
        return trace


def _due_on() -> dt.date:
    calendar = jurisdictions.pack(Programme.current().jurisdiction).calendar
    return business_days.after(payout_batches.today(), DUE_BANK_DAYS, calendar=calendar)


def of_holder(holder: User) -> TraceCase | None:
    """Returns the holder's open trace, or None."""
    return open_ones().filter(payout__holder=holder).order_by("-pk").first()


def open_ones() -> QuerySet[TraceCase]:
    """Returns the traces that nobody has closed."""
    return TraceCase.objects.filter(state=TraceCase.State.OPEN)


def overdue() -> QuerySet[TraceCase]:
    """Returns the open traces whose day has passed."""
    return open_ones().filter(due_on__lt=payout_batches.today())


def take(trace: TraceCase, *, actor: Actor, reason: str) -> TraceCase:
    """The person sees to the trace from now on. Taking it a second time changes nothing."""
    require(actor, PERMISSION, action=f"take {trace.subject}")
    with transaction.atomic():
        locked = _open(trace)
        if locked.owner_id != actor.pk:
            TraceCase.objects.filter(pk=locked.pk).update(owner_id=actor.pk)
            audit.append("trace.take", locked.subject, actor=actor, reason=reason)
        locked.owner_id = actor.pk
        return locked


def ask_close(
    trace: TraceCase, *, outcome: str, explanation: str, actor: Actor, reason: str
) -> Approval:
    """A second person is asked to agree to how the trace ended. Until then it is open.

    Raises `GuardNotMet` for an end that the books do not show: money that came back is in a file of
    the bank, and money that is lost has a recall that failed.
    """
    require(actor, PERMISSION, action=f"close {trace.subject}")
    with transaction.atomic():
        locked = _open(trace)
        _refuse_unproved(locked, outcome)
        subject = approvals.next_subject(locked.subject)
        content: dict[str, Any] = {
            "trace": locked.pk,
            "payout": locked.payout_id,
            "amount_minor": locked.payout.amount_minor,
            "outcome": outcome,
            "explanation": explanation,
        }
        approvals.refuse_repeated(subject, stage=CLOSE, content=content, maker=actor, reason=reason)
        request = approvals.ask(
            subject, stage=CLOSE, content=content, permission=PERMISSION, maker=actor, reason=reason
        )
        audit.append("trace.ask_close", locked.subject, actor=actor, reason=reason, outcome=outcome)
    return request


def _open(trace: TraceCase) -> TraceCase:
    locked = (
        TraceCase.objects.select_for_update(no_key=True, of=("self",))
        .select_related("payout")
        .get(pk=trace.pk)
    )
    if locked.state != TraceCase.State.OPEN:
        raise NothingToDecide(subject=locked.subject)
    return locked


def _refuse_unproved(trace: TraceCase, outcome: str) -> None:
    came_back = trace.payout.state in Payout.CAME_BACK
    why = ""
    if outcome == Outcome.CAME_BACK and not came_back:
        why = says("no file of the bank shows that the money came back")
    elif outcome != Outcome.CAME_BACK and came_back:
        why = says("the money came back, as a file of the bank shows")
    elif (
        outcome == Outcome.NOT_RECOVERED
        and not Recall.objects.filter(payout=trace.payout_id, state=Recall.State.FAILED).exists()
    ):
        why = says("no recall of the payout has failed")
    if why:
        raise GuardNotMet(action=says("close the trace"), why=why)


def _decided(said: approvals.Decided) -> object:
    """The second person agreed, and the trace is closed; or did not, and it stays open."""
    number, _sep, _round = said.key.partition(":")
    subject = f"trace:{said.key}"
    with transaction.atomic():
        found = TraceCase.objects.filter(pk=number).first()
        asked = approvals.standing(subject, stage=CLOSE)
        if found is None or asked is None:
            raise NothingToDecide(subject=subject)
        found = _open(found)
        approvals.decide(
            subject,
            stage=CLOSE,
            actor=said.actor,
            digest=said.digest,
            reason=said.reason,
            approve=said.approve,
        )
        if said.approve:
            _refuse_unproved(found, asked.summary["outcome"])
            transition_one(
                found,
                "close",
                actor=said.actor,
                reason=said.reason,
                outcome=asked.summary["outcome"],
                resolution=asked.summary["explanation"],
                closed_at=clock.now(),
            )
        return audit.append(
            "trace.close" if said.approve else "trace.keep_open",
            found.subject,
            actor=said.actor,
            reason=said.reason,
        )


approvals.DECIDERS.add("trace", _decided)
