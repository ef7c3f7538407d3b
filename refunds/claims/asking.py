"""Holders are asked about movements that may not be theirs. We fill in what we saw, and they confirm
or correct it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.db import transaction

from refunds.claims import holding, reporting, reports, telling, thieves, victims
from refunds.claims.reports import Said
from refunds.models import FraudClaim, FraudReport
from winddown import clock
from winddown.actors import SYSTEM, Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.machines.move import move_rows


def ask(claims: Iterable[FraudClaim], *, actor: Actor, reason: str) -> int:
    """The holder of each claim under work is asked, with the movements in the evidence filled in, and
    hears of it at the verified address. A claim under investigation waits for the answer.

    Returns how many are asked now. A holder who is asked already is not asked twice, and the holder
    of a thief's own wallet never.
    """
    require(actor, "refunds.work_claim", action="ask holders")
    with transaction.atomic():
        chosen = [claim.pk for claim in claims]
        found = list(
            FraudClaim.objects.filter(pk__in=chosen, state__in=FraudClaim.UNDER_WORK)
            .select_related("wallet__account")
            .order_by("pk")
            .select_for_update(no_key=True, of=("self",))
        )
        skipped = thieves.of(chosen) | _asked_already(chosen)
        asked = [claim for claim in found if claim.pk not in skipped]
        seen: dict[int, list[str]] = defaultdict(list)
        for claim, movement in victims.suspected(asked):
            seen[claim.pk].append(reports.subject_of(movement))
        at = clock.now()
        FraudReport.objects.bulk_create(
            FraudReport(
                kind=FraudReport.Kind.FRAUD,
                channel=FraudClaim.Channel.RULE,
                claim=claim,
                customer_id=claim.wallet.account_id,
                proposed=seen[claim.pk],
                asked_at=at,
                asked_by_id=actor.pk,
            )
            for claim in asked
        )
        ids = [claim.pk for claim in asked]
        move_rows(FraudClaim, "ask_customer", ids, actor=actor, reason=reason)
        told = telling.asked(asked)
        if asked:
            audit.append(
                "claims.ask", "claims", actor=actor, reason=reason, n=len(asked), reached=told
            )
        return len(asked)


def _asked_already(claim_ids: Iterable[int]) -> set[int]:
    waiting = FraudReport.objects.filter(claim__in=claim_ids, given_at=None)
    return set(waiting.filter(claim__isnull=False).values_list("claim_id", flat=True))


def answer(report: FraudReport, said: Said, *, actor: Actor, reason: str = "") -> FraudReport:
    """The holder confirmed or corrected what we had filled in, and a claim that waited for it is
    under investigation again. Without movements the holder made all of them.

    Anybody but the holder needs `refunds.report_claim`. Raises `CardNumberSaid`, and `GuardNotMet`
    for a question that is answered or a movement of another wallet.
    """
    if actor.pk != report.customer_id:
        require(actor, "refunds.report_claim", action="take the answer of a holder")
    with transaction.atomic():
        found = FraudReport.objects.select_for_update(no_key=True, of=("self",)).get(pk=report.pk)
        action = says("answer the question")
        if found.given_at is not None or found.claim is None:
            raise GuardNotMet(action=action, why=says("it is answered already"))
        if any(each.wallet_id != found.claim.wallet_id for each in said.movements):
            raise GuardNotMet(action=action, why=says("one movement is of another wallet"))
        reports.give(found, said, actor=actor)
        reporting.believe(said, actor=actor, reason=reason)
        holding.follow([found.claim.wallet_id], begin=True)
        move_rows(FraudClaim, "resume", [found.claim.pk], actor=SYSTEM, reason=reason)
        audit.append(
            "claims.answer",
            found.claim.subject,
            actor=actor,
            reason=reason,
            named=len(said.movements),
            confirmed=found.movements == sorted(found.proposed),
        )
        return found
