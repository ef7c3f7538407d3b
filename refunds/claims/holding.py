"""The value that a thief may have charged is held, released, or clawed back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum

from accounts.models import CredentialFence, User
from refunds.attribution import claim_rules
from refunds.attribution.wallet_traces import wallet_traces
from refunds.models import FraudClaim, Loss
from wallets.models import Hold, HoldTransition, Wallet, WalletTransition
from wallets.movements import spending, withholding
from wallets.workflows import shut_down_by_deadline
from winddown.actors import SYSTEM, Actor, require
from winddown.errors import GuardNotMet, SamePerson, says
from winddown.evidence import audit
from winddown.evidence.invariants import SHOWN_MAX
from winddown.machines.move import move_rows


def secure(*, at: dt.datetime, actor: Actor, reason: str) -> int:
    """Every account that was compromised before `at` counts as secured: no thief can use it any
    more.

    Returns how many claims were not secured before. A payee that was set between the compromise and
    `at` stays suspicious. A standing credential fence secures every claim that is confirmed after
    it.
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


def hold_candidates(
    claims: Iterable[FraudClaim], *, actor: Actor, reason: str, whole: bool = False
) -> int:
    """The value that a thief may have left in the wallets cannot be spent. Returns how many wallets
    were held now.

    Only the suspicious value that is still there is held; the rest can be spent. With `whole`,
    nothing moves in the wallet at all (rule 5). A wallet without suspicious value, or one that is
    held for the same claim already, is left alone. A second call holds none.
    """
    require(actor, "wallets.hold_wallet", action="hold candidates")
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
                    for claim_id, wallet_id, amount_minor in tainted(chosen)
                },
                actor=actor,
            )
        if held:
            audit.append("claims.hold", "claims", actor=actor, reason=reason, n=held, whole=whole)
        return held


@dataclass(frozen=True, slots=True)
class HoldPlan:
    """What a hold would hold now: the amount, the number of wallets, and the number of claims."""

    claims: int
    wallets: int
    amount_minor: int


def plan_hold(claims: Iterable[FraudClaim], *, whole: bool = False) -> HoldPlan:
    """Returns what `hold_candidates` would do to the claims at this moment."""
    chosen = [claim.pk for claim in claims]
    if whole:
        wallets = Wallet.objects.filter(claims__in=chosen, state__in=Wallet.SPENDABLE).distinct()
        said = wallets.aggregate(count=Count("pk"), amount=Sum("paid_minor"))
        return HoldPlan(len(chosen), said["count"], int(said["amount"] or 0))
    parts = tainted(chosen)
    wallets_held = {wallet_id for _, wallet_id, _ in parts}
    amount_minor = int(sum(amount for _, _, amount in parts))
    return HoldPlan(len(chosen), len(wallets_held), amount_minor)


def candidates() -> QuerySet[FraudClaim]:
    """Returns the claims that nobody has taken up yet, which are those that the rules found or
    somebody reported.
    """
    return FraudClaim.objects.filter(state__in=FraudClaim.CANDIDATES).order_by("pk")


def _hold_reason(claim_id: int) -> str:
    return f"claim:{claim_id}"


@dataclass(frozen=True, slots=True)
class Taint:
    """What is in the wallet of a claim, in minor units: free paid value, what is held for the claim,
    and what is not the holder's, held or not.
    """

    claim_id: int
    wallet_id: int
    free_minor: int
    held_minor: int
    left_minor: int

    @property
    def more_minor(self) -> int:
        """Returns what could be held or taken beside what is held already."""
        return max(0, min(self.left_minor - self.held_minor, self.free_minor))


def tainted(claim_ids: Collection[int]) -> list[tuple[int, int, int]]:
    """Returns claim, wallet, and the value in the wallet that is not the holder's, is neither held
    for the claim nor clawed back yet, and is free; only wallets with such a value.
    """
    return [
        (each.claim_id, each.wallet_id, each.more_minor)
        for each in _taints(claim_ids)
        if each.more_minor
    ]


