"""Journals of signed postings that sum to zero, and the cached balance that changes with them."""

from __future__ import annotations

import datetime as dt
from typing import Any, TypeVar

from django.db import IntegrityError, connection
from django.db.models import F

from wallets.models import Payment, TopUp, Wallet
from winddown.actors import Actor
from winddown.errors import (
    CapabilityStopped,
    IdempotencyConflict,
    PastDeadline,
)

Recorded = TypeVar("Recorded", TopUp, Payment)


Lines = list[tuple[str, int | None, int]]
"""Postings of one journal: account, wallet or None, signed minor units (positive credits)."""


# A repeated call gets the first call's result, even if a switch was stopped since then or both
# calls ran at the same time.
FIRST_MAY_STAND = (CapabilityStopped, PastDeadline, IntegrityError)


def post(
    lines: Lines,
    *,
    source: str,
    source_id: int,
    kind: str,
    occurred_at: dt.datetime,
    actor: Actor,
    run_id: int | None = None,
    reverses: int | None = None,
) -> int:
    """One journal with its postings is written. Returns its id.

    The database refuses lines that do not sum to zero and a second journal of the same source, id
    and kind.
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


def locked_wallet(wallet_id: int) -> Wallet:
    """Returns the wallet, which nobody else changes until this transaction ends."""
    return Wallet.objects.select_for_update(no_key=True).get(pk=wallet_id)


def change(wallet: Wallet, *, paid: int = 0, bonus: int = 0, held: int = 0) -> None:
    """The wallet's cached paid value, bonus value and held part changed by these amounts."""
    Wallet.objects.filter(pk=wallet.pk).update(
        paid_minor=F("paid_minor") + paid,
        bonus_minor=F("bonus_minor") + bonus,
        held_minor=F("held_minor") + held,
    )


def first_result(
    model: type[Recorded], reference: dict[str, str], values: dict[str, Any]
) -> Recorded | None:
    """Returns what was recorded under the reference, or None. Raises `IdempotencyConflict` if it
    has other values.
    """
    earlier = model._default_manager.filter(**reference).first()
    different = [
        name for name, value in values.items() if earlier and getattr(earlier, name) != value
    ]
    if different:
        ((field, wanted),) = reference.items()
        raise IdempotencyConflict(
            source=field.removesuffix("_ref"), source_id=wanted, difference=", ".join(different)
        )
    return earlier
