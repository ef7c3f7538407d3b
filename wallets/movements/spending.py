"""Value leaves a wallet for a merchant: paid at once, or reserved and then settled or reversed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

from django.db import transaction

from wallets.models import Journal, LedgerAccount, Payment, Wallet
from wallets.movements import posting
from wallets.movements.posting import FIRST_MAY_STAND, Lines
from winddown import clock
from winddown.actors import Actor
from winddown.errors import (
    InsufficientBalance,
    LedgerRefused,
    WalletNotUsable,
    says,
)
from winddown.machines.move import transition_one
from winddown.models import Run
from winddown.programme import capabilities
from winddown.registries import Registry

CAME_BACK: Final[Registry[Callable[[int], object]]] = Registry(
    "value that came back to a wallet",
    entries_are="follows it in the same transaction, by the id of the wallet, which is locked",
    owner=__name__,
)


def pay(
    wallet_id: int,
    *,
    amount_minor: int,
    merchant_ref: str,
    payment_ref: str,
    actor: Actor,
    prefecture: str = "",
    merchant_category: str = "",
) -> Payment:
    """The wallet holds `amount_minor` less, and the operator owes it to the merchant. Bonus value
    goes first.

    A second call with the same `payment_ref` returns the first payment. Raises `CapabilityStopped`,
    `PastDeadline`, `WalletNotUsable`, `InsufficientBalance` or `IdempotencyConflict`.
    """
    return _spend(
        wallet_id,
        amount_minor,
        merchant_ref,
        payment_ref,
        prefecture,
        merchant_category,
        actor,
        LedgerAccount.MERCHANTS,
    )


def reserve(
    wallet_id: int,
    *,
    amount_minor: int,
    merchant_ref: str,
    payment_ref: str,
    actor: Actor,
    prefecture: str = "",
    merchant_category: str = "",
) -> Payment:
    """`amount_minor` is reserved for a merchant until `settle` posts or voids the payment.

    Raises what `pay` raises, and a second call returns the first payment.
    """
    return _spend(
        wallet_id,
        amount_minor,
        merchant_ref,
        payment_ref,
        prefecture,
        merchant_category,
        actor,
        LedgerAccount.RESERVATIONS,
    )


def _spend(
    wallet_id: int,
    amount_minor: int,
    merchant_ref: str,
    payment_ref: str,
    prefecture: str,
    merchant_category: str,
    actor: Actor,
    to: str,
) -> Payment:
    if amount_minor <= 0:
        raise LedgerRefused(movement=says("payment"), why=says("the amount must be positive"))
    values = {"wallet_id": wallet_id, "amount_minor": amount_minor, "merchant_ref": merchant_ref}
    try:
        with transaction.atomic():
            passage = capabilities.passed("spend")
            wallet = posting.locked_wallet(wallet_id)
            earlier = posting.first_result(Payment, {"payment_ref": payment_ref}, values)
            if earlier is not None:
                return earlier
            _refuse_uncovered(wallet, amount_minor)
            bonus_part = min(wallet.bonus_minor, amount_minor)
            reserved = to == LedgerAccount.RESERVATIONS
            done = Payment.objects.create(
                payment_ref=payment_ref,
                wallet=wallet,
                amount_minor=amount_minor,
                paid_part_minor=amount_minor - bonus_part,
                bonus_part_minor=bonus_part,
                merchant_ref=merchant_ref,
                prefecture=prefecture,
                merchant_category=merchant_category,
                occurred_at=passage.at,
                switch_version=passage.version,
                state=Payment.State.AUTHORISED if reserved else Payment.State.POSTED,
            )
            _take_from(wallet, done, to=to, actor=actor)
            return done
    except FIRST_MAY_STAND:
        earlier = posting.first_result(Payment, {"payment_ref": payment_ref}, values)
        if earlier is None:
            raise
        return earlier


def _take_from(wallet: Wallet, payment: Payment, *, to: str, actor: Actor) -> None:
    """The wallet holds the payment's two parts less, and the journal says to whom they went."""
    posting.post(
        [*_from_wallet(payment), (to, None, payment.amount_minor)],
        source="payment",
        source_id=payment.pk,
        kind="reserve" if to == LedgerAccount.RESERVATIONS else "pay",
        occurred_at=payment.occurred_at,
        actor=actor,
    )
    posting.change(wallet, paid=-payment.paid_part_minor, bonus=-payment.bonus_part_minor)


