"""The report of a replay: the money table, the published figures beside the reproduced ones, and
the checks. It is kept as a file.
"""

from __future__ import annotations

import json
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncDate

from refunds.claims import figures
from refunds.invariants import without_a_door
from refunds.models import (
    Chargeback,
    Entitlement,
    EntitlementTransition,
    FraudClaim,
    FraudClaimTransition,
    Payout,
    PayoutView,
    Remedy,
    RemedyTransition,
)
from rehearsal.direct import doors_missing
from wallets.models import Hold
from winddown import clock
from winddown.authority import roles
from winddown.evidence import invariants


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the money table, in minor units. Value that leaves the wallets is negative."""

    line: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Figure:
    """A published figure beside the reproduced one. An estimate is scaled to the replay's accounts."""

    what: str
    as_of: str
    published: int
    reproduced: int
    tolerance: float = 0.0

    @property
    def holds(self) -> bool:
        return abs(self.published - self.reproduced) <= self.tolerance * self.published


@dataclass(slots=True)
class Phase:
    name: str
    rows: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Report:
    """The report, which the replay fills. `write` stores it, and `passed` is the verdict."""

    accounts: int
    seed: int
    victims: int = 0
    damage_minor: int = 0
    difference_minor: int | None = None
    money: list[Line] = field(default_factory=list)
    remedies: dict[str, dict[str, int]] = field(default_factory=dict)
    refunds: dict[str, dict[str, int]] = field(default_factory=dict)
    fraud: dict[str, Any] = field(default_factory=dict)
    """What became of claims and chargebacks, and what was taken back from thieves."""
    views: list[dict[str, Any]] = field(default_factory=list)
    """The payout views in their order: what could be paid, what not, and what goes straight through."""
    paid_by_day: list[dict[str, Any]] = field(default_factory=list)
    """The share of people and of the amount that was paid by the end of each day with payouts."""
    returned_after_paid: int = 0
    reissued: int = 0
    stuck: int = 0
    """Amounts that no door moves on."""
    open_at_the_end: list[str] = field(default_factory=list)
    """What keeps the programme from its completion, one sentence each."""
    plan: str = ""
    measures: list[str] = field(default_factory=list)
    kinds: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """How many of each kind of people went through forms, and how many came by file."""
    reminders: int = 0
    statements: int = 0
    identity: list[dict[str, Any]] = field(default_factory=list)
    """Where all that is entitled was at the end of each day of the refund."""
    figures: list[Figure] = field(default_factory=list)
    checks: dict[str, bool] = field(default_factory=dict)
    breached: dict[str, list[str]] = field(default_factory=dict)
    phases: list[Phase] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    """From the start until the books were closed, by the clock."""
    peak_memory_kib: int = 0
    commands: dict[str, int] = field(default_factory=dict)
    """How often each command was run in a shell."""
    forms: Counter[str] = field(default_factory=Counter)
    """How often the form of each page was sent by somebody and took effect."""
    customers: int = 0
    """How many customers went through the pages."""
    staff: list[str] = field(default_factory=list)
    """The roles of those who signed in at the console."""

    @contextmanager
    def phase(self, name: str) -> Iterator[Phase]:
        """The time inside is the time of the phase. The caller fills in its rows."""
        phase = Phase(name)
        self.phases.append(phase)
        started = time.monotonic()
        try:
            yield phase
        finally:
            phase.seconds = round(time.monotonic() - started, 3)

    def note_memory(self, kib: int = 0) -> None:
        """The peak is at least the memory that this process has used, and at least `kib`."""
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.peak_memory_kib = max(self.peak_memory_kib, own, kib)

    def close_books(self) -> None:
        """The report has the money table, remedies, refunds and invariants of the database now."""
        self.money = money_table()
        self.remedies = _sums(Remedy.objects.filter(state=Remedy.State.REMEDIED), by="kind")
        self.refunds = _sums(Entitlement.objects.all(), by="state")
        self.fraud = _fraud()
        self.checks["customers and one of each kind of staff acted by forms"] = (
            self.customers > 0 and set(self.staff) == set(roles.ROLES)
        )
        self._close_refunds()
        made_good = sum(remedy["amount_minor"] for remedy in self.remedies.values())
        self.checks["every confirmed loss is made good, once"] = made_good == self.damage_minor
        self.difference_minor = sum(line.amount_minor for line in self.money)
        self.breached = invariants.breached()

    def _close_refunds(self) -> None:
        views = PayoutView.objects.order_by("pk")
        self.views = [_told(view) for view in views]
        self.checks["both payout views came to what was owed, each time"] = bool(views) and not any(
            view.difference_minor for view in views
        )
        self.paid_by_day = paid_by_day()
        self.returned_after_paid = EntitlementTransition.objects.filter(
            transition="give_back", source=Entitlement.State.PAID
        ).count()
        self.reissued = Payout.objects.filter(entitlement__isnull=False, attempt__gt=1).count()
        self.stuck = len(without_a_door())
        self.checks["nothing is stuck"] = self.stuck == 0
        self.checks["what is entitled was all accounted for at the end of each day"] = bool(
            self.identity
        ) and not any(day["difference"] for day in self.identity)

    @property
    def passed(self) -> bool:
        return (
            self.difference_minor == 0
            and not self.breached
            and all(self.checks.values())
            and all(figure.holds for figure in self.figures)
        )

    def write(self, path: Path) -> None:
        content: dict[str, Any] = {
            "accounts": self.accounts,
            "seed": self.seed,
            "victims": self.victims,
            "damage_minor": self.damage_minor,
            "difference_minor": self.difference_minor,
            "money": [asdict(line) for line in self.money],
            "remedies": self.remedies,
            "refunds": self.refunds,
            **self.fraud,
            "views": self.views,
            "straight_through": self.views[-1]["straight_through"] if self.views else None,
            "paid_by_day": self.paid_by_day,
            "returned_after_paid": self.returned_after_paid,
            "reissued": self.reissued,
            "stuck": self.stuck,
            "open_at_the_end": self.open_at_the_end,
            "plan": {"code": self.plan, "measures": self.measures},
            "kinds": {kind: dict(ways) for kind, ways in sorted(self.kinds.items())},
            "reminders": self.reminders,
            "statements": self.statements,
            "identity": self.identity,
            "doors_missing": doors_missing(),
            "figures": [asdict(figure) | {"holds": figure.holds} for figure in self.figures],
            "checks": self.checks,
            "invariants": {"checked": len(invariants.known()), "breached": self.breached},
            "seconds": round(self.seconds, 1),
            "phases": [asdict(phase) for phase in self.phases],
            "acts": {
                "by_forms": {
                    "customers": self.customers,
                    "staff": self.staff,
                    "forms": dict(sorted(self.forms.items())),
                },
                "by_commands": dict(sorted(self.commands.items())),
            },
            "peak_memory_mib": round(self.peak_memory_kib / 1024, 1),
            "passed": self.passed,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _fraud() -> dict[str, Any]:
    """Returns claims and chargebacks by state, how often claims were appealed or reopened and routes
    contested, who was hit after the charges were stopped, and what was clawed back.
    """
    late = [each for each in figures.as_known(as_of=clock.now()).counts if each.by == figures.LATE]
    clawed_back = Hold.objects.filter(state__in=Hold.CLAWED_BACK)
    moved = FraudClaimTransition.objects.filter
    return {
        "claims": _counts(FraudClaim.objects.all()),
        "chargebacks": _counts(Chargeback.objects.all()),
        "appeals": moved(transition="appeal").count(),
        "reopened": moved(transition="reopen").count(),
        "contested": RemedyTransition.objects.filter(transition="contest").count(),
        "late_victims": sum(each.victims for each in late),
        "claw_back": {
            "count": clawed_back.count(),
            "amount_minor": clawed_back.aggregate(sum=Sum("amount_minor", default=0))["sum"],
        },
    }


def _counts(rows: QuerySet[Any]) -> dict[str, int]:
    counted = rows.order_by("state").values_list("state").annotate(n=Count("pk"))
    return dict(counted)


# The paid and bonus value of all wallets, by the kind of journal and the bucket it went into.
_LINES = (
    ("opening balance", "false"),
    ("top-ups", "j.kind = 'top_up' AND p.account IN ('wallet_paid', 'wallet_bonus')"),
    ("payments", "j.kind IN ('pay', 'reserve') AND p.account IN ('wallet_paid', 'wallet_bonus')"),
    (
        "payments reversed or void",
        "j.kind IN ('reverse', 'settle') AND p.account IN ('wallet_paid', 'wallet_bonus')",
    ),
    (
        "clawed back from thieves",
        "j.kind = 'claw_back' AND p.account IN ('wallet_paid', 'wallet_bonus')",
    ),
    ("bonus value ended", "p.account = 'bonus_expired'"),
    ("refunds paid by the bank", "p.account = 'bank' AND j.kind LIKE 'refund%'"),
    ("refunds in flight", "p.account = 'payouts_in_flight'"),
    ("refunds still owed", "p.account = 'refunds_payable'"),
    ("transferred to another issuer", "p.account = 'transferred'"),
    ("deposited with the authority", "p.account = 'deposited'"),
    ("excluded, unclaimed", "p.account = 'unclaimed'"),
    ("still in wallets", "p.account IN ('wallet_paid', 'wallet_bonus')"),
)
_LEAVES = frozenset(
    {
        "bonus value ended",
        "refunds paid by the bank",
        "refunds in flight",
        "refunds still owed",
        "transferred to another issuer",
        "deposited with the authority",
        "excluded, unclaimed",
        "still in wallets",
    }
)


def _sums(rows: QuerySet[Any], *, by: str) -> dict[str, dict[str, int]]:
    """Returns how many rows and how much, by value of the column `by`."""
    groups = rows.values(by).annotate(n=Count("pk"), amount=Sum("amount_minor")).order_by(by)
    return {row[by]: {"count": row["n"], "amount_minor": row["amount"]} for row in groups}


def _told(view: PayoutView) -> dict[str, Any]:
    """Returns the payout view as the report tells it."""
    return {
        "as_of": view.as_of.isoformat(),
        "payable": {"count": view.payable_rows, "amount_minor": view.payable_minor},
        "excluded": {"count": view.excluded_rows, "amount_minor": view.excluded_minor},
        "straight_through": {"people": view.people_share, "amount": view.amount_share},
        "difference_minor": view.difference_minor,
    }


def paid_by_day() -> list[dict[str, Any]]:
    """Returns, for each day on which the bank paid, the shares that had been paid by its end."""
    owed = Entitlement.objects.aggregate(rows=Count("pk"), amount=Sum("amount_minor", default=0))
    paid = (
        Payout.objects.filter(state=Payout.State.SETTLED, entitlement__isnull=False)
        .annotate(day=TruncDate("result_at"))
        .values("day")
        .annotate(rows=Count("pk"), amount=Sum("amount_minor"))
        .order_by("day")
    )
    told, rows, amount = [], 0, 0
    for each in paid:
        rows, amount = rows + each["rows"], amount + each["amount"]
        told.append(
            {
                "day": each["day"].isoformat(),
                "people": round(rows / owed["rows"], 4),
                "amount": round(amount / owed["amount"], 4),
            }
        )
    return told


def money_table() -> list[Line]:
    """Returns the lines: opening + top-ups - payments - ... - what each bucket holds.

    They sum to 0 when every unit is in a bucket.
    """
    selected = ", ".join(
        f"coalesce(sum(p.amount_minor) FILTER (WHERE {condition}), 0)" for _, condition in _LINES
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {selected} FROM wallets_posting p JOIN wallets_journal j ON j.id = p.journal_id"  # noqa: S608
        )
        sums = cursor.fetchone()
    return [
        Line(name, -int(amount) if name in _LEAVES else int(amount))
        for (name, _), amount in zip(_LINES, sums, strict=True)
    ]
