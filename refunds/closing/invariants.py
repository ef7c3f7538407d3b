"""The invariants of the end: the closing proof is found again, other ends are as signed, and what was
deleted is gone.
"""

from __future__ import annotations

from refunds.closing import proofs
from refunds.models import Entitlement, OtherEnd
from refunds.workflows.shred_personal_data import due
from winddown.evidence.invariants import About, invariant, rows


@invariant(
    "I71",
    "Until something moves, the closing proof is found again in the rows and the ledger",
    about=About.EVIDENCE,
)
def proof_not_found_again() -> list[str]:
    proof = proofs.current()
    if proof is None:
        return []
    return [f"{proof}: {sentence}" for sentence in proofs.found_again(proof)]


@invariant(
    "I75",
    "An institution has exactly the refunds that the newest list of two people says",
    about=About.MONEY,
)
def other_ends_differ() -> list[str]:
    return rows(
        """
        SELECT e.id, e.state, coalesce(last.kind, 'none') FROM refunds_entitlement e
        LEFT JOIN LATERAL (
            SELECT d.kind FROM refunds_otherendline l JOIN refunds_otherend d ON d.id = l.end_id
            WHERE l.entitlement_id = e.id ORDER BY l.id DESC LIMIT 1) last ON true
        WHERE (last.kind IS NOT NULL OR e.state = ANY (%(elsewhere)s))
            AND (CASE last.kind WHEN %(claimed)s THEN %(deposited)s ELSE last.kind END
                = e.state OR last.kind = %(returned)s AND e.state <> ALL (%(elsewhere)s))
                IS NOT TRUE
        """,
        "refund {0} is {1}, its newest list says {2}",
        {
            "elsewhere": list(Entitlement.ELSEWHERE),
            "claimed": OtherEnd.Kind.CLAIMED,
            "deposited": OtherEnd.Kind.DEPOSITED,
            "returned": OtherEnd.Kind.RETURNED,
        },
    ) + rows(
        """
        SELECT d.id, d.total_minor, d.items, sum(coalesce(l.taken_minor, e.amount_minor)), count(*)
        FROM refunds_otherend d JOIN refunds_otherendline l ON l.end_id = d.id
        JOIN refunds_entitlement e ON e.id = l.entitlement_id
        GROUP BY d.id HAVING (d.total_minor, d.items::bigint)
            <> (sum(coalesce(l.taken_minor, e.amount_minor)), count(*))
        """,
        "list {0} says {1} for {2} refunds, its lines {3} for {4}",
    )


@invariant("I90", "What was deleted cannot be read any more", about=About.EVIDENCE)
def deleted_data_can_be_read() -> list[str]:
    return [
        f"{name}: {left} rows say something although the data of their people were deleted"
        for name, left in due.readable().items()
    ]
