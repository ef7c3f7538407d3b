"""Claims are appealed, closed, and reopened."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from refunds.claims import reporting
from refunds.models import FraudClaim
from winddown import clock
from winddown.actors import SYSTEM, Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.machines.move import transition_one, transition_set
from winddown.models import Approval


def appeal(claim: FraudClaim, *, actor: Actor, reason: str) -> FraudClaim:
    """The rejection is contested and waits for another analyst (rule 24).

    A holder may appeal for the own wallet. Anybody else needs `refunds.report_claim`. Raises
    `GuardNotMet` from the appeal deadline on.
    """
    at = clock.now()
    if claim.appeal_until is not None and at >= claim.appeal_until:
        raise GuardNotMet(
            action=says("appeal {claim}", claim=claim),
            why=says("the deadline was {at}", at=claim.appeal_until.isoformat()),
        )
    own = actor is not SYSTEM and claim.wallet.account_id == actor.pk
    with transaction.atomic():
        done = transition_one(claim, "appeal", actor=SYSTEM if own else actor, reason=reason)
        audit.append("claims.appeal", claim.subject, actor=actor, reason=reason)
        return done


def close_after_appeal_time(*, actor: Actor = SYSTEM) -> int:
    """Rejected claims whose appeal deadline passed are closed; returns how many."""
    with transaction.atomic():
        over = FraudClaim.objects.filter(
            state=FraudClaim.State.REJECTED, appeal_until__lte=clock.now()
        )
        # The transition's name is in the trigger and in every log row, so it stays.
        moved = transition_set(over, "let_rest", run=None, actor=actor)
        if moved:
            audit.append("claims.let_rest", "claims", actor=actor, n=moved)
        return moved


def close(claims: Iterable[FraudClaim], *, actor: Actor, reason: str) -> int:
    """Remedied claims are closed."""
    return reporting.move(claims, "close", actor=actor, reason=reason)


def request_reopening(claim: FraudClaim, *, actor: Actor, reason: str) -> Approval:
    """A first person asks to reopen the remedied claim; a second person must agree."""
    require(actor, "refunds.reopen_claim", action=f"reopen {claim}")
    with transaction.atomic():
        earlier = Approval.objects.filter(subject__startswith=f"{claim.subject}:reopen:").count()
        asked = approvals.ask(
            f"{claim.subject}:reopen:{earlier + 1}",
            stage="reopen",
            content={"reopen": claim.pk, "time": earlier + 1},
            permission="refunds.reopen_claim",
            maker=actor,
            reason=reason,
        )
        audit.append("claims.request_reopening", claim.subject, actor=actor, reason=reason)
        return asked


def reopen(asked: Approval, *, actor: Actor, reason: str, approve: bool = True) -> FraudClaim:
    """The remedied claim is open again, because a second person agreed. Its remedied losses stay
    remedied (rule 27). Without an approval the claim stays remedied.
    """
    with transaction.atomic():
        approvals.decide(
            asked.subject,
            stage="reopen",
            actor=actor,
            digest=asked.digest,
            reason=reason,
            approve=approve,
        )
        claim = FraudClaim.objects.get(pk=asked.summary["reopen"])
        if approve:
            claim = transition_one(claim, "reopen", actor=actor, reason=reason, reopening=asked)
        audit.append("claims.reopen", claim.subject, actor=actor, reason=reason, approve=approve)
        return claim


def _decided(said: approvals.Decided) -> object:
    """Carries out what was decided about a request whose key is `<claim>:reopen:<time>`."""
    asked = approvals.newest(f"claim:{said.key}")
    return reopen(asked, actor=said.actor, reason=said.reason, approve=said.approve)


approvals.DECIDERS.add("claim", _decided)
