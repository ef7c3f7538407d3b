"""Closed wallets are emptied in one journal per batch."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection
from django.db.models import QuerySet

from wallets.models import Wallet
from winddown.actors import SYSTEM
from winddown.errors import (
    LedgerRefused,
    says,
)
from winddown.machines.move import named
from winddown.models import Run


@dataclass(frozen=True, slots=True)
class Emptied:
    """The result of one set of closing balances: wallets, paid and bonus value, and the journal."""

    wallets: int
    paid_minor: int
    bonus_minor: int
    journal_id: int | None


def empty_closed_wallets(
    rows: QuerySet[Wallet], name: str, *, run: Run, at: dt.datetime
) -> Emptied:
    """The wallets of `rows` made the transition `name` (entitle, entitle_held, settle_empty) and
    hold nothing: their paid value is owed as refunds, their bonus value has expired.

    The whole set is one statement and one journal, with a line per wallet and one line per control
    account. Wallets that are not in the transition's source state, or do not meet its condition,
    are left alone, so a second run changes nothing. Raises `LedgerRefused`, and changes nothing, if
    a wallet's balance is not the one in the sealed snapshot.
    """
    edge = next(edge for edge in Wallet.edges() if edge.name == name)
    chosen = rows.filter(state=edge.source)
    if edge.when is not None:
        chosen = chosen.filter(edge.when)
    chosen = chosen.order_by("pk").select_for_update(of=("self",), no_key=True)
    inner, params = chosen.values("pk", "paid_minor", "bonus_minor").query.sql_with_params()
    with named(name, actor=SYSTEM, run=run, reason=run.reason), connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH chosen (id, paid, bonus) AS MATERIALIZED ({inner}),
            moved AS (
                UPDATE wallets_wallet w SET state = %s, paid_minor = 0, bonus_minor = 0
                FROM chosen c WHERE w.id = c.id
            ), journal AS (
                INSERT INTO wallets_journal (source, source_id, kind, occurred_at, run_id)
                SELECT 'wallet', min(id), 'entitle', %s, %s FROM chosen HAVING sum(paid + bonus) > 0
                RETURNING id
            ), lines AS (
                INSERT INTO wallets_posting (journal_id, account, wallet_id, amount_minor)
                SELECT journal.id, line.account, line.wallet_id, line.amount FROM journal, (
                    SELECT 'wallet_paid' AS account, id AS wallet_id, -paid AS amount FROM chosen
                    UNION ALL SELECT 'wallet_bonus', id, -bonus FROM chosen
                    UNION ALL SELECT 'refunds_payable', NULL, sum(paid) FROM chosen
                    UNION ALL SELECT 'bonus_expired', NULL, sum(bonus) FROM chosen
                ) line WHERE line.amount <> 0
            )
            SELECT count(*), coalesce(sum(c.paid), 0), coalesce(sum(c.bonus), 0),
                   (SELECT id FROM journal),
                   count(*) FILTER (WHERE (s.paid_minor, s.bonus_minor) IS DISTINCT FROM (c.paid, c.bonus))
            FROM chosen c LEFT JOIN wallets_snapshotline s ON s.wallet_id = c.id
            """,  # noqa: S608
            [*params, edge.target, at, run.pk],
        )
        wallets, paid_minor, bonus_minor, journal_id, different = cursor.fetchone()
    if different:
        raise LedgerRefused(
            movement=says("entitlement"),
            why=says("{different} wallets differ from the sealed snapshot", different=different),
        )
    return Emptied(wallets, int(paid_minor), int(bonus_minor), journal_id)
