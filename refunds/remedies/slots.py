"""The one remedy of each loss is opened on its route, and fails, is superseded, or finishes."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet

from refunds.models import Doubt, FraudClaim, Issuer, IssuerAction, Loss, Remedy
from refunds.remedies import netting, routes
from wallets.models import LedgerAccount, TopUp, Wallet
from wallets.models.ledger import funding_account
from wallets.movements import posting
from winddown.actors import SYSTEM, Actor
from winddown.errors import WinddownError
from winddown.machines.move import move_rows
from winddown.models import Programme
from winddown.sqlstates import SqlState, sqlstate_of

ASKED_AS = {
    Remedy.Kind.STOP_DEBIT: IssuerAction.Kind.STOP_DEBIT,
    Remedy.Kind.ISSUER_REFUND: IssuerAction.Kind.REFUND,
    Remedy.Kind.DEBIT_REIMBURSEMENT: IssuerAction.Kind.DEBIT_REIMBURSEMENT,
}


class RemedyTaken(WinddownError):
    """The loss already has a remedy that has not failed: nothing is made good twice ({why})."""


def terms_of(issuer: Issuer) -> routes.BillingTerms:
    """Returns the issuer's billing terms in the form of the routes' table."""
    return routes.BillingTerms(
        closes_on_day=issuer.closes_on_day,
        pays_on_day=issuer.pays_on_day,
        stop_before_days=issuer.stop_before_days,
        margin_days=issuer.margin_days,
    )


def cut_off(loss: Loss, *, zone: dt.tzinfo) -> dt.datetime:
    """Returns the instant from which the debit of a credit loss can no longer be stopped."""
    return _midnight(routes.cut_off_on(_spent_on(loss, zone), _terms(loss)), zone)


def open_first(losses: Iterable[Loss], *, at: dt.datetime) -> list[Remedy]:
    """Every loss without a remedy has its first route, with a draft request where an issuer must
    act.

    A second call opens none. A loss whose earlier routes all failed is not touched: its next route
    was opened when the last one failed.
    """
    wanted = (
        Loss.objects.filter(pk__in=[loss.pk for loss in losses], dropped_at=None)
        .filter(~Exists(Remedy.objects.filter(loss=OuterRef("pk"))))
        .select_related("issuer")
        .order_by("pk")
    )
    zone = Programme.current().zone
    return open_routes([(loss, _first(loss, at=at, zone=zone)) for loss in wanted], at=at)


def lock_charges(losses: Iterable[Loss]) -> None:
    """Until this transaction ends, nobody else opens a route for these charges or registers a
    chargeback of one.
    """
    ids = {loss.top_up_id for loss in losses if loss.top_up_id is not None}
    locked = TopUp.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    list(locked.values_list("pk", flat=True))


def open_routes(chosen: Sequence[tuple[Loss, str]], *, at: dt.datetime) -> list[Remedy]:
    """Each loss has a remedy of the given kind under way, with a draft request where an issuer must
    act.

    Of a compensation, what the holder used or was refunded of the thief's charges is not paid again:
    so much of it is netted, and one of which nothing is left is made good at once. Raises
    `RemedyTaken` when a loss has a remedy that has not failed, also when another transaction just
    made it, and `WrongRoute` for a loss that the route cannot make good.
    """
    if not chosen:
        return []
    remedies = _taken(chosen, at=at)
    by_issuer = [remedy for remedy in remedies if remedy.kind in Remedy.BY_ISSUER]
    zone = Programme.current().zone
    IssuerAction.objects.bulk_create(_draft(remedy, at=at, zone=zone) for remedy in by_issuer)
    ours = [remedy.pk for remedy in remedies if remedy.kind not in Remedy.BY_ISSUER]
    mark_asked(ours, at=at, actor=SYSTEM)
    for remedy in remedies:
        netting.book(remedy, "net", at=at)
    finish([remedy.pk for remedy in remedies if not remedy.payable_minor], at=at, actor=SYSTEM)
    return remedies


def _taken(chosen: Sequence[tuple[Loss, str]], *, at: dt.datetime) -> list[Remedy]:
    """The slot of each loss has a remedy of the given kind. Raises what `open_routes` raises.

    All writers take the slots in the same order, so none waits for another that waits for it.
    """
    for loss, kind in chosen:
        routes.refuse_other_funding(kind, funding=loss.funding)
    lock_charges(loss for loss, _kind in chosen)
    netted = netting.of_compensations(
        [loss for loss, kind in chosen if kind == Remedy.Kind.COMPENSATION_PAYOUT]
    )
    try:
        with transaction.atomic():
            return Remedy.objects.bulk_create(
                Remedy(
                    loss=loss,
                    kind=kind,
                    amount_minor=loss.amount_minor,
                    netted_minor=netted.get(loss.pk, 0),
                    proposed_at=at,
                )
                for loss, kind in sorted(chosen, key=lambda each: each[0].pk)
            )
    except IntegrityError as refusal:
        raise RemedyTaken(why="one_live_remedy_per_loss") from refusal
    except DatabaseError as refusal:
        if sqlstate_of(refusal) == SqlState.CREDIT_ALREADY_PROCESSED:
            raise RemedyTaken(why="a chargeback took the charge back") from refusal
        raise


def _first(loss: Loss, *, at: dt.datetime, zone: dt.tzinfo) -> str:
    card = loss.funding in (Loss.Funding.CREDIT, Loss.Funding.DEBIT)
    if card and loss.issuer is None:
        return routes.COMPENSATION_PAYOUT
    ahead = loss.funding == Loss.Funding.CREDIT and at < cut_off(loss, zone=zone)
    return routes.first_route(loss.funding, cut_off_ahead=ahead)


def _draft(remedy: Remedy, *, at: dt.datetime, zone: dt.tzinfo) -> IssuerAction:
    loss = remedy.loss
    if loss.issuer is None:
        raise AssertionError("a card loss without an issuer is paid by us")
    deadline = None
    if remedy.kind == Remedy.Kind.STOP_DEBIT:
        deadline = _midnight(routes.deadline_on(_spent_on(loss, zone), _terms(loss)), zone)
    return IssuerAction(
        remedy=remedy,
        issuer=loss.issuer,
        kind=ASKED_AS[Remedy.Kind(remedy.kind)],
        funding=loss.funding,
        amount_minor=remedy.amount_minor,
        key=uuid.uuid4(),
        drafted_at=at,
        deadline_at=deadline,
    )


def _terms(loss: Loss) -> routes.BillingTerms:
    if loss.issuer is None:
        raise AssertionError("a card loss without an issuer is paid by us")
    return terms_of(loss.issuer)


def _spent_on(loss: Loss, zone: dt.tzinfo) -> dt.date:
    return loss.hit_at.astimezone(zone).date()


def _midnight(day: dt.date, zone: dt.tzinfo) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), zone)


def mark_asked(remedy_ids: Collection[int], *, at: dt.datetime, actor: Actor) -> None:
    """The remedies wait for the issuer or the payout. One that was asked before stays as it is."""
    move_rows(Remedy, "ask", remedy_ids, actor=actor, asked_at=at)


def fail(
    remedy_ids: Collection[int], *, failure: str, at: dt.datetime, actor: Actor, reason: str = ""
) -> int:
    """The remedies have failed, so the losses may take another route. Returns how many failed."""
    given_up = Remedy.objects.filter(pk__in=remedy_ids, netted_minor__gt=0).exclude(
        state=Remedy.State.FAILED
    )
    for remedy in given_up.order_by("pk"):
        netting.book(remedy, "net_back", at=at)
    return move_rows(
        Remedy, "fail", remedy_ids, actor=actor, reason=reason, failed_at=at, failure=failure
    )


def fall_back(
    remedies: Sequence[Remedy], kind: str, *, failure: str, at: dt.datetime, actor: Actor
) -> list[Remedy]:
    """The remedies have failed, and each loss has its next one, of `kind`, in the same transaction
    (rule 19)."""
    if not remedies:
        return []
    return open_routes(_freed(remedies, kind, failure=failure, at=at, actor=actor), at=at)


def _freed(
    remedies: Sequence[Remedy], kind: str, *, failure: str, at: dt.datetime, actor: Actor
) -> list[tuple[Loss, str]]:
    """The remedies have failed. Returns their losses, each with the kind that takes its slot."""
    losses = Loss.objects.select_related("issuer").in_bulk([remedy.loss_id for remedy in remedies])
    lock_charges(losses.values())
    failed = fail([remedy.pk for remedy in remedies], failure=failure, at=at, actor=actor)
    if failed != len(remedies):
        raise RemedyTaken(why=f"{len(remedies) - failed} of {len(remedies)} routes had ended")
    return [(losses[remedy.loss_id], kind) for remedy in remedies]


def supersede(
    remedies: Sequence[Remedy], kind: str, *, failure: str, at: dt.datetime, actor: Actor
) -> list[Remedy]:
    """As after `fall_back`, but somebody else has already carried the next remedy out, so no issuer
    is asked for it.
    """
    return _taken(_freed(remedies, kind, failure=failure, at=at, actor=actor), at=at)


def carried_out(loss: Loss, kind: str, *, at: dt.datetime) -> Remedy:
    """The loss, whose slot is free, has a remedy of `kind` that somebody else has carried out.
    Raises what `open_routes` raises.
    """
    (remedy,) = _taken([(loss, kind)], at=at)
    return remedy


def finish(remedy_ids: Collection[int], *, at: dt.datetime, actor: Actor, reason: str = "") -> int:
    """The losses of these asked remedies are made good and booked in one journal, and every claim
    without an open loss is remedied. Returns how many remedies finished.

    A remedy that is not asked (finished before, or failed) is left alone, so a second call changes
    nothing. The payout itself moves the money of a compensation payout.
    """
    chosen = list(
        Remedy.objects.select_for_update(no_key=True, of=("self",))
        .filter(pk__in=remedy_ids, state=Remedy.State.ASKED)
        .select_related("loss__top_up", "loss__claim")
        .order_by("pk")
    )
    if not chosen:
        return 0
    ids = [remedy.pk for remedy in chosen]
    done = move_rows(Remedy, "remedy", ids, actor=actor, reason=reason, remedied_at=at)
    _post(chosen, at=at, actor=actor)
    netting.owed_back(chosen)
    finish_claims({remedy.loss.claim_id for remedy in chosen})
    return done


def contest(remedy: Remedy, doubt: Doubt, *, at: dt.datetime, reason: str) -> None:
    """The issuer took its word back: the loss is owed again, and so is what is left of its claim. A
    remedy that is not remedied is left alone.
    """
    if not move_rows(Remedy, "contest", [remedy.pk], actor=SYSTEM, reason=reason, remedied_at=None):
        return
    _book_word(remedy, doubt, "contest", at=at, sign=-1)
    claims = FraudClaim.objects.filter(
        pk=remedy.loss.claim_id, state__in=[FraudClaim.State.REMEDIED, FraudClaim.State.CLOSED]
    )
    ids = list(claims.values_list("pk", flat=True))
    move_rows(FraudClaim, "owe_again", ids, actor=SYSTEM, reason=reason)


def uphold(remedy: Remedy, doubt: Doubt, *, at: dt.datetime, actor: Actor, reason: str) -> None:
    """Two people found the issuer's earlier word true: the loss is made good by it after all."""
    moved = move_rows(Remedy, "uphold", [remedy.pk], actor=actor, reason=reason, remedied_at=at)
    if moved:
        _book_word(remedy, doubt, "uphold", at=at, sign=1)
        finish_claims([remedy.loss.claim_id])


