"""The only verbs that move money: top up, pay, reserve, settle, reverse, hold, release, claw back.

Each takes its switch, its wallet's row lock, checks, posts a journal that sums to zero, and changes the cached
balance, all in one transaction. A repeated call with the same reference returns the first result; the same reference
with other values raises `IdempotencyConflict`.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from wallets.models import FundingCard, Hold, Journal, LedgerAccount, Payment, TopUp, Wallet
from winddown import capabilities, clock
from winddown.errors import IdempotencyConflict, InsufficientBalance, LedgerRefused, WalletNotUsable
from winddown.machines import transition_one

Lines = list[tuple[str, int | None, int]]
"""Postings of one journal: account, wallet or None, signed minor units (positive credits)."""


def post(
    lines: Lines,
    *,
    source: str,
    source_id: int,
    kind: str,
    occurred_at: dt.datetime,
    actor: Any,
    run_id: int | None = None,
    reverses: int | None = None,
) -> int:
    """One journal with its postings is written; returns its id.

    The database refuses lines that do not sum to zero and a second journal of the same source, id and kind.
    """
    kept = [line for line in lines if line[2] != 0]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH journal AS (
                INSERT INTO wallets_journal (source, source_id, kind, occurred_at, actor_id, run_id, reverses_id)
                VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id
            ), lines AS (
                INSERT INTO wallets_posting (journal_id, account, wallet_id, amount_minor)
                SELECT journal.id, line.* FROM journal, unnest(%s::text[], %s::bigint[], %s::bigint[]) AS line
            )
            SELECT id FROM journal
            """,
            [
                source,
                source_id,
                kind,
                occurred_at,
                actor.pk,
                run_id,
                reverses,
                [line[0] for line in kept],
                [line[1] for line in kept],
                [line[2] for line in kept],
            ],
        )
        return int(cursor.fetchone()[0])


def _lock(wallet_id: int) -> Wallet:
    wallet: Wallet = Wallet.objects.select_for_update(no_key=True).get(pk=wallet_id)
    return wallet


def _change(wallet: Wallet, *, paid: int = 0, bonus: int = 0, held: int = 0) -> None:
    Wallet.objects.filter(pk=wallet.pk).update(
        paid_minor=F("paid_minor") + paid,
        bonus_minor=F("bonus_minor") + bonus,
        held_minor=F("held_minor") + held,
    )


def top_up(
    wallet_id: int,
    *,
    source: str,
    amount_minor: int,
    top_up_ref: str,
    actor: Any,
    card: FundingCard | None = None,
    authorised_only: bool = False,
) -> TopUp:
    """The wallet holds `amount_minor` more, from `source`; a bonus adds free value, every other source paid value.

    With `authorised_only` the charge is recorded and waits to be posted. Raises `CapabilityStopped`, `PastDeadline`,
    `WalletNotUsable` (only an active wallet can be charged) or `IdempotencyConflict`.
    """
    if amount_minor <= 0:
        raise LedgerRefused(movement="top-up", why="the amount must be positive")
    with transaction.atomic():
        passage = capabilities.passed(f"top_up:{source}")
        wallet = _lock(wallet_id)
        earlier = TopUp.objects.filter(top_up_ref=top_up_ref).first()
        if earlier is not None:
            _same(
                earlier,
                "top_up",
                top_up_ref,
                wallet_id=wallet_id,
                source=source,
                amount_minor=amount_minor,
            )
            return earlier
        if wallet.state != Wallet.State.ACTIVE:
            raise WalletNotUsable(wallet=wallet.pk, state=wallet.state, movement="top-up")
        done = TopUp.objects.create(
            top_up_ref=top_up_ref,
            wallet=wallet,
            source=source,
            card=card,
            amount_minor=amount_minor,
            occurred_at=passage.at,
            switch_version=passage.version,
            state=TopUp.State.AUTHORISED if authorised_only else TopUp.State.POSTED,
        )
        if not authorised_only:
            _post_top_up(done, wallet, at=passage.at, actor=actor)
        return done


