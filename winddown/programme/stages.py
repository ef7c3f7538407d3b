"""The stages of the programme that people start: the incident, the announcement, the completion."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from winddown import clock, locks, words
from winddown.actors import SYSTEM, Actor, require
from winddown.authority import approvals
from winddown.authority.approvals import SignedList
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.machines.move import edge_from, transition_one
from winddown.models import Approval, Capability, Milestone, Programme
from winddown.programme import filing_duties, gates  # noqa: F401  The first one adds its gate.
from winddown.registries import Registry
from winddown.words import Text

CLOSING_PROOFS: Registry[Callable[[], Sequence[object]]] = Registry(
    "closing proofs",
    entries_are="returns one sentence for each thing that is still open at the end",
    owner=__name__,
)
# What must be shown before the programme is completed. What is absent is never taken for done.
NEEDED: dict[str, Text] = {
    "stops": _("that every stop is ratified"),
    "runs": _("that every run has ended"),
    "milestones": _("that every milestone is reached"),
    "filings": _("that every filing is with its authority"),
    "claims": _("that every claim is settled"),
    "holders_paid": _("that every holder is paid or excluded"),
    "payouts": _("that no payout is under way"),
    "breaks": _("that no line of the bank's answers is open"),
    "bank_days": _("that ledger, statements and customers' pages agree"),
    "duties": _("that the duties after the end are provided for"),
    "closing_proof": _("that the refunds add up to the unit: the closing proof"),
}
ANNOUNCEMENT = "announcement"
STAGE = "announce"
ANNOUNCE = "winddown.announce_termination"


def declare_incident(
    *, actor: Actor, reason: str, aware_at: dt.datetime | None = None
) -> Programme:
    """The operator is aware of an incident since `aware_at` (now by default), and the reporting
    deadlines count from then.

    If something was stopped before, the service is restricted already. Raises `GuardNotMet` for an
    instant in the future, or before the service began.
    """
    at, programme = clock.now(), Programme.current()
    aware_at = aware_at or at
    if aware_at > at:
        raise GuardNotMet(
            action=says("declare the incident"), why=says("the instant is in the future")
        )
    if aware_at < programme.launched_at:
        raise GuardNotMet(
            action=says("declare the incident"), why=says("the service began later than that")
        )
    with transaction.atomic():
        declared = _move(
            "declare_incident",
            actor=actor,
            reason=reason,
            facts={"aware_at": aware_at.isoformat(), "earlier": _as_text(programme.aware_at)},
            aware_at=aware_at,
        )
        if not Capability.objects.exclude(state=Capability.State.ENABLED).exists():
            return declared
        # No later stop would lead out of the incident.
        return transition_one(declared, "restrict", actor=SYSTEM, reason=reason)


def restore(*, actor: Actor, reason: str) -> Programme:
    """The service goes on as before the incident. Raises `GuardNotMet` while a switch is off."""
    off = Capability.objects.exclude(state=Capability.State.ENABLED).values_list("code", flat=True)
    if off:
        raise GuardNotMet(
            action=says("end the incident"),
            why=says("restart first what is stopped: {names}", names=", ".join(off)),
        )
    return _move("restore", actor=actor, reason=reason)


def ask_announcement(*, actor: Actor, reason: str) -> Approval:
    """The announcement of the end waits for a second person. Nothing is public yet.

    Raises `GuardNotMet` while another request waits, and `TransitionRefused` in a state from which
    the end is not announced.
    """
    require(actor, ANNOUNCE, action="announce the end")
    with transaction.atomic():
        locks.take(Lock.ANNOUNCEMENT)
        edge_from(Programme.current(), "announce")
        newest = waiting_announcement()
        if newest is not None:
            approvals.refuse_repeated(
                newest.subject, stage=STAGE, content=_announced(), maker=actor, reason=reason
            )
            raise GuardNotMet(
                action=says("announce the end"), why=_("a request waits already: decide about it")
            )
        number = Approval.objects.filter(subject__startswith=f"{ANNOUNCEMENT}:").count() + 1
        asked = _signed(str(number)).ask(maker=actor, reason=reason)
        audit.append("programme.ask_announcement", asked.subject, actor=actor, reason=reason)
        return asked


def waiting_announcement() -> Approval | None:
    """Returns the request to announce the end that waits for a second person."""
    found = (
        each for each in approvals.open_requests() if each.subject.startswith(f"{ANNOUNCEMENT}:")
    )
    return next(found, None)


def decide_announcement(
    key: str, *, actor: Actor, digest: str, reason: str, approve: bool = True
) -> None:
    """The end of the service is public, and charges and registration can no longer be restored; or
    the request is rejected, and nothing has changed.

    Raises what `approvals.decide` raises, and `PlanChanged` if what is announced changed meanwhile.
    """
    with transaction.atomic():
        locks.take(Lock.ANNOUNCEMENT)
        _signed(key).decide(actor=actor, digest=digest, reason=reason, approve=approve)
        if approve:
            _move("announce", actor=actor, reason=reason, announced_at=clock.now())
        else:
            audit.append(
                "programme.refuse_announcement",
                f"{ANNOUNCEMENT}:{key}",
                actor=actor,
                reason=reason,
            )


def _signed(key: str) -> SignedList:
    return SignedList(
        subject=f"{ANNOUNCEMENT}:{key}", stage=STAGE, permission=ANNOUNCE, content=_announced
    )


def _announced() -> dict[str, Any]:
    """Returns what becomes public with the announcement."""
    programme = Programme.current()
    return {
        "programme": programme.name,
        "contact": programme.contact_phone,
        "legal_basis": programme.legal_basis,
        "deadlines": {
            each.kind: each.at for each in Milestone.objects.filter(kind__in=Milestone.BY_CLOCK)
        },
    }


def _decided(said: approvals.Decided) -> None:
    decide_announcement(
        said.key,
        actor=said.actor,
        digest=said.digest,
        reason=said.reason,
        approve=said.approve,
    )


approvals.DECIDERS.add(ANNOUNCEMENT, _decided)


# --- the end of the programme --------------------------------------------------------------------


def complete(*, actor: Actor, reason: str) -> Programme:
    """Nothing is open any more. Raises `GuardNotMet`, which says what is open or cannot be shown."""
    _refuse_while_open(says("complete the programme"))
    return _move("complete", actor=actor, reason=reason)


def report(*, actor: Actor, reason: str) -> Programme:
    """The authority has the completion report. Raises `GuardNotMet` as `complete` does."""
    _refuse_while_open(says("report the completion"))
    return _move("report", actor=actor, reason=reason)


def open_things() -> list[object]:
    """Returns one sentence for each thing that is open, and for each proof that does not exist."""
    absent = [
        format_lazy(_("nothing here can show {what}"), what=what)
        for name, what in NEEDED.items()
        if name not in CLOSING_PROOFS
    ]
    return [*absent, *(sentence for proof in CLOSING_PROOFS.values() for sentence in proof())]


def _refuse_while_open(action: str) -> None:
    if still_open := open_things():
        raise GuardNotMet(action=action, why=gates.said(still_open))


def gate_holds(name: str) -> Callable[[], Sequence[object]]:
    """Returns the proof that the gate holds: its failing numbers are what is open."""
    return lambda: gates.failing(gates.measured(name))


def _milestones() -> list[object]:
    return [
        format_lazy(_("{milestone} is not reached"), milestone=words.milestone_title(each.kind))
        for each in Milestone.objects.order_by("at")
        if each.is_open
    ]


for _name in ("stops", "runs", "filings"):
    CLOSING_PROOFS.add(_name, gate_holds(_name))
CLOSING_PROOFS.add("milestones", _milestones)


def _as_text(at: dt.datetime | None) -> str:
    return at.isoformat() if at else ""


def _move(
    name: str, *, actor: Actor, reason: str, facts: Mapping[str, Any] | None = None, **columns: Any
) -> Programme:
    with transaction.atomic():
        done = transition_one(Programme.current(), name, actor=actor, reason=reason, **columns)
        audit.append(
            f"programme.{name}",
            "programme",
            actor=actor,
            reason=reason,
            state=done.state,
            **(facts or {}),
        )
        return done
