"""The refund's limits: adopted as a new version with a source, read as the newest one."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from refunds.bankfiles.transfer_items import Remitter
from refunds.models import RefundTerms
from winddown import clock
from winddown.actors import require
from winddown.errors import GuardNotMet
from winddown.evidence import audit


def adopt(*, actor: Any, reason: str, source: str, **limits: Any) -> RefundTerms:
    """These limits hold from now on; what is left out keeps its present value.

    `limits` are fields of `RefundTerms`; the first version needs the remitter's. Batches that are
    open or sealed keep the terms they were made under.
    """
    require(actor, "refunds.adopt_terms", action="adopt terms of the refund")
    with transaction.atomic():
        before = RefundTerms.objects.order_by("-pk").first()
        kept = {} if before is None else _values(before)
        terms = RefundTerms.objects.create(**(kept | limits), source=source, adopted_at=clock.now())
        audit.append(
            "terms.adopt", f"terms:{terms.pk}", actor=actor, reason=reason, changed=sorted(limits)
        )
        return terms


def current() -> RefundTerms:
    """The terms that hold; raises `GuardNotMet` before any were adopted."""
    terms = RefundTerms.objects.order_by("-pk").first()
    if terms is None:
        raise GuardNotMet(action="refund", why="no terms of the refund were adopted")
    return terms


def remitter(terms: RefundTerms) -> Remitter:
    """The account that pays, as the bank files name it."""
    return Remitter(
        code=terms.remitter_code,
        name=terms.remitter_name,
        bank_code=terms.bank_code,
        bank_name=terms.bank_name,
        branch_code=terms.branch_code,
        branch_name=terms.branch_name,
        account_type=terms.account_type,
        account_number=terms.account_number,
    )


def _values(terms: RefundTerms) -> dict[str, Any]:
    own = {"id", "source", "adopted_at"}
    return {
        field.attname: getattr(terms, field.attname)
        for field in RefundTerms._meta.concrete_fields
        if field.attname not in own
    }
