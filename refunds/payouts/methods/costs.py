"""What the payout methods cost the operator: of what a plan pays, and of all that is owed."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    OuterRef,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)

from refunds.models import Entitlement, MethodTerms, RefundApplication
from refunds.payouts.methods.registry import BANK, METHODS
from winddown.words import Text


@dataclass(frozen=True, slots=True)
class MethodCost:
    """One method with terms: what it would cost to pay by it all that it can carry of what is
    owed. Amounts are in minor units.
    """

    label: Text
    terms: MethodTerms
    refunds: int
    amount_minor: int
    cost_minor: int


def of_plan(transfers: QuerySet[Entitlement], vouchers: QuerySet[Entitlement]) -> dict[str, int]:
    """Returns the cost by method of what a plan would pay. A method without terms is left out."""
    asked = RefundApplication.objects.filter(entitlement=OuterRef("pk"), live=True)
    found = {}
    for terms in MethodTerms.objects.order_by("place"):
        rows = (
            transfers
            if terms.code == BANK
            else vouchers.annotate(by=Subquery(asked.values("method")[:1])).filter(by=terms.code)
        )
        found[f"cost_{terms.code}"] = _cost(rows, terms)
    return found


def of_all_owed() -> list[MethodCost]:
    """Returns each method with terms beside what is not paid yet and what paying it would cost."""
    found = []
    for terms in MethodTerms.objects.order_by("place", "code"):
        rows = Entitlement.objects.filter(
            state__in=Entitlement.UNPAID, amount_minor__lte=terms.amount_max_minor
        )
        seen = rows.aggregate(n=Count("pk"), sum=Sum("amount_minor", default=0))
        found.append(
            MethodCost(
                label=METHODS[terms.code].label,
                terms=terms,
                refunds=seen["n"],
                amount_minor=seen["sum"],
                cost_minor=_cost(rows, terms),
            )
        )
    return found


def _cost(rows: QuerySet[Entitlement], terms: MethodTerms) -> int:
    """Returns what it costs to pay each row by the method; nothing for amounts above its pairs."""
    each = Case(
        *(When(amount_minor__lte=most, then=Value(cost)) for most, cost in terms.costs),
        default=Value(0),
        output_field=BigIntegerField(),
    )
    return int(rows.annotate(cost=each).aggregate(total=Sum("cost", default=0))["total"])
