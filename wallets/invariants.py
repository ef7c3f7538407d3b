"""The ledger's invariants."""

from __future__ import annotations

from wallets.models import Hold, Payment, TopUp
from winddown.evidence.invariants import About, invariant, rows
from winddown.models import Capability


@invariant(
    "I1",
    "Money is conserved: every journal sums to zero, and so does the ledger",
    about=About.MONEY,
)
def journals_balance() -> list[str]:
    return rows(
        "SELECT journal_id, sum(amount_minor) FROM wallets_posting GROUP BY journal_id HAVING sum(amount_minor) <> 0",
        "journal {0} sums to {1}",
    ) + rows(
        "SELECT sum(amount_minor) FROM wallets_posting HAVING sum(amount_minor) <> 0",
        "the ledger sums to {0}",
    )


@invariant("I4", "A wallet's balances are the sums of its postings", about=About.MONEY)
def balances_equal_postings() -> list[str]:
    return rows(
        """
        SELECT w.id, w.paid_minor, w.bonus_minor, coalesce(p.paid, 0), coalesce(p.bonus, 0)
        FROM wallets_wallet w LEFT JOIN (
            SELECT wallet_id, sum(amount_minor) FILTER (WHERE account = 'wallet_paid') AS paid,
                   sum(amount_minor) FILTER (WHERE account = 'wallet_bonus') AS bonus
            FROM wallets_posting WHERE wallet_id IS NOT NULL GROUP BY wallet_id
        ) p ON p.wallet_id = w.id
        WHERE w.paid_minor <> coalesce(p.paid, 0) OR w.bonus_minor <> coalesce(p.bonus, 0)
        """,
        "wallet {0} caches {1} paid and {2} bonus, its postings say {3} and {4}",
    )


@invariant("I4b", "No posting names a wallet or a journal that does not exist", about=About.MONEY)
def postings_dangle() -> list[str]:
    return rows(
        """
        SELECT p.id FROM wallets_posting p LEFT JOIN wallets_wallet w ON w.id = p.wallet_id
        LEFT JOIN wallets_journal j ON j.id = p.journal_id
        WHERE j.id IS NULL OR (p.wallet_id IS NOT NULL AND w.id IS NULL)
        """,
        "posting {0} dangles",
    )


@invariant("I4c", "The held part of a wallet is the sum of its active holds", about=About.MONEY)
def holds_equal_held_part() -> list[str]:
    return rows(
        """
        SELECT w.id, w.held_minor, coalesce(h.held, 0) FROM wallets_wallet w LEFT JOIN (
            SELECT wallet_id, sum(amount_minor) AS held FROM wallets_hold
            WHERE state = ANY (%(keeping)s) GROUP BY wallet_id
        ) h ON h.wallet_id = w.id WHERE w.held_minor <> coalesce(h.held, 0)
        """,
        "wallet {0} caches {1} held, its holds say {2}",
        {"keeping": list(Hold.KEEPING)},
    )


@invariant("I7", "Nothing was charged after its source was stopped", about=About.MONEY)
def charges_after_the_stop() -> list[str]:
    return rows(
        """
        SELECT t.id, t.source FROM wallets_topup t
        JOIN winddown_capability c ON c.code = 'top_up:' || t.source AND c.state <> %(enabled)s
        WHERE t.state = ANY (%(let_through)s) AND t.occurred_at >= c.since
        """,
        "top-up {0} from {1} is dated after the stop",
        {"enabled": Capability.State.ENABLED, "let_through": list(TopUp.LET_THROUGH)},
    )


@invariant("I7b", "Nothing was spent after spending ended", about=About.MONEY)
def payments_after_the_end() -> list[str]:
    return rows(
        """
        SELECT p.id FROM wallets_payment p
        JOIN winddown_milestone m ON m.ends_capability = 'spend' AND p.occurred_at >= m.at
        """,
        "payment {0} is dated after spending ended",
    )


@invariant("I18", "What is reserved equals the payments in flight", about=About.MONEY)
def reservations_cleared() -> list[str]:
    return rows(
        """
        SELECT ledger, payments FROM
            (SELECT coalesce(sum(amount_minor), 0) AS ledger FROM wallets_posting WHERE account = 'reservations') l,
            (SELECT coalesce(sum(amount_minor), 0) AS payments FROM wallets_payment
             WHERE state = ANY (%(in_flight)s)) p
        WHERE ledger <> payments
        """,
        "reservations: the ledger says {0}, the payments {1}",
        {"in_flight": list(Payment.IN_FLIGHT)},
    )


@invariant("I32", "The sealed snapshot is the sum of its lines", about=About.MONEY)
def snapshot_equals_lines() -> list[str]:
    return rows(
        """
        SELECT s.id FROM wallets_snapshot s, (
            SELECT count(*) AS n, coalesce(sum(paid_minor), 0) AS paid, coalesce(sum(bonus_minor), 0) AS bonus
            FROM wallets_snapshotline
        ) l WHERE s.wallets <> l.n OR s.paid_minor <> l.paid OR s.bonus_minor <> l.bonus
        """,
        "snapshot {0} differs from its lines",
    )
