"""Fraud claims: reported, worked on, proposed as a list, decided by a second person, appealed,
reopened."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum

from accounts.models import CredentialFence, User
from refunds import remedies
from refunds.models import ClaimDecision, FraudClaim, Issuer, Loss
from wallets.models import (
    FundingCard,
    Hold,
    LedgerAccount,
    Payment,
    TopUp,
    Wallet,
    WalletTransition,
)
from wallets.movements import posting, withholding
from winddown import clock, locks
from winddown.actors import SYSTEM, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, PlanChanged, SamePerson
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.machines.move import move_rows, transition_one, transition_set
from winddown.models import Approval

STAGE = "claims"
# The operator's own promise: nothing in law sets a time for the appeal against a rejected claim.
APPEAL_FOR = dt.timedelta(days=60)
FUNDING_OF_SOURCE = {
    "credit_card": Loss.Funding.CREDIT,
    "debit_card": Loss.Funding.DEBIT,
    "points": Loss.Funding.POINTS,
}


# --- report and work ------------------------------------------------------------------------------


def report(
    wallet_ids: Collection[int],
    *,
    actor: Any,
    reason: str,
    route: str = FraudClaim.Route.CUSTOMER,
    compromised_from: dt.datetime | None = None,
) -> list[FraudClaim]:
    """Each of the wallets has an open claim; returns those newly reported (signal S12).

    A wallet whose claim is open already keeps it, so a second report of the same wallet adds none.
    A holder reports the own wallet; for others it takes `refunds.report_claim`.
    """
    wallets = Wallet.objects.in_bulk(wallet_ids)
    if actor is not SYSTEM and any(wallet.account_id != actor.pk for wallet in wallets.values()):
        require(actor, "refunds.report_claim", action="report a claim")
    with transaction.atomic():
        at = clock.now()
        claimed = set(
            _open_claims().filter(wallet__in=wallet_ids).values_list("wallet_id", flat=True)
        )
        fresh = FraudClaim.objects.bulk_create(
            FraudClaim(
                wallet_id=wallet_id,
                state=FraudClaim.State.REPORTED,
                route=route,
                opened_at=at,
                compromised_from=compromised_from,
                evidence=[{"kind": "report", "by": actor.pk, "at": at.isoformat()}],
            )
            for wallet_id in sorted(set(wallets) - claimed)
        )
        if fresh:
            audit.append(
                "claims.report", "claims", actor=actor, reason=reason, n=len(fresh), route=route
            )
        return fresh


def _open_claims() -> QuerySet[FraudClaim]:
    return FraudClaim.objects.exclude(state__in=FraudClaim.SETTLED)


def take_up(claims: Iterable[FraudClaim], *, actor: Any, reason: str) -> int:
    """The claims are under investigation by `actor`; returns how many came in.

    Claims in other states are left alone. An appeal cannot come back to the analyst who proposed
    the rejection.
    """
    require(actor, "refunds.work_claim", action="take claims up")
    with transaction.atomic():
        ids = [claim.pk for claim in claims]
        rows = FraudClaim.objects.filter(pk__in=ids)
        same = rows.filter(state=FraudClaim.State.APPEALED, analyst=actor).first()
        if same is not None:
            raise SamePerson(actor=actor.pk, subject=same.subject, part="analyst")
        move_rows(FraudClaim, "take_up", ids, actor=actor, reason=reason)
        moved = move_rows(
            FraudClaim, "investigate", ids, actor=actor, reason=reason, analyst=actor.pk
        )
        if moved:
            audit.append("claims.take_up", "claims", actor=actor, reason=reason, n=moved)
        return moved


def name_losses(
    losses: Sequence[tuple[FraudClaim, TopUp | Payment]], *, actor: Any, reason: str
) -> list[Loss]:
    """Each movement is a loss of its claim, in full; returns those newly named.

    A movement that is a loss already is left alone. Raises `GuardNotMet` for a movement that no
    thief can make (a bonus, cash, a charge never posted), for one of another wallet, for a card of
    an issuer that is not configured, or when the claim is proposed or decided.
    """
    require(actor, "refunds.work_claim", action="name losses")
    with transaction.atomic():
        at = clock.now()
        issuers = {issuer.code: issuer for issuer in Issuer.objects.all()}
        cards = FundingCard.objects.in_bulk(
            {movement.card_id for _, movement in losses if isinstance(movement, TopUp)} - {None}
        )
        known = _already_lost(movement for _, movement in losses)
        fresh = []
        for claim, movement in losses:
            loss = _loss(claim, movement, issuers=issuers, cards=cards, actor=actor, at=at)
            earlier = known.get((type(movement), movement.pk))
            if earlier not in (None, claim.pk):
                raise GuardNotMet(
                    action=f"name {movement} a loss", why="it is one of another claim"
                )
            if earlier is None:
                fresh.append(loss)
        try:
            with transaction.atomic():
                made = Loss.objects.bulk_create(fresh)
        except DatabaseError as refusal:
            if getattr(refusal.__cause__, "sqlstate", None) == "WD037":
                raise GuardNotMet(
                    action="name losses", why=str(refusal.__cause__).splitlines()[0]
                ) from refusal
            raise
        if made:
            audit.append(
                "claims.name_losses",
                "claims",
                actor=actor,
                reason=reason,
                n=len(made),
                amount_minor=sum(loss.amount_minor for loss in made),
            )
        return made


def _already_lost(named: Iterable[TopUp | Payment]) -> dict[tuple[type, int], int]:
    """Claim by movement, for those of `named` that are losses already."""
    top_ups: list[int] = []
    payments: list[int] = []
    for movement in named:
        (top_ups if isinstance(movement, TopUp) else payments).append(movement.pk)
    lost = Loss.objects.filter(dropped_at=None)
    charged = lost.filter(top_up__in=top_ups).values_list("top_up_id", "claim_id")
    spent = lost.filter(payment__in=payments).values_list("payment_id", "claim_id")
    return {(TopUp, pk): claim for pk, claim in charged if pk} | {
        (Payment, pk): claim for pk, claim in spent if pk
    }


def _loss(
    claim: FraudClaim,
    movement: TopUp | Payment,
    *,
    issuers: dict[str, Issuer],
    cards: dict[int, FundingCard],
    actor: Any,
    at: dt.datetime,
) -> Loss:
    if movement.wallet_id != claim.wallet_id or movement.state != "posted":
        raise GuardNotMet(
            action=f"name {movement} a loss of {claim}",
            why="it is of another wallet or was never posted",
        )
    loss = Loss(claim=claim, added_by=actor, added_at=at, hit_at=movement.occurred_at)
    loss.amount_minor = movement.amount_minor
    if isinstance(movement, Payment):
        loss.payment, loss.funding = movement, Loss.Funding.OWN_BALANCE
        return loss
    funding = FUNDING_OF_SOURCE.get(movement.source)
    if funding is None:
        raise GuardNotMet(action=f"name {movement} a loss", why=f"it came from {movement.source}")
    loss.top_up, loss.funding = movement, funding
    if movement.card_id is not None:
        code = cards[movement.card_id].issuer_code
        loss.issuer = issuers.get(code)
        if loss.issuer is None:
            raise GuardNotMet(
                action=f"name {movement} a loss", why=f"issuer {code} is not configured"
            )
    return loss


def drop_loss(loss: Loss, *, actor: Any, reason: str) -> None:
    """The movement is not a loss after all; it may become one of this or another claim again."""
    require(actor, "refunds.work_claim", action="drop a loss")
    with transaction.atomic():
        changed = Loss.objects.filter(
            pk=loss.pk,
            dropped_at=None,
            confirmed_at=None,
            claim__state__in=FraudClaim.UNDER_WORK,
        ).update(dropped_at=clock.now(), drop_reason=reason)
        if not changed:
            raise GuardNotMet(action=f"drop {loss}", why="it is dropped, proposed or confirmed")
        audit.append("claims.drop_loss", f"claim:{loss.claim_id}", actor=actor, reason=reason)


def ask_customer(claims: Iterable[FraudClaim], *, actor: Any, reason: str) -> int:
    """The holders are asked which movements were not their own."""
    return _move(claims, "ask_customer", actor=actor, reason=reason)


def customer_answered(claims: Iterable[FraudClaim], *, actor: Any, reason: str) -> int:
    """The holders answered, and the investigation goes on."""
    return _move(claims, "resume", actor=actor, reason=reason)


def _move(claims: Iterable[FraudClaim], name: str, *, actor: Any, reason: str) -> int:
    edge = next(edge for edge in FraudClaim.edges() if edge.name == name)
    require(actor, edge.permission, by_system=edge.by_system, action=f"{name} claims")
    with transaction.atomic():
        moved = move_rows(
            FraudClaim, name, [claim.pk for claim in claims], actor=actor, reason=reason
        )
        if moved:
            audit.append(f"claims.{name}", "claims", actor=actor, reason=reason, n=moved)
        return moved


def expire(claims: Iterable[FraudClaim], *, actor: Any, reason: str) -> tuple[int, int]:
    """A supervisor let the suspicions drop, and what was held for them is spendable again; returns
    how many claims moved and how many holds ended. Raises what `release` raises.
    """
    with transaction.atomic():
        claims = list(claims)
        moved = _move(claims, "expire", actor=actor, reason=reason)
        return moved, release(claims, actor=actor, reason=reason)


def secure(*, at: dt.datetime, actor: Any, reason: str) -> int:
    """No thief can use any account compromised before `at` any more; returns how many claims say so
    for the first time.

    A payee that was set between the compromise and `at` stays suspect. A standing credential fence
    says the same for every claim that is confirmed after it.
    """
    require(actor, "refunds.work_claim", by_system=True, action="secure claims")
    with transaction.atomic():
        secured = FraudClaim.objects.filter(secured_at=None, compromised_from__lt=at).update(
            secured_at=at
        )
        if secured:
            audit.append("claims.secure", "claims", actor=actor, reason=reason, at=at, n=secured)
        return secured


def secure_by_fence() -> int:
    """Every claim whose compromise lies before the standing credential fence is secured by it;
    returns how many."""
    fence = CredentialFence.objects.filter(state=CredentialFence.State.STANDING).first()
    if fence is None:
        return 0
    return secure(at=fence.not_before, actor=SYSTEM, reason="credential fence")


# --- hold and release -----------------------------------------------------------------------------


def hold_candidates(
    claims: Iterable[FraudClaim], *, actor: Any, reason: str, whole: bool = False
) -> int:
    """What a thief may have left in the wallets cannot be spent; returns how many wallets were held
    now.

    The part hold covers the suspicious value that is still there and leaves clean value spendable.
    With `whole`, nothing moves in the wallet at all (rule 5). Wallets that hold nothing suspicious,
    or are held for the same claim already, are left alone; a second call holds none.
    """
    require(actor, "wallets.hold_wallet", by_system=True, action="hold candidates")
    chosen = [claim.pk for claim in claims]
    with transaction.atomic():
        if whole:
            wallets = Wallet.objects.filter(claims__in=chosen, state__in=Wallet.SPENDABLE)
            ids = list(wallets.values_list("pk", flat=True))
            held = move_rows(Wallet, "hold", ids, actor=actor, reason=reason)
        else:
            held, _ = withholding.hold_each(
                {
                    wallet_id: (amount_minor, _hold_reason(claim_id))
                    for claim_id, wallet_id, amount_minor in _tainted(chosen)
                },
                actor=actor,
            )
        if held:
            audit.append("claims.hold", "claims", actor=actor, reason=reason, n=held, whole=whole)
        return held


@dataclass(frozen=True, slots=True)
class HoldPlan:
    """What holding would keep from being spent now: how many claims are looked at, and of how many
    wallets how much.
    """

    claims: int
    wallets: int
    amount_minor: int


def plan_hold(claims: Iterable[FraudClaim], *, whole: bool = False) -> HoldPlan:
    """What `hold_candidates` would do to the claims at this moment; changes nothing."""
    chosen = [claim.pk for claim in claims]
    if whole:
        wallets = Wallet.objects.filter(claims__in=chosen, state__in=Wallet.SPENDABLE).distinct()
        said = wallets.aggregate(count=Count("pk"), amount=Sum("paid_minor"))
        return HoldPlan(len(chosen), said["count"], int(said["amount"] or 0))
    tainted = _tainted(chosen)
    wallets_held = {wallet_id for _, wallet_id, _ in tainted}
    amount_minor = int(sum(amount for _, _, amount in tainted))
    return HoldPlan(len(chosen), len(wallets_held), amount_minor)


def candidates() -> QuerySet[FraudClaim]:
    """The claims that nobody has looked at yet: named by the rules, or reported."""
    return FraudClaim.objects.filter(
        state__in=[FraudClaim.State.CANDIDATE, FraudClaim.State.REPORTED]
    ).order_by("pk")


def _hold_reason(claim_id: int) -> str:
    return f"claim:{claim_id}"


def _tainted(claim_ids: Collection[int]) -> list[tuple[int, int, int]]:
    """Claim, wallet and the unspent part of its fraudulent top-ups that is neither held nor clawed
    back yet.

    Value is taken to be spent in the order the thief would: every payment after the first
    fraudulent top-up spends it. Where no loss is named yet, the top-ups of the evidence stand for
    it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH named AS (
                SELECT l.claim_id, l.top_up_id FROM refunds_loss l
                WHERE l.claim_id = ANY (%(claims)s) AND l.dropped_at IS NULL
                    AND l.top_up_id IS NOT NULL
            ), suspected AS (
                SELECT h.claim_id, top_up.id::bigint AS top_up_id
                FROM refunds_rulehit h,
                    jsonb_array_elements_text(h.evidence->'top_ups') AS top_up (id)
                WHERE h.claim_id = ANY (%(claims)s)
                  AND NOT EXISTS (SELECT FROM named WHERE named.claim_id = h.claim_id)
                UNION SELECT * FROM named
            ), charged AS (
                SELECT s.claim_id, t.wallet_id, sum(t.amount_minor) AS amount_minor,
                    min(t.occurred_at) AS since
                FROM suspected s JOIN wallets_topup t ON t.id = s.top_up_id
                    AND t.state = 'posted' GROUP BY 1, 2
            )
            SELECT c.claim_id, c.wallet_id, least(
                c.amount_minor
                - (SELECT coalesce(sum(p.paid_part_minor), 0)
                    FROM wallets_payment p WHERE p.wallet_id = c.wallet_id
                   AND p.state IN ('posted', 'authorised') AND p.occurred_at >= c.since)
                - (SELECT coalesce(sum(h.amount_minor), 0) FROM wallets_hold h
                    WHERE h.wallet_id = c.wallet_id
                   AND h.state IN ('active', 'taken') AND h.reason = 'claim:' || c.claim_id),
                w.paid_minor - w.held_minor)
            FROM charged c JOIN wallets_wallet w ON w.id = c.wallet_id
            ORDER BY c.wallet_id
            """,
            {"claims": list(claim_ids)},
        )
        return [row for row in cursor.fetchall() if row[2] > 0]


def release(claims: Iterable[FraudClaim], *, actor: Any, reason: str) -> int:
    """What was held for the claims is spendable again, unless it was clawed back; returns how many
    holds ended.

    A whole-wallet hold ends in the state that the freeze of charges asks for. Whoever held a wallet
    does not release it: `SamePerson`, and nothing is released.
    """
    require(actor, "wallets.release_wallet", action="release wallets")
    chosen = list(claims)
    with transaction.atomic():
        holds = _active_holds([claim.pk for claim in chosen])
        wallets = Wallet.objects.filter(
            pk__in=[claim.wallet_id for claim in chosen], state=Wallet.State.HELD
        ).exclude(claims__in=_open_claims().exclude(pk__in=[claim.pk for claim in chosen]))
        _require_another_than_held(holds, wallets, actor=actor)
        ended = 0
        for hold in holds:
            withholding.release(hold, actor=actor, reason=reason)
            ended += 1
        ids = list(wallets.values_list("pk", flat=True))
        name = "release_frozen" if _charges_frozen() else "release"
        ended += move_rows(Wallet, name, ids, actor=actor, reason=reason)
        if ended:
            audit.append("claims.release", "claims", actor=actor, reason=reason, n=ended)
        return ended


def _require_another_than_held(
    holds: QuerySet[Hold], wallets: QuerySet[Wallet], *, actor: Any
) -> None:
    same_person = list(
        User.objects.filter(staff_number=actor.staff_number).values_list("pk", flat=True)
    )
    held = holds.filter(held_by__in=same_person).values_list("wallet_id", flat=True).first()
    if held is None:
        last = WalletTransition.objects.filter(subject_id=OuterRef("pk"), transition="hold")
        last_holder = Subquery(last.order_by("-pk").values("actor_id")[:1])
        whole = wallets.annotate(last_holder=last_holder).filter(last_holder__in=same_person)
        held = whole.values_list("pk", flat=True).first()
    if held is not None:
        raise SamePerson(actor=actor.pk, subject=f"wallet:{held}", part="holder")


def _charges_frozen() -> bool:
    return Wallet.objects.filter(state=Wallet.State.CHARGE_FROZEN).exists()


def claw_back(claims: Iterable[FraudClaim], *, actor: Any = SYSTEM, reason: str = "") -> int:
    """The unspent part of every confirmed fraudulent top-up has left its wallet and lowers the
    operator's loss; returns the amount (rule 22).

    A hold of the suspicion is replaced by one of exactly what was confirmed. A second call takes
    only what became free since, so it is repeated before the balances are sealed.
    """
    with transaction.atomic():
        chosen = list(
            FraudClaim.objects.filter(
                pk__in=[claim.pk for claim in claims], state__in=FraudClaim.ACCEPTED
            ).values_list("pk", flat=True)
        )
        for hold in _active_holds(chosen):
            # Not the actor's decision: it is held again, or taken, in the same commit.
            withholding.release(hold, actor=SYSTEM, reason=reason)
        taken = 0
        for claim_id, wallet_id, amount_minor in _tainted(chosen):
            hold = withholding.hold(
                wallet_id, amount_minor=amount_minor, reason=_hold_reason(claim_id), actor=actor
            )
            withholding.claw_back(hold, actor=actor, reason=reason)
            taken += amount_minor
        if taken:
            audit.append("claims.claw_back", "claims", actor=actor, amount_minor=taken)
        return taken


def _active_holds(claim_ids: Collection[int]) -> QuerySet[Hold]:
    return Hold.objects.filter(
        state=Hold.State.ACTIVE, reason__in=[_hold_reason(claim_id) for claim_id in claim_ids]
    ).order_by("wallet_id", "pk")


# --- decide ---------------------------------------------------------------------------------------


def propose(
    claims: Iterable[FraudClaim],
    *,
    verdict: str,
    actor: Any,
    reason: str,
    rejection: str = "",
    note: str = "",
    evidence: Sequence[dict[str, Any]] = (),
) -> ClaimDecision:
    """The claims stand proposed as one list, and a second person is asked about its digest over ids
    and amounts.

    All must be under investigation. A confirmation needs at least one loss per claim, a rejection
    its reason; what was looked at (rule hits, losses, `evidence`) is stored with each claim. Raises
    `GuardNotMet`.
    """
    require(actor, "refunds.work_claim", action="propose a decision")
    ids = sorted(claim.pk for claim in claims)
    if not 0 < len(ids) <= ClaimDecision.CLAIMS_MAX:
        raise GuardNotMet(
            action="propose a decision", why=f"a list holds 1 to {ClaimDecision.CLAIMS_MAX} claims"
        )
    confirm = verdict == ClaimDecision.Verdict.CONFIRM
    if not confirm and not rejection:
        raise GuardNotMet(action="propose a rejection", why="it needs its reason code")
    with transaction.atomic():
        rows = FraudClaim.objects.filter(pk__in=ids)
        list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk"))
        _gather_evidence(ids, list(evidence))
        if not confirm:
            rows.update(rejection=rejection, rejection_note=note)
        content = _content(verdict, rows)
        decision = ClaimDecision.objects.create(
            verdict=verdict,
            maker=actor,
            digest=approvals.digest_of(content),
            claims_count=len(ids),
            amount_minor=sum(content["claims"].values()),
            proposed_at=clock.now(),
        )
        rows.update(decision=decision, analyst=actor)
        moved = transition_set(rows, f"propose_{verdict}", run=None, actor=actor, reason=reason)
        if moved != len(ids):
            raise GuardNotMet(
                action="propose a decision",
                why=f"{len(ids) - moved} of {len(ids)} claims are not under investigation, or"
                " lack a loss or evidence",
            )
        approvals.ask(
            decision.subject,
            stage=STAGE,
            content=content,
            permission="refunds.decide_claim",
            maker=actor,
            reason=reason,
        )
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


def _content(verdict: str, rows: QuerySet[FraudClaim]) -> dict[str, Any]:
    """What is signed: the verdict, and every claim with the sum of its losses."""
    sums = rows.order_by("pk").annotate(
        lost=Sum("losses__amount_minor", filter=Q(losses__dropped_at=None))
    )
    return {
        "verdict": str(verdict),
        "claims": {str(pk): lost or 0 for pk, lost in sums.values_list("pk", "lost")},
    }


def _gather_evidence(claim_ids: Collection[int], added: list[dict[str, Any]]) -> None:
    """Rule hits, losses and what the analyst adds are evidence, beside what was there."""
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


def ask_again(decision: ClaimDecision, *, actor: Any, reason: str) -> None:
    """The expired request for the unchanged list stands anew for another day."""
    with transaction.atomic():
        content = _content(decision.verdict, _standing(decision))
        if approvals.digest_of(content) != decision.digest:
            raise PlanChanged(
                subject=decision.subject,
                approved=decision.digest[:12],
                now=approvals.digest_of(content)[:12],
            )
        approvals.ask(
            decision.subject,
            stage=STAGE,
            content=content,
            permission="refunds.decide_claim",
            maker=actor,
            reason=reason,
        )
        audit.append("claims.ask_again", decision.subject, actor=actor, reason=reason)


def _standing(decision: ClaimDecision) -> QuerySet[FraudClaim]:
    return FraudClaim.objects.filter(
        decision=decision, state__in=["proposed_confirm", "proposed_reject"]
    )


def decide(
    decision: ClaimDecision, *, actor: Any, digest: str, reason: str, approve: bool = True
) -> int:
    """A second person has decided exactly the list of `digest`; returns how many claims moved.

    Confirmed: every loss is the operator's (fraud loss to fraud suspense), what is unspent is
    clawed back, and each loss is on its first road. Rejected: the holders may appeal. Not approved:
    the claims are under investigation again. Raises what `approvals.decide` raises, `SamePerson`
    also for anybody who worked on one of the claims (rule 23), and `PlanChanged` when a claim left
    the list.
    """
    with transaction.atomic():
        approvals.decide(
            decision.subject,
            stage=STAGE,
            actor=actor,
            digest=digest,
            reason=reason,
            approve=approve,
        )
        rows = _standing(decision)
        ids = list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
        chosen = FraudClaim.objects.filter(pk__in=ids)
        now = approvals.digest_of(_content(decision.verdict, chosen))
        if now != digest:
            raise PlanChanged(subject=decision.subject, approved=digest[:12], now=now[:12])
        # A figure as of now waits for this transaction: it dates its losses now, commits later.
        locks.share(Lock.CLAIM_DECISIONS)
        at = clock.now()
        if not approve:
            moved = transition_set(chosen, "send_back", run=None, actor=actor, reason=reason)
        elif decision.verdict == ClaimDecision.Verdict.CONFIRM:
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
    actor: Any,
    reason: str,
) -> int:
    fresh = Loss.objects.filter(claim__in=claims, dropped_at=None, confirmed_at=None)
    losses = list(fresh.order_by("pk"))
    _set_hit_at(claims)
    claims.filter(confirmed_at=None).update(confirmed_at=at)
    moved = _signed(claims, "confirm", decision, actor=actor, reason=reason)
    Loss.objects.filter(pk__in=[loss.pk for loss in losses]).update(confirmed_at=at)
    total = sum(loss.amount_minor for loss in losses)
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
    secure_by_fence()
    move_rows(FraudClaim, "start_remedies", list(claims.values_list("pk", flat=True)), actor=SYSTEM)
    remedies.open_first(losses, at=at)
    claw_back(claims, reason=reason)
    return moved


def _set_hit_at(claims: QuerySet[FraudClaim]) -> None:
    """Each claim knows its earliest loss; a compromise nobody dated began by then."""
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
    actor: Any,
    reason: str,
) -> int:
    claims.update(rejected_at=at, appeal_until=at + APPEAL_FOR)
    moved = _signed(claims, "reject", decision, actor=actor, reason=reason)
    Loss.objects.filter(claim__in=claims, dropped_at=None, confirmed_at=None).update(
        dropped_at=at, drop_reason="the claim was rejected"
    )
    return moved


def _signed(
    claims: QuerySet[FraudClaim], name: str, decision: ClaimDecision, *, actor: Any, reason: str
) -> int:
    try:
        with transaction.atomic():
            return transition_set(claims, name, run=None, actor=actor, reason=reason)
    except DatabaseError as refusal:
        if getattr(refusal.__cause__, "sqlstate", None) == "WD034":
            raise SamePerson(actor=actor.pk, subject=decision.subject, part="analyst") from refusal
        raise


# --- after the decision ---------------------------------------------------------------------------


def appeal(claim: FraudClaim, *, actor: Any, reason: str) -> FraudClaim:
    """The rejection is contested and waits for another analyst (rule 24).

    The holder appeals the own claim; for others it takes `refunds.report_claim`. Raises
    `GuardNotMet` after the appeal deadline.
    """
    at = clock.now()
    if claim.appeal_until is not None and at >= claim.appeal_until:
        raise GuardNotMet(
            action=f"appeal {claim}", why=f"the deadline was {claim.appeal_until.isoformat()}"
        )
    own = actor is not SYSTEM and claim.wallet.account_id == actor.pk
    with transaction.atomic():
        done = transition_one(claim, "appeal", actor=SYSTEM if own else actor, reason=reason)
        audit.append("claims.appeal", claim.subject, actor=actor, reason=reason)
        return done


def let_rest(*, actor: Any = SYSTEM) -> int:
    """Rejected claims whose appeal deadline passed are closed; returns how many."""
    with transaction.atomic():
        over = FraudClaim.objects.filter(
            state=FraudClaim.State.REJECTED, appeal_until__lte=clock.now()
        )
        moved = transition_set(over, "let_rest", run=None, actor=actor)
        if moved:
            audit.append("claims.let_rest", "claims", actor=actor, n=moved)
        return moved


def close(claims: Iterable[FraudClaim], *, actor: Any, reason: str) -> int:
    """Remedied claims are closed."""
    return _move(claims, "close", actor=actor, reason=reason)


def request_reopening(claim: FraudClaim, *, actor: Any, reason: str) -> Approval:
    """A first person asks to look at the remedied claim again."""
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


def reopen(asked: Approval, *, actor: Any, reason: str) -> FraudClaim:
    """The remedied claim is open again because a second person agreed; what was remedied stays so
    (rule 27)."""
    with transaction.atomic():
        approvals.decide(
            asked.subject, stage="reopen", actor=actor, digest=asked.digest, reason=reason
        )
        claim = FraudClaim.objects.get(pk=asked.summary["reopen"])
        claim = transition_one(claim, "reopen", actor=actor, reason=reason, reopening=asked)
        audit.append("claims.reopen", claim.subject, actor=actor, reason=reason)
        return claim


def _decided(said: approvals.Decided) -> object:
    return decide(
        ClaimDecision.objects.get(pk=int(said.key)),
        actor=said.actor,
        digest=said.digest,
        reason=said.reason,
        approve=said.approve,
    )


approvals.DECIDERS["claim_decision"] = _decided