def post_authorised(top_up: TopUp, *, actor: Any) -> TopUp:
    """An authorised charge is in the wallet. Raises what a new top-up would raise: a freeze stops it too."""
    with transaction.atomic():
        passage = capabilities.passed(f"top_up:{top_up.source}")
        wallet = _lock(top_up.wallet_id)
        if wallet.state != Wallet.State.ACTIVE:
            raise WalletNotUsable(wallet=wallet.pk, state=wallet.state, movement="top-up")
        done = transition_one(top_up, "post", actor=actor, switch_version=passage.version)
        _post_top_up(done, wallet, at=passage.at, actor=actor)
        return done


def _post_top_up(done: TopUp, wallet: Wallet, *, at: dt.datetime, actor: Any) -> None:
    free = done.source == "bonus"
    account = LedgerAccount.WALLET_BONUS if free else LedgerAccount.WALLET_PAID
    post(
        [
            (account, wallet.pk, done.amount_minor),
            (f"funding_{done.source}", None, -done.amount_minor),
        ],
        source="top_up",
        source_id=done.pk,
        kind="top_up",
        occurred_at=at,
        actor=actor,
    )
    _change(wallet, paid=0 if free else done.amount_minor, bonus=done.amount_minor if free else 0)


def pay(
    wallet_id: int,
    *,
    amount_minor: int,
    merchant_ref: str,
    payment_ref: str,
    actor: Any,
    prefecture: str = "",
) -> Payment:
    """The wallet holds `amount_minor` less and the merchant is owed it; bonus value goes first.

    Raises `CapabilityStopped`, `PastDeadline`, `WalletNotUsable`, `InsufficientBalance` or `IdempotencyConflict`.
    """
    return _spend(
        wallet_id,
        amount_minor,
        merchant_ref,
        payment_ref,
        prefecture,
        actor,
        LedgerAccount.MERCHANTS,
    )


def reserve(
    wallet_id: int,
    *,
    amount_minor: int,
    merchant_ref: str,
    payment_ref: str,
    actor: Any,
    prefecture: str = "",
) -> Payment:
    """`amount_minor` is set aside for a merchant until `settle` posts or voids it, exactly one of the two."""
    return _spend(
        wallet_id,
        amount_minor,
        merchant_ref,
        payment_ref,
        prefecture,
        actor,
        LedgerAccount.RESERVATIONS,
    )


def _spend(
    wallet_id: int,
    amount_minor: int,
    merchant_ref: str,
    payment_ref: str,
    prefecture: str,
    actor: Any,
    to: str,
) -> Payment:
    if amount_minor <= 0:
        raise LedgerRefused(movement="payment", why="the amount must be positive")
    with transaction.atomic():
        passage = capabilities.passed("spend")
        wallet = _lock(wallet_id)
        earlier = Payment.objects.filter(payment_ref=payment_ref).first()
        if earlier is not None:
            _same(
                earlier,
                "payment",
                payment_ref,
                wallet_id=wallet_id,
                amount_minor=amount_minor,
                merchant_ref=merchant_ref,
            )
            return earlier
        if wallet.state not in Wallet.SPENDABLE:
            raise WalletNotUsable(wallet=wallet.pk, state=wallet.state, movement="payment")
        if amount_minor > wallet.available_minor:
            raise InsufficientBalance(
                wallet=wallet.pk, available_minor=wallet.available_minor, asked_minor=amount_minor
            )
        bonus_part = min(wallet.bonus_minor, amount_minor)
        paid_part = amount_minor - bonus_part
        reserved = to == LedgerAccount.RESERVATIONS
        done = Payment.objects.create(
            payment_ref=payment_ref,
            wallet=wallet,
            amount_minor=amount_minor,
            paid_part_minor=paid_part,
            bonus_part_minor=bonus_part,
            merchant_ref=merchant_ref,
            prefecture=prefecture,
            occurred_at=passage.at,
            switch_version=passage.version,
            state=Payment.State.AUTHORISED if reserved else Payment.State.POSTED,
        )
        post(
            [*_from_wallet(done), (to, None, amount_minor)],
            source="payment",
            source_id=done.pk,
            kind="reserve" if reserved else "pay",
            occurred_at=passage.at,
            actor=actor,
        )
        _change(wallet, paid=-paid_part, bonus=-bonus_part)
        return done