def _taints(claim_ids: Collection[int]) -> list[Taint]:
    """Returns what is in the wallets of the claims, in the order of the wallets.

    Not the holder's is what is left of the thief's charges, and own value that came back although a
    confirmed loss makes it good already. While a claim is undecided, what rules suspect counts as
    charged by the thief until somebody drops it.
    """
    policy = claim_rules.tracing_policy()
    undecided = set(
        FraudClaim.objects.filter(pk__in=claim_ids, state__in=FraudClaim.UNDECIDED).values_list(
            "pk", flat=True
        )
    )
    traces = wallet_traces(undecided, policy=policy, suspected=True)
    traces |= wallet_traces(set(claim_ids) - undecided, policy=policy)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.id, c.wallet_id, w.paid_minor - w.held_minor,
                (SELECT coalesce(sum(h.amount_minor), 0) FROM wallets_hold h
                    WHERE h.wallet_id = c.wallet_id
                   AND h.state = ANY (%(keeping)s) AND h.reason = 'claim:' || c.id),
                (SELECT coalesce(sum(l.amount_minor), 0) FROM refunds_loss l
                    WHERE l.claim_id = c.id AND l.funding = %(own)s
                   AND l.confirmed_at IS NOT NULL)
            FROM refunds_fraudclaim c JOIN wallets_wallet w ON w.id = c.wallet_id
            WHERE c.id = ANY (%(claims)s)
            ORDER BY c.wallet_id, c.id
            """,
            {
                "claims": list(claim_ids),
                "keeping": list(Hold.KEEPING),
                "own": Loss.Funding.OWN_BALANCE,
            },
        )
        found = []
        for claim_id, wallet_id, free, held, made_good in cursor.fetchall():
            if claim_id in traces:
                paid = traces[claim_id].paid
                twice = max(0, made_good - paid.own_spent_minor - paid.own_taken_minor)
                left = paid.thief_left_minor + twice
                found.append(Taint(claim_id, wallet_id, int(free), int(held), int(left)))
        return found


def follow(wallet_ids: Collection[int], *, begin: bool = False) -> None:
    """What is held for claims, and what was clawed back, is what the ledger and the analysts say now.

    Of a claim that two people found true, everything that is not the holder's is taken. Of an
    undecided one exactly that is held, more or less than before, if something was held for it; with
    `begin` also if nothing was. A hold that a person released stays released. A second call changes
    nothing. Raises `GuardNotMet` with the wallet whose journals do
    not follow from one another.
    """
    with transaction.atomic():
        _lock(wallet_ids)
        true = list(FraudClaim.objects.found_true().filter(wallet__in=wallet_ids))
        if true:
            claw_back(true, reason="the ledger moved on")
        undecided = FraudClaim.objects.filter(
            wallet__in=wallet_ids, state__in=FraudClaim.UNDECIDED
        ).values_list("pk", flat=True)
        taints = _taints(list(undecided))
        for each in _to_follow(taints, begin=begin):
            _hold_exactly(each)


def _to_follow(taints: Sequence[Taint], *, begin: bool) -> list[Taint]:
    """Returns those of claims that have a hold, or may get one. What a person released is not held
    again.
    """
    last = {
        hold.reason: hold
        for hold in Hold.objects.filter(
            wallet__in=[each.wallet_id for each in taints],
            reason__in=[_hold_reason(each.claim_id) for each in taints],
        ).order_by("pk")
    }
    over = [hold.pk for hold in last.values() if hold.state in Hold.SPENDABLE_AGAIN]
    by_people = set(
        HoldTransition.objects.filter(subject_id__in=over, actor_id__isnull=False).values_list(
            "subject_id", flat=True
        )
    )
    return [
        each
        for each in taints
        if ((hold := last.get(_hold_reason(each.claim_id))) is None and begin)
        or (hold is not None and hold.pk not in by_people)
    ]


def _hold_exactly(found: Taint) -> None:
    wanted = min(found.left_minor, found.held_minor + found.free_minor)
    if wanted == found.held_minor:
        return
    by: Actor | None = None
    reason = _hold_reason(found.claim_id)
    if wanted < found.held_minor:
        # The rest is held by whoever held the whole, who may therefore not release it.
        for hold in _active_holds([found.claim_id]):
            by = by or hold.held_by
            withholding.release(hold, actor=SYSTEM, reason="less of it is the thief's")
    more = wanted - (0 if wanted < found.held_minor else found.held_minor)
    if more:
        withholding.hold(found.wallet_id, amount_minor=more, reason=reason, actor=by or SYSTEM)


def _lock(wallet_ids: Collection[int]) -> None:
    """Nothing moves in the wallets until this transaction ends."""
    list(
        Wallet.objects.filter(pk__in=wallet_ids)
        .order_by("pk")
        .select_for_update(no_key=True)
        .values_list("pk")
    )


def _of_claims(wallets: Q) -> list[int]:
    """Returns the wallets among those with a claim that may have something to hold or to take."""
    found = FraudClaim.objects.found_true() | FraudClaim.objects.filter(
        state__in=FraudClaim.UNDECIDED
    )
    return sorted(
        set(found.filter(wallets, wallet__paid_minor__gt=0).values_list("wallet", flat=True))
    )


def before_sealing(first_id: int, last_id: int) -> None:
    """Nobody's closing balance among these wallets has a thief's value that nothing holds (rule 22).
    Raises what `follow` raises.
    """
    wallets = _of_claims(Q(wallet__gte=first_id, wallet__lte=last_id))
    if wallets:
        follow(wallets, begin=True)


def not_taken_back() -> list[str]:
    """Returns a sentence for each claim, at most a few, that two people found true and whose wallet
    has a thief's value that was not taken.
    """
    free = FraudClaim.objects.found_true().filter(wallet__paid_minor__gt=F("wallet__held_minor"))
    found = []
    for claim_id, wallet_id, amount_minor in tainted(list(free.values_list("pk", flat=True))):
        claim = FraudClaim(pk=claim_id)
        found.append(
            f"claim {claim.reference}: {amount_minor} of the thief's value is in wallet {wallet_id}"
        )
    return found[:SHOWN_MAX]


def release(claims: Iterable[FraudClaim], *, actor: Actor, reason: str) -> int:
    """The value that was held for the claims can be spent again, unless it was clawed back. Returns
    how many holds ended.

    A wallet that was held whole is active again, or charge-frozen while charges are frozen. Raises
    `GuardNotMet`, and releases nothing, for a claim that was neither rejected nor let drop, and
    `SamePerson` if `actor` held one of the wallets.
    """
    require(actor, "wallets.release_wallet", action="release wallets")
    chosen = list(claims)
    with transaction.atomic():
        _require_dismissed([claim.pk for claim in chosen])
        holds = _active_holds([claim.pk for claim in chosen])
        wallets = Wallet.objects.filter(
            pk__in=[claim.wallet_id for claim in chosen], state=Wallet.State.HELD
        ).exclude(
            claims__in=FraudClaim.objects.filter(state__in=FraudClaim.OPEN).exclude(
                pk__in=[claim.pk for claim in chosen]
            )
        )
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
            # What is free again may be another claim's.
            follow({claim.wallet_id for claim in chosen})
        return ended


def _require_dismissed(claim_ids: Collection[int]) -> None:
    # A rejection that became final is closed, as is a confirmed claim; only the latter is not over.
    dismissed = Q(state__in=FraudClaim.DISMISSED) | Q(
        state=FraudClaim.State.CLOSED, confirmed_at=None
    )
    chosen = FraudClaim.objects.filter(pk__in=claim_ids)
    other = chosen.exclude(dismissed).order_by("pk").first()
    if other is not None:
        raise GuardNotMet(
            action=says("release what was held for {claim}", claim=other),
            why=says("it was neither rejected nor let drop"),
        )


def _require_another_than_held(
    holds: QuerySet[Hold], wallets: QuerySet[Wallet], *, actor: Actor
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


def claw_back(claims: Iterable[FraudClaim], *, actor: Actor = SYSTEM, reason: str = "") -> int:
    """The unspent part of every confirmed fraudulent top-up has left its wallet, and the operator's
    loss is that much less (rule 22). Returns the amount.

    The holds on suspicion are released first, and then exactly the confirmed value is taken. A
    second call takes only what became free since the first; `follow` makes it whenever value came
    back, and before the balances are sealed.
    """
    with transaction.atomic():
        chosen = list(
            FraudClaim.objects.found_true()
            .filter(pk__in=[claim.pk for claim in claims])
            .values_list("pk", flat=True)
        )
        _lock(FraudClaim.objects.filter(pk__in=chosen).values_list("wallet", flat=True))
        for hold in _active_holds(chosen):
            # The system acts, because nobody decided this: the value is held again, or taken, in
            # this commit.
            withholding.release(hold, actor=SYSTEM, reason=reason)
        taken = 0
        for claim_id, wallet_id, amount_minor in tainted(chosen):
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
        state__in=Hold.KEEPING, reason__in=[_hold_reason(claim_id) for claim_id in claim_ids]
    ).order_by("wallet_id", "pk")


spending.CAME_BACK.add("fraud claims", lambda wallet_id: follow([wallet_id]))
shut_down_by_deadline.SEALING.add(
    "claw-backs", shut_down_by_deadline.BeforeSealing(before_sealing, not_taken_back)
)
