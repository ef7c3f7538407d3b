"""The reserve for disputed claims: what the funds must hold beside the refunds until it is decided."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

from django.db import connection, transaction

from refunds.models import FraudClaim, ReserveRelease
from wallets.models import TopUp
from winddown import clock
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.models import Approval

SUBJECT: Final = "claim_reserve"
STAGE: Final = "reserve"
PERMISSION: Final = "refunds.decide_claim"
DISPUTING: Final = tuple(
    state for state in FraudClaim.UNDECIDED if state != FraudClaim.State.CANDIDATE
)
"""Somebody says that the value is not the thief's to keep, and two people have not agreed yet. A
candidate is a suspicion of ours."""

# One row for each claim with a reserve: its number, when it was opened, and the amount. A rejection
# drops the losses, and they stay disputed until the time to appeal is over.
RESERVED: Final = """
    WITH disputed AS (
        SELECT c.id AS claim_id, c.opened_at AS at,
            CASE WHEN EXISTS (SELECT FROM refunds_loss l WHERE l.claim_id = c.id
                AND l.dropped_at IS NULL) OR c.state = %(rejected)s
            THEN (SELECT coalesce(sum(l.amount_minor), 0) FROM refunds_loss l
                WHERE l.claim_id = c.id AND l.confirmed_at IS NULL
                    AND (l.dropped_at IS NULL
                        OR (c.state = %(rejected)s AND l.dropped_at = c.rejected_at)))
            ELSE (SELECT coalesce(sum(t.amount_minor), 0) FROM wallets_topup t
                WHERE t.state = ANY (%(charged)s) AND t.id IN (
                    SELECT top_up.id::bigint FROM refunds_rulehit h,
                        jsonb_array_elements_text(h.evidence->'top_ups') AS top_up (id)
                    WHERE h.claim_id = c.id)) END AS amount_minor
        FROM refunds_fraudclaim c
        WHERE c.state = %(rejected)s OR c.state = ANY (%(disputing)s)
    )
    SELECT d.claim_id, d.at,
        (d.amount_minor - coalesce(r.amount_minor, 0))::bigint AS amount_minor
    FROM disputed d LEFT JOIN (
        SELECT claim_id, sum(amount_minor) AS amount_minor FROM refunds_reserverelease
        GROUP BY claim_id
    ) r ON r.claim_id = d.claim_id
    WHERE d.amount_minor > coalesce(r.amount_minor, 0)
"""


def parameters() -> dict[str, Any]:
    """Returns what `RESERVED` takes."""
    return {
        "rejected": FraudClaim.State.REJECTED,
        "disputing": list(DISPUTING),
        "charged": list(TopUp.CHARGED),
    }


def total_minor() -> int:
    """Returns the reserve for all disputed claims. It counts in the funding gate of the refunds and
    before each file of refunds leaves.
    """
    return _one(f"SELECT coalesce(sum(amount_minor), 0)::bigint FROM ({RESERVED}) r")  # noqa: S608


def reserved(claim_ids: Collection[int]) -> dict[int, int]:
    """Returns for each of the claims what is reserved for it; nothing for the others."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT claim_id, amount_minor FROM ({RESERVED}) r"  # noqa: S608  a constant
            " WHERE claim_id = ANY (%(claims)s) ORDER BY claim_id",
            {**parameters(), "claims": list(claim_ids)},
        )
        return dict(cursor.fetchall())


def _one(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters())
        return int(cursor.fetchone()[0])


def ask_release(claims: Iterable[FraudClaim], *, actor: Actor, reason: str) -> Approval:
    """A second person is asked to agree that the funds need not hold the reserve of these claims.

    Raises `GuardNotMet` when one of them has none.
    """
    require(actor, PERMISSION, action="release the reserve")
    ids = sorted(claim.pk for claim in claims)
    with transaction.atomic():
        content = _content(ids)
        without = [number for number in ids if str(number) not in content["claims"]]
        if without or not ids:
            raise GuardNotMet(
                action=says("release the reserve"),
                why=says("{n} of the claims have none", n=len(without)),
            )
        asked = approvals.ask_anew(
            SUBJECT,
            stage=STAGE,
            content=content,
            permission=PERMISSION,
            maker=actor,
            reason=reason,
        )
        audit.append(
            "claims.ask_reserve_release", asked.subject, actor=actor, reason=reason, n=len(ids)
        )
        return asked


def _content(claim_ids: Collection[int]) -> dict[str, dict[str, int]]:
    return {"claims": {str(number): amount for number, amount in reserved(claim_ids).items()}}


def _decided(said: approvals.Decided) -> object:
    """The reserve of the claims is free, as it was asked. Raises `PlanChanged` when it is another
    amount by now.
    """
    subject = f"{SUBJECT}:{said.key}"
    with transaction.atomic():
        asked = approvals.newest(subject)
        ids = [int(number) for number in asked.summary["claims"]]
        list(
            FraudClaim.objects.filter(pk__in=ids)
            .order_by("pk")
            .select_for_update(no_key=True)
            .values_list("pk")
        )
        signed = approvals.SignedList(
            subject, stage=STAGE, permission=PERMISSION, content=lambda: _content(ids)
        )
        signed.decide(
            actor=said.actor, digest=said.digest, reason=said.reason, approve=said.approve
        )
        if said.approve:
            at = clock.now()
            ReserveRelease.objects.bulk_create(
                ReserveRelease(
                    claim_id=int(number), amount_minor=amount, approval=asked, released_at=at
                )
                for number, amount in asked.summary["claims"].items()
            )
        audit.append(
            "claims.release_reserve",
            subject,
            actor=said.actor,
            reason=said.reason,
            approve=said.approve,
            amount_minor=sum(asked.summary["claims"].values()),
        )
        return asked


approvals.DECIDERS.add(SUBJECT, _decided)
