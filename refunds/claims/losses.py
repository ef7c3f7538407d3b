"""The losses of a claim: what the thief charged, and which part of the thief's payments came out of
the holder's own value."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence

from django.db import DatabaseError, transaction

from refunds.attribution import claim_rules
from refunds.attribution.wallet_traces import FUNDING_OF_KIND, wallet_traces
from refunds.claims import holding, makers
from refunds.models import FraudClaim, Issuer, Loss, PaymentPayer
from wallets.models import FundingCard, Payment, TopUp
from winddown import clock
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, Saying, says
from winddown.evidence import audit
from winddown.models import FundingSource
from winddown.sqlstates import SqlState, sqlstate_of

# The states of a movement that happened and was not undone.
_DONE = {TopUp: TopUp.CHARGED, Payment: Payment.TAKEN}


def name_losses(
    losses: Sequence[tuple[FraudClaim, TopUp | Payment]], *, actor: Actor, reason: str
) -> list[Loss]:
    """The thief made each of the movements. Returns the losses that are new.

    The whole of a top-up is a loss. Of a payment only the part is one that took the holder's own
    value: what took the thief's charges is a loss already. A movement that the thief is known to
    have made is left alone. Raises `GuardNotMet` for a movement that no thief can make (a bonus,
    cash, a charge that did not stay), for one of another wallet or claim, for a card of an issuer
    that is not configured, or when the claim is proposed or decided.
    """
    require(actor, "refunds.work_claim", action="name losses")
    with transaction.atomic():
        makers.refuse_earlier({claim.pk for claim, _ in losses}, actor=actor)
        at = clock.now()
        charged = [(claim, each) for claim, each in losses if isinstance(each, TopUp)]
        fresh = _charges(charged, actor=actor, at=at)
        made = _stored(fresh)
        _name_payers(
            [(claim, each) for claim, each in losses if isinstance(each, Payment)],
            PaymentPayer.Payer.THIEF,
            actor=actor,
            at=at,
        )
        made += retrace({claim.pk for claim, _ in losses}, actor=actor)
        holding.follow({claim.wallet_id for claim, _ in losses})
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


def name_payers(
    payments: Sequence[tuple[FraudClaim, Payment]], payer: str, *, actor: Actor, reason: str
) -> list[Loss]:
    """Each payment was made by `payer`, and the losses of the claims follow. Returns the losses that
    are new.

    Another answer replaces the earlier one, which stays on record. Raises `GuardNotMet` as
    `name_losses` does.
    """
    require(actor, "refunds.work_claim", action="name who paid")
    with transaction.atomic():
        makers.refuse_earlier({claim.pk for claim, _ in payments}, actor=actor)
        named = _name_payers(payments, payer, actor=actor, at=clock.now())
        made = retrace({claim.pk for claim, _ in payments}, actor=actor)
        holding.follow({claim.wallet_id for claim, _ in payments})
        if named:
            audit.append(
                "claims.name_payers",
                "claims",
                actor=actor,
                reason=reason,
                n=named,
                payer=str(payer),
                losses=len(made),
            )
        return made


def take_word(disputed: Sequence[TopUp | Payment], *, actor: Actor, reason: str) -> None:
    """The movements that the holder disputes are the thief's, and the wallet's payments since the
    first of them that nobody else is known to have made are the holder's.

    An analyst may say otherwise. The caller has a right to report for these wallets. Raises
    `GuardNotMet` as `name_losses` does, and for a wallet without a claim under work.
    """
    claims = {
        claim.wallet_id: claim
        for claim in FraudClaim.objects.filter(
            wallet__in=[each.wallet_id for each in disputed], state__in=FraudClaim.UNDER_WORK
        )
    }
    for each in disputed:
        if each.wallet_id not in claims:
            raise GuardNotMet(
                action=says("dispute {movement}", movement=each),
                why=says("its wallet has no claim under work"),
            )
    at = clock.now()
    charged = [(claims[each.wallet_id], each) for each in disputed if isinstance(each, TopUp)]
    _stored(_charges(charged, actor=actor, at=at))
    paid = [(claims[each.wallet_id], each) for each in disputed if isinstance(each, Payment)]
    _name_payers(paid, PaymentPayer.Payer.THIEF, actor=actor, at=at)
    others = []
    for wallet_id, claim in claims.items():
        first = min(each.occurred_at for each in disputed if each.wallet_id == wallet_id)
        own = Payment.objects.filter(
            wallet=wallet_id, state__in=Payment.TAKEN, occurred_at__gte=first
        ).exclude(pk__in=PaymentPayer.objects.filter(replaced_at=None).values("payment"))
        others += [(claim, each) for each in own.order_by("pk")]
    _name_payers(others, PaymentPayer.Payer.HOLDER, actor=actor, at=at)
    retrace([claim.pk for claim in claims.values()], actor=actor)
    for claim in claims.values():
        audit.append("claims.dispute", claim.subject, actor=actor, reason=reason, n=len(disputed))


def retrace(claim_ids: Collection[int], *, actor: Actor) -> list[Loss]:
    """The losses by payment say what the thief spent of the holder's own value as the ledger shows
    it now. Returns the losses that are new.

    Lines that no longer hold are dropped. Claims that are proposed or decided keep what was signed.
    """
    ids = list(
        FraudClaim.objects.filter(pk__in=claim_ids, state__in=FraudClaim.UNDER_WORK)
        .order_by("pk")
        .select_for_update(no_key=True)
        .values_list("pk", flat=True)
    )
    at = clock.now()
    terms = claim_rules.in_force()
    wanted = {(line.payment_id, line.funding): line for line in spent_lines(ids)}
    for line in wanted.values():
        line.added_by_id, line.added_at, line.terms = actor.pk, at, terms
    over = []
    for line in Loss.objects.filter(claim__in=ids, payment__isnull=False, dropped_at=None).order_by(
        "confirmed_at", "pk"
    ):
        key = (line.payment_id, line.funding)
        same = wanted.get(key)
        if line.confirmed_at is not None:
            if same is not None and _less(same, line.amount_minor) == 0:
                del wanted[key]
        elif same is not None and _says_the_same(line, same):
            del wanted[key]
        else:
            over.append(line.pk)
    Loss.objects.filter(pk__in=over).update(
        dropped_at=at, dropped_by=actor.pk, drop_reason="traced anew"
    )
    return _stored(list(wanted.values()))


def refuse_stale(claim_ids: Collection[int], *, action: Saying) -> None:
    """Raises `GuardNotMet` if the losses of one of the proposed claims are not what the ledger shows
    now.
    """
    signed: dict[tuple[int, int | None, str], int] = defaultdict(int)
    for line in Loss.objects.filter(claim__in=claim_ids, payment__isnull=False, dropped_at=None):
        signed[line.claim_id, line.payment_id, line.funding] += line.amount_minor
    now = {
        (line.claim_id, line.payment_id, line.funding): line.amount_minor
        for line in spent_lines(claim_ids)
    }
    stale = sorted(
        {key[0] for key in signed.keys() ^ now.keys()}
        | {key[0] for key in signed.keys() & now.keys() if signed[key] != now[key]}
    )
    if stale:
        raise GuardNotMet(
            action=action,
            why=says("claim {claim} moved money since it was proposed", claim=stale[0]),
        )


def spent_lines(claim_ids: Collection[int]) -> list[Loss]:
    """Returns, unsaved, what the thief spent of the holders' own value, one line for each payment
    and kind of value.
    """
    policy = claim_rules.tracing_policy()
    lines = []
    for claim_id, traced in wallet_traces(claim_ids, policy=policy).items():
        for funding, part in (
            (Loss.Funding.OWN_BALANCE, traced.paid),
            (Loss.Funding.BONUS, traced.bonus),
        ):
            for key, portions in part.own_spent.items():
                lines.append(
                    Loss(
                        claim_id=claim_id,
                        payment_id=int(key.removeprefix("payment:")),
                        funding=funding,
                        amount_minor=sum(each.amount_minor for each in portions),
                        sources=[
                            {"lot": each.lot, "amount_minor": each.amount_minor}
                            for each in portions
                        ],
                        tracing=policy.value,
                    )
                )
    happened = dict(
        Payment.objects.filter(pk__in=[line.payment_id for line in lines]).values_list(
            "pk", "occurred_at"
        )
    )
    for line in lines:
        line.hit_at = happened[line.payment_id or 0]
    return lines


def _less(line: Loss, signed_minor: int) -> int:
    """The line is only what was not signed before. Returns how much that is."""
    left = max(0, line.amount_minor - signed_minor)
    kept: list[dict[str, object]] = []
    more = left
    for part in reversed(line.sources):
        amount = min(part["amount_minor"], more)
        more -= amount
        if amount:
            kept.insert(0, {"lot": part["lot"], "amount_minor": amount})
    line.amount_minor, line.sources = left, kept
    return left


def _says_the_same(line: Loss, other: Loss) -> bool:
    return (line.claim_id, line.amount_minor, line.sources) == (
        other.claim_id,
        other.amount_minor,
        other.sources,
    )


def _stored(fresh: Sequence[Loss]) -> list[Loss]:
    try:
        with transaction.atomic():
            return Loss.objects.bulk_create(fresh)
    except DatabaseError as refusal:
        if sqlstate_of(refusal) == SqlState.LOSS_REFUSED:
            raise _refused(refusal) from refusal
        raise


def _refused(refusal: DatabaseError) -> GuardNotMet:
    return GuardNotMet(action=says("name losses"), why=str(refusal.__cause__).splitlines()[0])


def _charges(
    named: Sequence[tuple[FraudClaim, TopUp]], *, actor: Actor, at: dt.datetime
) -> list[Loss]:
    """Returns the losses, unsaved, of the top-ups that are not losses of their claims yet."""
    issuers = {issuer.code: issuer for issuer in Issuer.objects.all()}
    cards = FundingCard.objects.in_bulk({top_up.card_id for _, top_up in named} - {None})
    kinds = dict(FundingSource.objects.values_list("code", "kind"))
    known = dict(
        Loss.objects.filter(
            dropped_at=None, top_up__in=[top_up.pk for _, top_up in named]
        ).values_list("top_up_id", "claim_id")
    )
    fresh = []
    for claim, top_up in named:
        _require_done(claim, top_up)
        loss = _charge(claim, top_up, issuers=issuers, cards=cards, kinds=kinds)
        loss.added_by_id, loss.added_at = actor.pk, at
        _require_free(top_up, claim, known.get(top_up.pk))
        if top_up.pk not in known:
            fresh.append(loss)
    return fresh


def _require_done(claim: FraudClaim, movement: TopUp | Payment) -> None:
    if movement.wallet_id != claim.wallet_id or movement.state not in _DONE[type(movement)]:
        raise GuardNotMet(
            action=says("name {movement} a loss of {claim}", movement=movement, claim=claim),
            why=says("it is of another wallet or was never posted"),
        )


def _require_free(movement: TopUp | Payment, claim: FraudClaim, of: int | None) -> None:
    if of not in (None, claim.pk):
        raise GuardNotMet(
            action=says("name {movement} a loss", movement=movement),
            why=says("it is one of another claim"),
        )


def _charge(
    claim: FraudClaim,
    top_up: TopUp,
    *,
    issuers: dict[str, Issuer],
    cards: dict[int, FundingCard],
    kinds: dict[str, str],
) -> Loss:
    funding = FUNDING_OF_KIND.get(kinds[top_up.source])
    if funding is None:
        raise GuardNotMet(
            action=says("name {movement} a loss", movement=top_up),
            why=says("it came from {source}", source=top_up.source),
        )
    loss = Loss(claim=claim, top_up=top_up, funding=funding, amount_minor=top_up.amount_minor)
    loss.hit_at = top_up.occurred_at
    if top_up.card_id is not None:
        code = cards[top_up.card_id].issuer_code
        loss.issuer = issuers.get(code)
        if loss.issuer is None:
            raise GuardNotMet(
                action=says("name {movement} a loss", movement=top_up),
                why=says("issuer {code} is not configured", code=code),
            )
    return loss


def _name_payers(
    payments: Sequence[tuple[FraudClaim, Payment]], payer: str, *, actor: Actor, at: dt.datetime
) -> int:
    """The payments have this payer. Returns how many had not."""
    present = {
        each.payment_id: each
        for each in PaymentPayer.objects.filter(
            payment__in=[payment.pk for _, payment in payments], replaced_at=None
        )
    }
    fresh, over = [], []
    for claim, payment in payments:
        _require_done(claim, payment)
        earlier = present.get(payment.pk)
        _require_free(payment, claim, earlier.claim_id if earlier else None)
        if earlier is not None and earlier.payer == payer:
            continue
        if earlier is not None:
            over.append(earlier.pk)
        fresh.append(
            PaymentPayer(
                claim=claim, payment=payment, payer=payer, named_by_id=actor.pk, named_at=at
            )
        )
    try:
        with transaction.atomic():
            PaymentPayer.objects.filter(pk__in=over).update(replaced_at=at)
            PaymentPayer.objects.bulk_create(fresh)
    except DatabaseError as refusal:
        if sqlstate_of(refusal) == SqlState.LOSS_REFUSED:
            raise _refused(refusal) from refusal
        raise
    return len(fresh)


def drop_loss(loss: Loss, *, actor: Actor, reason: str) -> None:
    """The thief did not make the movement, and the claim's other losses follow. It may be named
    again, for this claim or another.
    """
    require(actor, "refunds.work_claim", action="drop a loss")
    with transaction.atomic():
        makers.refuse_earlier([loss.claim_id], actor=actor)
        changed = Loss.objects.filter(
            pk=loss.pk,
            dropped_at=None,
            confirmed_at=None,
            claim__state__in=FraudClaim.UNDER_WORK,
        ).update(dropped_at=clock.now(), dropped_by=actor.pk, drop_reason=reason)
        if not changed:
            raise GuardNotMet(
                action=says("drop {loss}", loss=loss),
                why=says("it is dropped, proposed or confirmed"),
            )
        PaymentPayer.objects.filter(payment=loss.payment_id, replaced_at=None).update(
            replaced_at=clock.now()
        )
        retrace([loss.claim_id], actor=actor)
        holding.follow([loss.claim.wallet_id])
        audit.append("claims.drop_loss", f"claim:{loss.claim_id}", actor=actor, reason=reason)
