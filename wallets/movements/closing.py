"""Closed wallets are emptied in one journal per batch."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection
from django.db.models import F, QuerySet

from wallets.models import LedgerAccount, Wallet
from wallets.models.snapshot import taken_since_seal
from winddown.actors import SYSTEM
from winddown.errors import (
    LedgerRefused,
    says,
)
from winddown.machines.move import named
from winddown.models import Batch, Run


@dataclass(frozen=True, slots=True)
class Emptied:
    """The result of one set of closing balances: wallets, paid and bonus value, and the journal."""

    wallets: int
    paid_minor: int
    bonus_minor: int
    journal_id: int | None


# What the journals of earlier runs took out of a wallet that was emptied before.
_ENTITLED_BEFORE = f"""
    coalesce((SELECT -sum(p.amount_minor) FROM wallets_posting p
        JOIN wallets_journal j ON j.id = p.journal_id AND j.kind = 'entitle'
        WHERE p.wallet_id = c.id AND p.account = '{LedgerAccount.WALLET_PAID}'), 0)
"""  # noqa: S608  our own names


def empty_closed_wallets(
    rows: QuerySet[Wallet], name: str, *, run: Run, at: dt.datetime
) -> Emptied:
    """The wallets of `rows` made the transition `name` (entitle, entitle_held, settle_empty) and
    hold nothing but what a hold keeps: their free paid value is owed as refunds, their bonus value
    has expired.

    The whole set is one statement and one journal, with a line per wallet and one line per control
    account. Wallets that are not in the transition's source state, or do not meet its condition,
    are left alone, so a second run changes nothing. Raises `LedgerRefused`, and changes nothing, if
    a wallet's balance is not the one in the sealed snapshot, less what was clawed back since.
    """
    edges = [edge for edge in Wallet.edges() if edge.name == name]
    chosen = rows.filter(state__in=[edge.source for edge in edges])
    if edges[0].when is not None:
        chosen = chosen.filter(edges[0].when)
    return _emptied(
        chosen,
        name,
        key="'wallet', min(id)",
        state=f"'{edges[0].target}'",
        line="(s.paid_minor, s.bonus_minor) IS DISTINCT FROM (c.paid + coalesce(k.amount_minor, 0),"
        " c.bonus)",
        run=run,
        at=at,
    )


def empty_freed_wallets(
    rows: QuerySet[Wallet], *, batch: Batch, run: Run, at: dt.datetime
) -> Emptied:
    """What holds no longer keep in those of `rows` that were emptied before is owed as refunds too.

    A wallet that was settled, taken over or deposited is entitled again; any other stays where it
    is. Everything else is as in `empty_closed_wallets`.
    """
    chosen = rows.filter(state__in=Wallet.EMPTIED, paid_minor__gt=F("held_minor"))
    return _emptied(
        chosen,
        "owe_again",
        key=f"'batch', {batch.pk}",
        state="CASE WHEN w.state IN"
        f" ('{Wallet.State.SETTLED}', '{Wallet.State.TRANSFERRED}', '{Wallet.State.DEPOSITED}')"
        f" THEN '{Wallet.State.ENTITLED}' ELSE w.state END",
        line="s.paid_minor IS DISTINCT FROM"
        f" c.paid + coalesce(k.amount_minor, 0) + {_ENTITLED_BEFORE}",
        run=run,
        at=at,
    )


def _emptied(
    chosen: QuerySet[Wallet],
    name: str,
    *,
    key: str,
    state: str,
    line: str,
    run: Run,
    at: dt.datetime,
) -> Emptied:
    """The parts of the statement, in SQL: `key` is source and number of the journal, `state` the next
    state of a wallet, `line` whether it differs from its sealed line.
    """
    chosen = chosen.order_by("pk").select_for_update(of=("self",), no_key=True)
    columns = ("pk", "paid_minor", "bonus_minor", "held_minor")
    inner, params = chosen.values(*columns).query.sql_with_params()
    with named(name, actor=SYSTEM, run=run, reason=run.reason), connection.cursor() as cursor:
        # The ids as an array and the sums as whole numbers: a join, or amounts as numeric, would cost
        # every wallet more than what is written of it.
        cursor.execute(
            f"""
            WITH chosen (id, paid, bonus, held) AS MATERIALIZED ({inner}),
            moved AS (
                UPDATE wallets_wallet w SET state = {state}, paid_minor = held_minor,
                    bonus_minor = 0
                WHERE id = ANY (ARRAY(SELECT id FROM chosen))
            ), journal AS (
                INSERT INTO wallets_journal (source, source_id, kind, occurred_at, run_id)
                SELECT {key}, 'entitle', %s, %s FROM chosen
                HAVING sum(paid - held + bonus) > 0
                RETURNING id
            ), lines AS (
                INSERT INTO wallets_posting (journal_id, account, wallet_id, amount_minor)
                SELECT journal.id, line.account, line.wallet_id, line.amount FROM journal, (
                    SELECT 'wallet_paid' AS account, id AS wallet_id, held - paid AS amount
                        FROM chosen
                    UNION ALL SELECT 'wallet_bonus', id, -bonus FROM chosen
                    UNION ALL SELECT 'refunds_payable', NULL, sum(paid - held)::bigint FROM chosen
                    UNION ALL SELECT 'bonus_expired', NULL, sum(bonus)::bigint FROM chosen
                ) line WHERE line.amount <> 0
            )
            SELECT count(*), coalesce(sum(c.paid - c.held), 0), coalesce(sum(c.bonus), 0),
                   (SELECT id FROM journal), count(*) FILTER (WHERE {line})
            FROM chosen c LEFT JOIN wallets_snapshotline s ON s.wallet_id = c.id
            LEFT JOIN ({taken_since_seal("SELECT id FROM chosen")}) k ON k.wallet_id = c.id
            """,  # noqa: S608
            [*params, at, run.pk],
        )
        wallets, paid_minor, bonus_minor, journal_id, different = cursor.fetchone()
    if different:
        raise LedgerRefused(
            movement=says("entitlement"),
            why=says("{different} wallets differ from the sealed snapshot", different=different),
        )
    return Emptied(wallets, int(paid_minor), int(bonus_minor), journal_id)