def _book_word(remedy: Remedy, doubt: Doubt, kind: str, *, at: dt.datetime, sign: int) -> None:
    account, wallet = _account(remedy)
    amount = sign * remedy.amount_minor
    posting.post(
        [(LedgerAccount.FRAUD_SUSPENSE, None, -amount), (account, wallet, amount)],
        source="doubt",
        source_id=doubt.pk,
        kind=kind,
        occurred_at=at,
        actor=SYSTEM,
    )


def owe_again(remedy_ids: Collection[int], *, actor: Actor, reason: str = "") -> int:
    """The bank sent the money of these compensations back, or its word that they arrived is void:
    they are owed again, and so is what is left of their claims. Returns how many. One that was not
    remedied is left alone. The caller has moved the payout and its money.
    """
    done = Remedy.objects.filter(pk__in=remedy_ids, state=Remedy.State.REMEDIED)
    ids = list(done.order_by("pk").values_list("pk", flat=True))
    moved = move_rows(Remedy, "give_back", ids, actor=actor, reason=reason, remedied_at=None)
    claims = FraudClaim.objects.filter(
        losses__remedies__in=ids, state__in=[FraudClaim.State.REMEDIED, FraudClaim.State.CLOSED]
    )
    wanted = list(claims.order_by("pk").distinct().values_list("pk", flat=True))
    move_rows(FraudClaim, "owe_again", wanted, actor=SYSTEM, reason=reason)
    return moved