def _from_wallet(payment: Payment) -> Lines:
    return [
        (LedgerAccount.WALLET_PAID, payment.wallet_id, -payment.paid_part_minor),
        (LedgerAccount.WALLET_BONUS, payment.wallet_id, -payment.bonus_part_minor),
    ]


def _back_to_wallet(payment: Payment) -> Lines:
    return [(account, wallet, -amount) for account, wallet, amount in _from_wallet(payment)]


def settle(
    payment: Payment, *, captured: bool, actor: Any, run: Any = None, at: dt.datetime | None = None
) -> Payment:
    """The reservation is posted to the merchant, or void and back in the wallet; never both, never twice.

    Both outcomes share one idempotency key, so the database refuses the other one later.
    """
    with transaction.atomic():
        wallet = _lock(payment.wallet_id)
        done = transition_one(payment, "post" if captured else "void", actor=actor, run=run)
        back: Lines = (
            [(LedgerAccount.MERCHANTS, None, done.amount_minor)]
            if captured
            else _back_to_wallet(done)
        )
        post(
            [(LedgerAccount.RESERVATIONS, None, -done.amount_minor), *back],
            source="payment",
            source_id=done.pk,
            kind="settle",
            occurred_at=at or clock.now(),
            actor=actor,
            run_id=run.pk if run else None,
        )
        if not captured:
            _change(wallet, paid=done.paid_part_minor, bonus=done.bonus_part_minor)
        return done


def reverse(payment: Payment, *, actor: Any, reason: str) -> Payment:
    """A posted payment is undone: the value is back in the wallet and the merchant is no longer owed it."""
    with transaction.atomic():
        wallet = _lock(payment.wallet_id)
        done = transition_one(payment, "reverse", actor=actor, reason=reason)
        undone = Journal.objects.get(
            source="payment", source_id=done.pk, kind__in=["pay", "settle"]
        )
        post(
            [*_back_to_wallet(done), (LedgerAccount.MERCHANTS, None, -done.amount_minor)],
            source="payment",
            source_id=done.pk,
            kind="reverse",
            occurred_at=clock.now(),
            actor=actor,
            reverses=undone.pk,
        )
        _change(wallet, paid=done.paid_part_minor, bonus=done.bonus_part_minor)
        return done


def hold(wallet_id: int, *, amount_minor: int, reason: str, actor: Any) -> Hold:
    """`amount_minor` of the wallet's paid value can no longer be spent; the rest stays spendable.

    Raises `InsufficientBalance` when less paid value is free.
    """
    with transaction.atomic():
        wallet = _lock(wallet_id)
        free = wallet.paid_minor - wallet.held_minor
        if not 0 < amount_minor <= free:
            raise InsufficientBalance(
                wallet=wallet.pk, available_minor=free, asked_minor=amount_minor
            )
        held = Hold.objects.create(
            wallet=wallet, amount_minor=amount_minor, reason=reason, since=clock.now()
        )
        _change(wallet, held=amount_minor)
        return held


def release(held: Hold, *, actor: Any, reason: str = "") -> Hold:
    """The held value is spendable again."""
    with transaction.atomic():
        wallet = _lock(held.wallet_id)
        done = transition_one(held, "release", actor=actor, reason=reason)
        _change(wallet, held=-done.amount_minor)
        return done


def claw_back(held: Hold, *, actor: Any, reason: str = "") -> Hold:
    """The held value left the wallet and lowers the operator's fraud loss (rule 22)."""
    with transaction.atomic():
        wallet = _lock(held.wallet_id)
        done = transition_one(held, "take", actor=actor, reason=reason)
        post(
            [
                (LedgerAccount.WALLET_PAID, wallet.pk, -done.amount_minor),
                (LedgerAccount.FRAUD_LOSS, None, done.amount_minor),
            ],
            source="hold",
            source_id=done.pk,
            kind="claw_back",
            occurred_at=clock.now(),
            actor=actor,
        )
        _change(wallet, paid=-done.amount_minor, held=-done.amount_minor)
        return done


def _same(earlier: Any, movement: str, reference: str, **values: Any) -> None:
    different = [name for name, value in values.items() if getattr(earlier, name) != value]
    if different:
        raise IdempotencyConflict(
            source=movement, source_id=reference, difference=", ".join(different)
        )
