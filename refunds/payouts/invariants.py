"""The invariants of the bank's files: ties of bank days, matches, and files that are void."""

from __future__ import annotations

from refunds.models import ReconciliationBreak
from winddown.evidence.invariants import About, invariant, rows


@invariant(
    "I72", "A movement that was matched is matched whole, and so is each payout", about=About.MONEY
)
def matches_in_part() -> list[str]:
    return rows(
        """
        SELECT k.id, k.amount_minor, sum(m.amount_minor) FROM refunds_breakmatch m
        JOIN refunds_reconciliationbreak k ON k.id = m.found_id
        GROUP BY k.id HAVING sum(m.amount_minor) <> k.amount_minor OR k.state <> %(resolved)s
        """,
        "break {0} of {1} is matched with {2}, or is open",
        {"resolved": ReconciliationBreak.State.RESOLVED},
    ) + rows(
        """
        SELECT o.id, o.amount_minor, sum(m.amount_minor) FROM refunds_breakmatch m
        JOIN refunds_payout o ON o.id = m.payout_id
        GROUP BY o.id, m.approval_id HAVING sum(m.amount_minor) <> o.amount_minor
        """,
        "payout {0} of {1} is matched with {2}",
    )


@invariant("I73", "The differences of a bank day come to what its tie names", about=About.EVIDENCE)
def ties_differ() -> list[str]:
    return rows(
        """
        SELECT t.bank_day, t.named_minor, coalesce(sum(d.amount_minor), 0)
        FROM refunds_bankdaytie t LEFT JOIN refunds_bankdaydifference d ON d.tie_id = t.id
        GROUP BY t.id HAVING t.named_minor <> coalesce(sum(d.amount_minor), 0)
        """,
        "the tie of {0} names {1}, its differences come to {2}",
    )


@invariant("I74", "Nothing stands that a void file of the bank had changed", about=About.MONEY)
def void_files_still_count() -> list[str]:
    return (
        rows(
            "SELECT o.id, v.file_id FROM refunds_payout o"
            " JOIN refunds_voidedfile v ON v.file_id = o.result_file_id",
            "payout {0} has its result from file {1}, which is void",
        )
        + rows(
            """
            SELECT j.id, coalesce(k.file_id, j.source_id) FROM wallets_journal j
            LEFT JOIN refunds_reconciliationbreak k ON j.source = 'break' AND k.id = j.source_id
            JOIN refunds_voidedfile v ON v.file_id = coalesce(k.file_id, j.source_id)
            WHERE j.source IN ('bank_file', 'break')
                AND NOT EXISTS (SELECT FROM wallets_journal r WHERE r.reverses_id = j.id)
            """,
            "journal {0} of file {1} stands, and the file is void",
        )
        + rows(
            """
            SELECT k.id, k.file_id FROM refunds_reconciliationbreak k
            JOIN refunds_voidedfile v ON v.file_id = k.file_id WHERE k.state = %(open)s
            """,
            "break {0} of file {1} is open, and the file is void",
            {"open": ReconciliationBreak.State.OPEN},
        )
    )
