"""A list of claims is proposed by one person and decided by another."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypedDict

from django.db import DatabaseError, connection, transaction
from django.db.models import Q, QuerySet, Sum

from refunds.claims import holding, links, lists, losses, makers, telling
from refunds.models import ClaimDecision, FraudClaim, Loss, PaymentPayer
from refunds.remedies import chargebacks, slots
from wallets.models import LedgerAccount
from wallets.movements import posting
from winddown import clock, locks
from winddown.actors import SYSTEM, Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, SamePerson, says
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.machines.move import move_rows, transition_set
from winddown.sqlstates import SqlState, sqlstate_of

STAGE = "claims"

# The operator's own promise. No law sets a time for the appeal against a rejected claim.
APPEAL_FOR = dt.timedelta(days=60)


def propose(
    claims: Iterable[FraudClaim],
    *,
    verdict: str,
    actor: Actor,
    reason: str,
    rejection: str = "",
    note: str = "",
    evidence: Sequence[Mapping[str, object]] = (),
) -> ClaimDecision:
    """The claims are proposed as one list, and a second person is asked to sign its digest over ids
    and amounts. They were found in one way and are of one band of amounts.

    All must be under investigation. A confirmation needs at least one loss per claim, a rejection
    its reason; what was confirmed is not rejected later. Somebody has looked at every linked claim.
    Rule hits, losses and `evidence` are stored with each claim. Raises `GuardNotMet`, and
    `SamePerson` for an appeal of a claim that `actor` worked on before it.
    """
    require(actor, "refunds.work_claim", action="propose a decision")
    ids = sorted(claim.pk for claim in claims)
    rejects = verdict != ClaimDecision.Verdict.CONFIRM
    _refuse_unfit_list(ids, without_reason=rejects and not rejection)
    links.refuse_unseen(ids)
    with transaction.atomic():
        rows = FraudClaim.objects.filter(pk__in=ids)
        makers.refuse_earlier(ids, actor=actor)
        list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk"))
        losses.retrace(ids, actor=actor)
        _gather_evidence(ids, list(evidence))
        if rejects:
            rows.update(rejection=rejection, rejection_note=note)
        decision = _proposed(verdict, rows, maker=actor)
        rows.update(decision=decision, analyst_id=actor.pk)
        moved = transition_set(rows, f"propose_{verdict}", run=None, actor=actor, reason=reason)
        if moved != len(ids):
            raise GuardNotMet(
                action=says("propose a decision"),
                why=says(
                    "{lacking} of {total} claims are not under investigation, lack a loss or"
                    " evidence, or were confirmed and are to be rejected",
                    lacking=len(ids) - moved,
                    total=len(ids),
                ),
            )
        _signed_list(decision, rows).ask(maker=actor, reason=reason)
        audit.append(
            "claims.propose",
            decision.subject,
            actor=actor,
            reason=reason,
            verdict=verdict,
            digest=decision.digest,
            n=len(ids),
        )
        return decision


def propose_lists(
    claims: Iterable[FraudClaim], *, actor: Actor, reason: str, **proposed: Any
) -> list[ClaimDecision]:
    """The claims are proposed in as many lists as their ways of detection and their amounts ask for,
    all or none. Raises what `propose` raises.
    """
    require(actor, "refunds.work_claim", action="propose a decision")
    ids = [claim.pk for claim in claims]
    with transaction.atomic():
        makers.refuse_earlier(ids, actor=actor)
        losses.retrace(ids, actor=actor)
        parts = lists.parts(_amounts(FraudClaim.objects.filter(pk__in=ids)))
        return [
            propose(FraudClaim.objects.filter(pk__in=part), actor=actor, reason=reason, **proposed)
            for part in parts or [[]]
        ]


def _proposed(verdict: str, rows: QuerySet[FraudClaim], *, maker: Actor) -> ClaimDecision:
    """The list of the claims is stored with its digest, number and sum."""
    amounts = _amounts(rows)
    kind = lists.one_kind(amounts)
    seed, sampled = lists.draw(len(amounts))
    decision = ClaimDecision(
        verdict=verdict,
        maker_id=maker.pk,
        claims_count=len(amounts),
        amount_minor=sum(amounts.values()),
        proposed_at=clock.now(),
        found_by=kind.found_by,
        up_to_minor=kind.up_to_minor,
        claims_max=kind.claims_max,
        seed=seed,
        sampled=sampled,
    )
    decision.digest = approvals.digest_of(_content(decision, rows))
    decision.save()
    return decision


def _refuse_unfit_list(ids: Collection[int], *, without_reason: bool) -> None:
    """Raises `GuardNotMet` for a list of no claim or too many, or a rejection without a reason."""
    if not 0 < len(ids) <= ClaimDecision.CLAIMS_MAX:
        raise GuardNotMet(
            action=says("propose a decision"),
            why=says("a list holds 1 to {most} claims", most=ClaimDecision.CLAIMS_MAX),
        )
    if without_reason:
        raise GuardNotMet(action=says("propose a rejection"), why=says("it needs its reason code"))


def _signed_list(decision: ClaimDecision, rows: QuerySet[FraudClaim]) -> approvals.SignedList:
    """Returns what two people sign about the claims of `rows`."""
    return approvals.SignedList(
        subject=decision.subject,
        stage=STAGE,
        permission="refunds.decide_claim",
        content=lambda: _content(decision, rows),
    )


class Content(TypedDict):
    """What is signed: the verdict, every claim's id with the sum of its losses, and the claims of the
    sample with the seed that they follow from.
    """

    verdict: str
    claims: dict[str, int]
    seed: str
    sample: list[int]


def _content(decision: ClaimDecision, rows: QuerySet[FraudClaim]) -> Content:
    amounts = _amounts(rows)
    return {
        "verdict": str(decision.verdict),
        "claims": {str(claim): lost for claim, lost in amounts.items()},
        "seed": decision.seed,
        "sample": lists.sample(amounts, seed=decision.seed, sampled=decision.sampled),
    }


def _amounts(rows: QuerySet[FraudClaim]) -> dict[int, int]:
    """Returns what was lost in each claim, in the order of the claims."""
    sums = rows.order_by("pk").annotate(
        lost=Sum("losses__amount_minor", filter=Q(losses__dropped_at=None))
    )
    return {claim: lost or 0 for claim, lost in sums.values_list("pk", "lost")}


def _gather_evidence(claim_ids: Collection[int], added: list[Mapping[str, object]]) -> None:
    """Rule hits, losses and what the analyst adds are evidence, with the evidence from before."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE refunds_fraudclaim c SET evidence = (
                SELECT coalesce(jsonb_agg(DISTINCT item), '[]'::jsonb) FROM (
                    SELECT jsonb_array_elements(c.evidence) AS item
                    UNION SELECT jsonb_build_object('kind', 'rule_hit', 'id', h.id)
                        FROM refunds_rulehit h
                    WHERE h.claim_id = c.id
                    UNION SELECT jsonb_build_object('kind', 'loss', 'id', l.id) FROM refunds_loss l
                    WHERE l.claim_id = c.id AND l.dropped_at IS NULL
                    UNION SELECT jsonb_array_elements(%s::jsonb)
                ) items
            ) WHERE c.id = ANY (%s)
            """,
            [json.dumps(added), list(claim_ids)],
        )


def ask_again(decision: ClaimDecision, *, actor: Actor, reason: str) -> None:
    """The expired request about the unchanged list is open for another day."""
    with transaction.atomic():
        asked = _signed_list(decision, _standing(decision))
        asked.refuse_change(since=decision.digest)
        asked.ask(maker=actor, reason=reason)
        audit.append("claims.ask_again", decision.subject, actor=actor, reason=reason)


def _standing(decision: ClaimDecision) -> QuerySet[FraudClaim]:
    return FraudClaim.objects.filter(decision=decision, state__in=FraudClaim.PROPOSED)


def decide(
    decision: ClaimDecision, *, actor: Actor, digest: str, reason: str, approve: bool = True
) -> int:
    """A second person has decided exactly the list of `digest`. Returns how many claims moved.

    Refused with `GuardNotMet` while another supervisor has not agreed with every claim of the
    sample. A confirmation is refused when a payment or a reversal has changed since then
    what the thief spent: the list is sent back and proposed again.

    After a confirmation every loss is the operator's (fraud loss to fraud suspense), the unspent
    part is clawed back, and each loss has its first route. After a rejection the holders may
    appeal. Without an approval the claims are under investigation again. Raises what
    `approvals.decide` raises, `SamePerson` also for anybody who worked on one of the claims (rule
    23), and `PlanChanged` when a claim left the list.
    """
    with transaction.atomic():
        rows = _standing(decision)
        ids = list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
        chosen = FraudClaim.objects.filter(pk__in=ids)
        if approve:
            lists.refuse_unreviewed(decision, ids, actor=actor)
        _signed_list(decision, chosen).decide(
            actor=actor, digest=digest, reason=reason, approve=approve
        )
        # Figures as of now wait for this transaction: it dates its losses now and commits later.
        locks.share(Lock.CLAIM_DECISIONS)
        at = clock.now()
        if not approve:
            moved = transition_set(chosen, "send_back", run=None, actor=actor, reason=reason)
        elif decision.verdict == ClaimDecision.Verdict.CONFIRM:
            losses.refuse_stale(ids, action=says("confirm {decision}", decision=decision))
            moved = _confirm(decision, chosen, at=at, actor=actor, reason=reason)
        else:
            moved = _reject(decision, chosen, at=at, actor=actor, reason=reason)
        audit.append(
            "claims.decide",
            decision.subject,
            actor=actor,
            reason=reason,
            approve=approve,
            verdict=decision.verdict,
            n=moved,
        )
        return moved


def _confirm(
    decision: ClaimDecision,
    claims: QuerySet[FraudClaim],
    *,
    at: dt.datetime,
    actor: Actor,
    reason: str,
) -> int:
    fresh = Loss.objects.filter(claim__in=claims, dropped_at=None, confirmed_at=None)
    named = list(fresh.order_by("pk"))
    _set_hit_at(claims)
    claims.filter(confirmed_at=None).update(confirmed_at=at)
    moved = _signed(claims, "confirm", decision, actor=actor, reason=reason)
    Loss.objects.filter(pk__in=[loss.pk for loss in named]).update(confirmed_at=at)
    total = sum(loss.amount_minor for loss in named)
    if total:
        posting.post(
            [
                (LedgerAccount.FRAUD_LOSS, None, -total),
                (LedgerAccount.FRAUD_SUSPENSE, None, total),
            ],
            source="claim_decision",
            source_id=decision.pk,
            kind="confirm",
            occurred_at=at,
            actor=actor,
        )
    holding.secure_by_fence()
    move_rows(FraudClaim, "start_remedies", list(claims.values_list("pk", flat=True)), actor=SYSTEM)
    chargebacks.open_first(named, at=at)
    # A reopened claim that is confirmed as it was has nothing more to wait for.
    slots.finish_claims(claims.values("pk"))
    holding.claw_back(claims, reason=reason)
    telling.decided(claims, confirmed=True)
    return moved


def _set_hit_at(claims: QuerySet[FraudClaim]) -> None:
    """Each claim has the instant of its earliest loss. A compromise without a date began at that
    instant or before.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE refunds_fraudclaim c SET hit_at = l.hit_at,
                compromised_from = least(c.compromised_from, l.hit_at)
            FROM (SELECT claim_id, min(hit_at) AS hit_at FROM refunds_loss
                WHERE dropped_at IS NULL GROUP BY 1) l
            WHERE l.claim_id = c.id AND c.id = ANY (%s)
            """,
            [list(claims.values_list("pk", flat=True))],
        )


def _reject(
    decision: ClaimDecision,
    claims: QuerySet[FraudClaim],
    *,
    at: dt.datetime,
    actor: Actor,
    reason: str,
) -> int:
    claims.update(rejected_at=at, appeal_until=at + APPEAL_FOR)
    moved = _signed(claims, "reject", decision, actor=actor, reason=reason)
    PaymentPayer.objects.filter(claim__in=claims, replaced_at=None).update(replaced_at=at)
    Loss.objects.filter(claim__in=claims, dropped_at=None, confirmed_at=None).update(
        dropped_at=at, drop_reason="the claim was rejected"
    )
    telling.decided(claims, confirmed=False)
    return moved


def _signed(
    claims: QuerySet[FraudClaim], name: str, decision: ClaimDecision, *, actor: Actor, reason: str
) -> int:
    try:
        with transaction.atomic():
            return transition_set(claims, name, run=None, actor=actor, reason=reason)
    except DatabaseError as refusal:
        if sqlstate_of(refusal) == SqlState.SAME_PERSON:
            raise SamePerson(actor=actor.pk, subject=decision.subject, part="analyst") from refusal
        raise


def _decided(said: approvals.Decided) -> object:
    return decide(
        ClaimDecision.objects.get(pk=int(said.key)),
        actor=said.actor,
        digest=said.digest,
        reason=said.reason,
        approve=said.approve,
    )


approvals.DECIDERS.add("claim_decision", _decided)
