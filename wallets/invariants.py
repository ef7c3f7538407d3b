"""The ledger's invariants."""

from __future__ import annotations

from wallets.models import Hold, Payment, TopUp
from wallets.models.snapshot import SEALED_LINES
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


@invariant(
    "I18b",
    "Every top-up and payment is what its journals booked, and the reverse",
    about=About.MONEY,
)
def records_equal_journals() -> list[str]:
    return rows(
        """
        WITH booked AS (
            SELECT j.source_id AS id, min(p.wallet_id) AS wallet_id, max(p.wallet_id) AS another,
                   sum(p.amount_minor) FILTER (WHERE p.wallet_id IS NOT NULL) AS amount,
                   min(p.account) FILTER (WHERE p.wallet_id IS NULL) AS account,
                   min(j.occurred_at) AS at
            FROM wallets_journal j JOIN wallets_posting p ON p.journal_id = j.id
            WHERE j.source = 'top_up' GROUP BY j.source_id
        )
        SELECT coalesce(t.id, b.id) FROM wallets_topup t FULL JOIN booked b ON b.id = t.id
        WHERE t.id IS NULL OR (b.id IS NULL AND t.state = ANY (%(charged)s))
            OR (b.id IS NOT NULL AND (t.state = ANY (%(not_posted)s)
                OR (t.wallet_id, t.wallet_id, t.amount_minor, 'funding_' || t.source)
                    IS DISTINCT FROM (b.wallet_id, b.another, b.amount, b.account)
                OR (t.occurred_at <> b.at AND NOT EXISTS (
                    SELECT FROM wallets_topuptransition l
                    WHERE l.subject_id = t.id AND l.transition = 'post'))))
        """,
        "top-up {0} is not what its journals booked",
        {"charged": list(TopUp.CHARGED), "not_posted": list(TopUp.NOT_POSTED)},
    ) + rows(
        """
        WITH booked AS (
            SELECT j.source_id AS id, min(p.wallet_id) AS wallet_id, max(p.wallet_id) AS another,
                   coalesce(-sum(p.amount_minor) FILTER (WHERE p.account = 'wallet_paid'
                       AND j.kind IN ('pay', 'reserve')), 0) AS paid,
                   coalesce(-sum(p.amount_minor) FILTER (WHERE p.account = 'wallet_bonus'
                       AND j.kind IN ('pay', 'reserve')), 0) AS bonus,
                   coalesce(sum(p.amount_minor) FILTER (WHERE p.account = 'merchants'), 0)
                       AS merchants,
                   coalesce(sum(p.amount_minor) FILTER (WHERE p.account = 'reservations'), 0)
                       AS reserved,
                   min(j.occurred_at) FILTER (WHERE j.kind IN ('pay', 'reserve')) AS at
            FROM wallets_journal j JOIN wallets_posting p ON p.journal_id = j.id
            WHERE j.source = 'payment' GROUP BY j.source_id
        )
        SELECT coalesce(p.id, b.id) FROM wallets_payment p FULL JOIN booked b ON b.id = p.id
        WHERE (p.wallet_id, p.wallet_id, p.paid_part_minor, p.bonus_part_minor, p.amount_minor,
               CASE WHEN p.state = ANY (%(spent)s) THEN p.amount_minor ELSE 0 END,
               CASE WHEN p.state = ANY (%(in_flight)s) THEN p.amount_minor ELSE 0 END,
               p.occurred_at)
            IS DISTINCT FROM
              (b.wallet_id, b.another, b.paid, b.bonus, b.paid + b.bonus, b.merchants, b.reserved,
               b.at)
        """,
        "payment {0} is not what its journals booked",
        {"spent": list(Payment.TAKEN), "in_flight": list(Payment.IN_FLIGHT)},
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


@invariant("I33", "The digest of the sealed snapshot is that of its lines", about=About.MONEY)
def snapshot_digest() -> list[str]:
    return rows(
        f"SELECT s.id FROM wallets_snapshot s, ({SEALED_LINES}) l"  # noqa: S608  a constant of ours
        " WHERE (s.paid_minor, s.bonus_minor, s.held_minor, s.digest)"
        " IS DISTINCT FROM (l.paid, l.bonus, l.held, l.digest)",
        "snapshot {0} has another digest than its lines",
    )
