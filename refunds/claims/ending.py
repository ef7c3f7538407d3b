"""Claims are closed and reopened, and none waits although nothing is left to do."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from refunds.claims import reporting
from refunds.models import FraudClaim
from refunds.remedies import slots
from winddown.actors import SYSTEM, Actor, require
from winddown.authority import approvals
from winddown.evidence import audit
from winddown.machines.move import move_rows, transition_one
from winddown.models import Approval


def close(claims: Iterable[FraudClaim], *, actor: Actor, reason: str) -> int:
    """Remedied claims are closed."""
    return reporting.move(claims, "close", actor=actor, reason=reason)


def move_on(*, actor: Actor = SYSTEM) -> int:
    """No claim waits although every loss of it was made good, and none whose losses two people
    confirmed stays rejected. Returns how many moved; a second call moves none.
    """
    with transaction.atomic():
        stuck = FraudClaim.objects.filter(
            state=FraudClaim.State.REJECTED, losses__confirmed_at__isnull=False
        )
        ids = list(stuck.order_by("pk").distinct().values_list("pk", flat=True))
        moved = move_rows(FraudClaim, "stand_by_confirmation", ids, actor=SYSTEM)
        done = FraudClaim.objects.filter(state=FraudClaim.State.REMEDYING)
        moved += slots.finish_claims(done.values("pk"))
        if moved:
            audit.append("claims.move_on", "claims", actor=actor, n=moved)
        return moved


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
