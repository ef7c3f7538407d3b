"""The unclaimed register: refunds that nobody has applied for, that were excluded, or deposited."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, Exists, F, Min, OuterRef, QuerySet, Sum

from refunds.closing import other_ends
from refunds.models import (
    Entitlement,
    EntitlementTransition,
    OtherEnd,
    OtherEndLine,
    RefundApplication,
)
from winddown.actors import Actor, require
from winddown.evidence import audit
from winddown.models import Programme

PERMISSION: Final = "winddown.post_exclusion"
COLUMNS: Final = (
    "wallet_ref",
    "refund",
    "part",
    "amount_minor",
    "currency",
    "state",
    "since",
    "institution",
    "reference",
)
_State = Entitlement.State


@dataclass(frozen=True, slots=True)
class Line:
    """One state of the register: refunds, their sum, and the day of the oldest."""

    state: str
    refunds: int
    amount_minor: int


def rows() -> QuerySet[Entitlement]:
    """Returns the register: excluded, deposited and not claimed there, or owed without an application
    that is under way.
    """
    applied = RefundApplication.objects.filter(entitlement=OuterRef("pk"), live=True).exclude(
        state=RefundApplication.State.DRAFT
    )
    claimed = OtherEndLine.objects.filter(
        entitlement=OuterRef("pk"), end__kind=OtherEnd.Kind.CLAIMED
    )
    ended = Entitlement.objects.filter(
        ~Exists(claimed), state__in=[_State.EXCLUDED, _State.DEPOSITED]
    )
    waiting = Entitlement.objects.filter(~Exists(applied), state__in=Entitlement.APPLICABLE)
    return ended | waiting


def lines() -> list[Line]:
    """Returns the sums of the register by state."""
    counted = rows().values("state").annotate(n=Count("pk"), sum=Sum("amount_minor"))
    return [Line(row["state"], row["n"], row["sum"]) for row in counted.order_by("state")]


def content(*, actor: Actor, reason: str) -> Iterator[bytes]:
    """Yields the register as CSV in UTF-8, by wallet. The journal says who took it out."""
    require(actor, PERMISSION, action="read the unclaimed register")
    with transaction.atomic():
        audit.append("unclaimed.export", "unclaimed_register", actor=actor, reason=reason)
    return _pieces()


def _pieces() -> Iterator[bytes]:
    currency = Programme.current().currency
    since = (
        EntitlementTransition.objects.filter(subject_id=OuterRef("pk"), target=OuterRef("state"))
        .order_by()
        .values("subject_id")
        .annotate(at=Min("at"))
        .values("at")
    )
    found = (
        rows()
        .annotate(
            ref=F("wallet__wallet_ref"),
            since=since,
            institution=other_ends.last_of("institution"),
            reference=other_ends.last_of("reference"),
        )
        .order_by("ref", "part")
        .values_list(
            "ref", "pk", "part", "amount_minor", "state", "since", "institution", "reference"
        )
    )
    yield _encoded([COLUMNS])
    for ref, pk, part, amount, state, at, institution, reference in found.iterator(
        chunk_size=5_000
    ):
        yield _encoded(
            [
                (
                    ref,
                    pk,
                    part,
                    amount,
                    currency,
                    state,
                    f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else "",
                    institution or "",
                    reference or "",
                )
            ]
        )


def _encoded(table: list[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(table)
    return text.getvalue().encode()