def _post(remedies: Sequence[Remedy], *, at: dt.datetime, actor: Actor) -> None:
    """What was owed to the victims is booked to the account of the funding that gave it up, or into
    the wallet that had the bonus.
    """
    per_account: dict[tuple[str, int | None], int] = defaultdict(int)
    for remedy in remedies:
        if remedy.kind != Remedy.Kind.COMPENSATION_PAYOUT:
            per_account[_account(remedy)] += remedy.amount_minor
    if not per_account:
        return
    lines: posting.Lines = [(LedgerAccount.FRAUD_SUSPENSE, None, -sum(per_account.values()))]
    lines += [
        (account, wallet, total)
        for (account, wallet), total in sorted(
            per_account.items(), key=lambda line: (line[0][0], line[0][1] or 0)
        )
    ]
    # A remedy finishes once, so the number of the first remedy identifies the journal.
    posting.post(
        lines,
        source="remedy",
        source_id=min(remedy.pk for remedy in remedies),
        kind="remedied",
        occurred_at=at,
        actor=actor,
    )


def _account(remedy: Remedy) -> tuple[str, int | None]:
    """Returns the account, and the wallet where it is one of a wallet, that the remedy credits."""
    if remedy.kind == Remedy.Kind.BONUS_RECREDIT:
        wallet = posting.locked_wallet(remedy.loss.claim.wallet_id)
        if wallet.state not in Wallet.OPEN:
            return LedgerAccount.BONUS_EXPIRED, None
        posting.change(wallet, bonus=remedy.amount_minor)
        return LedgerAccount.WALLET_BONUS, wallet.pk
    if remedy.loss.top_up is None:
        raise AssertionError("a loss of own balance is made good by a payout")
    return funding_account(remedy.loss.top_up.source), None


def finish_claims(claim_ids: Collection[int] | QuerySet[Any]) -> int:
    """Claims that are being remedied and whose every loss has its final remedy are remedied. Returns
    how many.
    """
    open_losses = Loss.objects.filter(claim=OuterRef("pk"), dropped_at=None).exclude(
        remedies__state__in=Remedy.DONE
    )
    whole = FraudClaim.objects.filter(pk__in=claim_ids).filter(~Exists(open_losses))
    ids = list(whole.values_list("pk", flat=True))
    return move_rows(FraudClaim, "finish_remedies", ids, actor=SYSTEM)
