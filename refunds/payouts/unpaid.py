"""What is owed and not paid, and what the bank paid beyond it: lists whose sums tie with the ledger."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import BigIntegerField, Case, F, Q, QuerySet, Value, When
from django.utils.translation import gettext_lazy as _

from refunds.models import Entitlement, Payout, ReconciliationBreak
from wallets.models import LedgerAccount
from winddown import clock, texts
from winddown.actors import Actor, require
from winddown.evidence import audit
from winddown.words import Text

_Kind = ReconciliationBreak.Kind
OVERPAID = (_Kind.PAID_TWICE, _Kind.PAID_AFTER_ALL, _Kind.UNKNOWN_DEBIT)
"""Kinds of breaks that say that money left for which nothing was owed."""
COMPENSATIONS = "compensations"

PERMISSION: Final = "refunds.reconcile"
TITLES: Mapping[str, Text] = {
    "unpaid": _("Owed and not paid"),
    "overpaid": _("Paid beyond what was owed"),
}


@dataclass(frozen=True, slots=True)
class Group:
    """So many amounts stand like this, and come to this sum. `state` is of an entitlement, or
    `COMPENSATIONS` for losses that are on their way to be paid.
    """

    state: str
    count: int
    sum_minor: int


@dataclass(frozen=True, slots=True)
class Tie:
    """What the ledger says, and what the rows come to. The difference must be 0."""

    title: Text
    ledger_minor: int
    rows_minor: int

    @property
    def difference_minor(self) -> int:
        return self.ledger_minor - self.rows_minor


@dataclass(frozen=True, slots=True)
class UnpaidPage:
    """The groups of what is not paid with their tie, and the open and cleared overpayments."""

    at: dt.datetime
    groups: list[Group]
    ties: list[Tie]
    overpaid: list[Any]
    overpaid_minor: int
    compensations: str = COMPENSATIONS


# One statement reads the rows and the ledger of the same moment.
_GROUPS = """
    WITH e AS (
        SELECT state, count(*) AS n, sum(amount_minor) AS amount FROM refunds_entitlement
        WHERE state = ANY (%(unpaid)s) GROUP BY 1
        UNION ALL
        SELECT %(compensations)s, count(*), coalesce(sum(amount_minor), 0) FROM refunds_payout
        WHERE remedy_id IS NOT NULL AND state = ANY (%(in_flight)s)
    ), p AS (
        SELECT coalesce(sum(amount_minor) FILTER (WHERE account = %(payable)s), 0) AS payable,
            coalesce(sum(amount_minor) FILTER (WHERE account = %(flying)s), 0) AS flying,
            coalesce(sum(amount_minor) FILTER (WHERE account = %(bank)s), 0) AS bank
        FROM wallets_posting WHERE account IN (%(payable)s, %(flying)s, %(bank)s)
    ), o AS (
        SELECT coalesce(sum(amount_minor), 0) AS settled FROM refunds_payout
        WHERE state = ANY (%(arrived)s)
    )
    SELECT e.state, e.n, e.amount, p.payable, p.flying, p.bank, o.settled FROM e, p, o ORDER BY 1
"""


def look() -> UnpaidPage:
    """Returns both lists as they are now, with their ties."""
    with connection.cursor() as cursor:
        cursor.execute(
            _GROUPS,
            {
                "unpaid": list(Entitlement.UNPAID),
                "in_flight": list(Payout.IN_FLIGHT),
                "arrived": list(Payout.ARRIVED),
                "compensations": COMPENSATIONS,
                "payable": LedgerAccount.REFUNDS_PAYABLE,
                "flying": LedgerAccount.PAYOUTS_IN_FLIGHT,
                "bank": LedgerAccount.BANK,
            },
        )
        found = cursor.fetchall()
    groups = [Group(state, count, int(amount)) for state, count, amount, *_rest in found]
    payable, flying, bank, settled = (int(each) for each in found[0][3:])
    owed = sum(each.sum_minor for each in groups if each.state in Entitlement.OWED)
    on_the_way = sum(
        each.sum_minor for each in groups if each.state in (Entitlement.State.PAYING, COMPENSATIONS)
    )
    breaks = list(_overpaid()[:SHOWN_MAX])
    return UnpaidPage(
        at=clock.now(),
        groups=[each for each in groups if each.count],
        ties=[
            Tie(_("Owed, not on its way"), payable, owed),
            Tie(_("On its way to the bank or through it"), flying, on_the_way),
            Tie(_("Paid, as the bank confirmed"), bank, settled),
        ],
        overpaid=breaks,
        overpaid_minor=sum(each.over_minor for each in _overpaid()),
    )


SHOWN_MAX = 200


def _overpaid() -> QuerySet[Any]:
    """Returns the breaks about money for which nothing was owed, each with `over_minor`. None of it
    is in the ledger: what comes back is booked when it comes.
    """
    more = Q(kind=_Kind.AMOUNT_DIFFERS, amount_minor__gt=F("expected_minor"))
    return (
        ReconciliationBreak.objects.filter(Q(kind__in=OVERPAID) | more)
        .annotate(
            over_minor=Case(
                When(more, then=F("amount_minor") - F("expected_minor")),
                default=F("amount_minor"),
                output_field=BigIntegerField(),
            )
        )
        .order_by("state", "pk")
    )


def as_csv(name: str, *, query: str, actor: Actor, reason: str = "") -> str:
    """Returns the list as CSV: the query and the time, then the rows and their sum. No row names a
    person. The journal says who took it. Raises `NotPermitted`.
    """
    require(actor, PERMISSION, action="take a list of amounts out")
    header, lines = _LISTS[name]
    at = clock.now()
    found: list[list[Any]] = [list(line) for line in lines()]
    text = io.StringIO()
    out = csv.writer(text)
    head: list[Sequence[Any]] = [
        ["query", query],
        ["read_at", at.isoformat()],
        ["rows", len(found)],
        ["sum_minor", sum(int(line[-1]) for line in found)],
        [],
        header,
    ]
    for row in (*head, *found):
        out.writerow(texts.safe_in_spreadsheet(str(cell)) for cell in row)
    with transaction.atomic():
        audit.append(
            f"refunds.export_{name}", "refunds", actor=actor, reason=reason, rows=len(found)
        )
    return text.getvalue()


def _unpaid_lines() -> Iterator[tuple[Any, ...]]:
    yield from (
        Entitlement.objects.filter(state__in=Entitlement.UNPAID)
        .order_by("pk")
        .values_list("pk", "part", "state", "amount_minor")
        .iterator(chunk_size=2_000)
    )
    yield from (
        Payout.objects.filter(remedy__isnull=False, state__in=Payout.IN_FLIGHT)
        .order_by("pk")
        .annotate(of=Value(COMPENSATIONS))
        .values_list("remedy_id", Value(1), "of", "amount_minor")
        .iterator(chunk_size=2_000)
    )


def _overpaid_lines() -> Iterator[tuple[Any, ...]]:
    yield from _overpaid().values_list(
        "pk", "kind", "state", "payout_id", "reference", "over_minor"
    )


_LISTS: Mapping[str, tuple[tuple[str, ...], Callable[[], Iterable[tuple[Any, ...]]]]] = {
    "unpaid": (("number", "part", "state", "amount_minor"), _unpaid_lines),
    "overpaid": (
        ("break", "kind", "state", "payout", "reference", "over_minor"),
        _overpaid_lines,
    ),
}