def _refuse_uncovered(wallet: Wallet, amount_minor: int) -> None:
    """Raises `WalletNotUsable` or `InsufficientBalance` if the wallet cannot pay the amount."""
    if wallet.state not in Wallet.SPENDABLE:
        raise WalletNotUsable(wallet=wallet.pk, state=wallet.state, movement="payment")
    if amount_minor > wallet.available_minor:
        raise InsufficientBalance(
            wallet=wallet.pk, available_minor=wallet.available_minor, asked_minor=amount_minor
        )


def _from_wallet(payment: Payment) -> Lines:
    return [
        (LedgerAccount.WALLET_PAID, payment.wallet_id, -payment.paid_part_minor),
        (LedgerAccount.WALLET_BONUS, payment.wallet_id, -payment.bonus_part_minor),
    ]


def _back_to_wallet(payment: Payment) -> Lines:
    return [(account, wallet, -amount) for account, wallet, amount in _from_wallet(payment)]


def settle(
    payment: Payment,
    *,
    captured: bool,
    actor: Actor,
    run: Run | None = None,
    at: dt.datetime | None = None,
) -> Payment:
    """The reserved value belongs to the merchant if it was `captured`; otherwise it is back in the
    wallet. A reservation is settled once.

    Both outcomes have the same idempotency key, so the database refuses the other one later. A
    second call raises `TransitionRefused`.
    """
    with transaction.atomic():
        wallet = posting.locked_wallet(payment.wallet_id)
        done = transition_one(payment, "post" if captured else "void", actor=actor, run=run)
        back: Lines = (
            [(LedgerAccount.MERCHANTS, None, done.amount_minor)]
            if captured
            else _back_to_wallet(done)
        )
        posting.post(
            [(LedgerAccount.RESERVATIONS, None, -done.amount_minor), *back],
            source="payment",
            source_id=done.pk,
            kind="settle",
            occurred_at=at or clock.now(),
            actor=actor,
            run_id=run.pk if run else None,
        )
        if not captured:
            _gave_back(done, wallet)
        return done


def _gave_back(payment: Payment, wallet: Wallet) -> None:
    """The wallet holds the payment's two parts again, and everything that rests on it follows."""
    posting.change(wallet, paid=payment.paid_part_minor, bonus=payment.bonus_part_minor)
    for follow in CAME_BACK.values():
        follow(wallet.pk)


def reverse(payment: Payment, *, actor: Actor, reason: str) -> Payment:
    """A posted payment is undone: the value is back in the wallet, and the operator no longer owes
    it to the merchant.

    Raises `WalletNotUsable` once the wallet is closed, because its balance is sealed. A second call
    raises `TransitionRefused`.
    """
    with transaction.atomic():
        wallet = posting.locked_wallet(payment.wallet_id)
        if wallet.state not in Wallet.OPEN:
            raise WalletNotUsable(wallet=wallet.pk, state=wallet.state, movement="reversal")
        done = transition_one(payment, "reverse", actor=actor, reason=reason)
        undone = Journal.objects.get(
            source="payment", source_id=done.pk, kind__in=["pay", "settle"]
        )
        posting.post(
            [*_back_to_wallet(done), (LedgerAccount.MERCHANTS, None, -done.amount_minor)],
            source="payment",
            source_id=done.pk,
            kind="reverse",
            occurred_at=clock.now(),
            actor=actor,
            reverses=undone.pk,
        )
        _gave_back(done, wallet)
        return done
