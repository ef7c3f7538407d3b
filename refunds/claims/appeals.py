"""A rejected claim is appealed once, and other people look at it again."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from refunds.claims import reports
from refunds.claims.reports import NOTHING_SAID, Said
from refunds.models import FraudClaim
from winddown import clock
from winddown.actors import SYSTEM, Actor
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.machines.move import transition_one, transition_set


def appeal(
    claim: FraudClaim, *, actor: Actor, reason: str, said: Said = NOTHING_SAID
) -> FraudClaim:
    """The rejection is contested, and waits for another analyst and another supervisor (rule 24).
    The claim keeps what was `said`.

    A holder may appeal for the own wallet. Anybody else needs `refunds.report_claim`. Raises
    `GuardNotMet` from the appeal deadline on, and for a claim that was appealed before.
    """
    at = clock.now()
    if claim.appeal_until is not None and at >= claim.appeal_until:
        raise GuardNotMet(
            action=says("appeal {claim}", claim=claim),
            why=says("the deadline was {at}", at=claim.appeal_until.isoformat()),
        )
    if claim.appealed_at is not None:
        raise GuardNotMet(
            action=says("appeal {claim}", claim=claim),
            why=says("a rejection is appealed once"),
        )
    own = actor is not SYSTEM and claim.wallet.account_id == actor.pk
    with transaction.atomic():
        done = transition_one(
            claim, "appeal", actor=SYSTEM if own else actor, reason=reason, appealed_at=at
        )
        channel = FraudClaim.Channel.CUSTOMER if own else FraudClaim.Channel.SUPPORT
        reports.keep({claim.wallet_id: claim}, said, channel=channel, actor=actor)
        audit.append("claims.appeal", claim.subject, actor=actor, reason=reason)
        return done


def close_after_appeal_time(*, actor: Actor = SYSTEM) -> int:
    """Rejected claims that can no longer be appealed are closed: the deadline passed, or the appeal
    was rejected too. Returns how many.
    """
    with transaction.atomic():
        over = FraudClaim.objects.filter(
            Q(appeal_until__lte=clock.now()) | Q(appealed_at__isnull=False),
            state=FraudClaim.State.REJECTED,
        )
        # The transition's name is in the trigger and in every log row, so it stays.
        moved = transition_set(over, "let_rest", run=None, actor=actor)
        if moved:
            audit.append("claims.let_rest", "claims", actor=actor, n=moved)
        return moved
