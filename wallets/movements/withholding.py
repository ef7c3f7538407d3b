"""A part of a wallet is held, released, or clawed back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from wallets.models import Hold, LedgerAccount
from wallets.movements import posting
from winddown import clock
from winddown.actors import Actor
from winddown.errors import (
    InsufficientBalance,
)
from winddown.machines.move import transition_one


def hold(wallet_id: int, *, amount_minor: int, reason: str, actor: Actor) -> Hold:
    """`amount_minor` of the wallet's paid value can no longer be spent; the rest stays spendable.

    Raises `InsufficientBalance` when less paid value is free.
    """
    with transaction.atomic():
        wallet = posting.locked_wallet(wallet_id)
        free = wallet.paid_minor - wallet.held_minor
        if not 0 < amount_minor <= free:
            raise InsufficientBalance(
                wallet=wallet.pk, available_minor=free, asked_minor=amount_minor
            )
        held = Hold.objects.create(
            wallet=wallet,
            amount_minor=amount_minor,
            reason=reason,
            since=clock.now(),
            held_by_id=actor.pk,
        )
        posting.change(wallet, held=amount_minor)
        return held


def hold_each(asked: Mapping[int, tuple[int, str]], *, actor: Actor) -> tuple[int, int]:
    """In each wallet, the given amount of paid value can no longer be spent, or as much of it as is
    free.

    `asked` has an amount in minor units and a reason for each wallet's id. Returns how many wallets
    were held, and the sum. One statement holds all of them. The wallets are locked in the order of
    their ids.
    """
    wanted = dict(sorted(asked.items()))
    with transaction.atomic(), connection.cursor() as cursor:
        said: dict[str, Any] = {
            "wallets": list(wanted),
            "amounts": [amount for amount, _ in wanted.values()],
            "reasons": [reason for _, reason in wanted.values()],
            "actor": actor.pk,
            "held": Hold.State.ACTIVE,
        }
        cursor.execute(
            "SELECT FROM wallets_wallet WHERE id = ANY (%(wallets)s) ORDER BY id FOR NO KEY UPDATE",
            said,
        )
        cursor.execute(
            """
            WITH asked AS (
                SELECT * FROM unnest(%(wallets)s::bigint[], %(amounts)s::bigint[],
                    %(reasons)s::text[]) AS asked (wallet_id, amount_minor, reason)
            ), granted AS (
                SELECT asked.wallet_id, asked.reason,
                    least(asked.amount_minor, w.paid_minor - w.held_minor) AS amount_minor
                FROM asked JOIN wallets_wallet w ON w.id = asked.wallet_id
                WHERE least(asked.amount_minor, w.paid_minor - w.held_minor) > 0
            ), changed AS (
                UPDATE wallets_wallet w SET held_minor = w.held_minor + granted.amount_minor
                FROM granted WHERE w.id = granted.wallet_id
            ), held AS (
                INSERT INTO wallets_hold
                    (wallet_id, amount_minor, state, reason, since, held_by_id)
                SELECT wallet_id, amount_minor, %(held)s, reason, winddown_now(), %(actor)s::bigint
                FROM granted
                RETURNING amount_minor
            )
            SELECT count(*), coalesce(sum(amount_minor), 0)::bigint FROM held
            """,
            said,
        )
        count, amount_minor = cursor.fetchone()
        return int(count), int(amount_minor)


def release(held: Hold, *, actor: Actor, reason: str = "") -> Hold:
    """The held value can be spent again. A second call raises `TransitionRefused`."""
    with transaction.atomic():
        wallet = posting.locked_wallet(held.wallet_id)
        done = transition_one(held, "release", actor=actor, reason=reason)
        posting.change(wallet, held=-done.amount_minor)
        return done


def claw_back(held: Hold, *, actor: Actor, reason: str = "") -> Hold:
    """The held value is no longer in the wallet, and the operator's fraud loss is that much less
    (rule 22). A second call raises `TransitionRefused`.
    """
    with transaction.atomic():
        wallet = posting.locked_wallet(held.wallet_id)
        done = transition_one(held, "take", actor=actor, reason=reason)
        posting.post(
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
        posting.change(wallet, paid=-done.amount_minor, held=-done.amount_minor)
        return done
