"""What the fraud can still cost: value that a thief can spend now, what comes in per hour, what is
held or recovered, what was paid from own funds, and the reserve for what is disputed.

Every figure is the sum of its rows, by one statement for both.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from refunds.attribution import claim_rules
from refunds.attribution.wallet_traces import wallet_traces
from refunds.claims import holding, reserve
from refunds.models import FraudClaim, Remedy
from wallets.models import Hold, LedgerAccount, Payment, TopUp, Wallet
from winddown import clock
from winddown.models import Capability
from winddown.programme import declared

PACE: Final = dt.timedelta(hours=24)
"""The time whose charges and payments of thieves make the pace per hour."""
OWN: Final = ""
"""The source of value that no charge of a thief brought: the holder's own that was made good."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row behind a figure, in minor units. `what` names it like a subject: `hold:7`."""

    claim_id: int | None
    what: str
    at: dt.datetime
    amount_minor: int
    source: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """What came in by one funding source: how much of it is spendable now, what thieves charged by it
    per hour of the last day, and since when its switch is off.
    """

    source: str
    spendable_minor: int
    per_hour_minor: int
    stopped_at: dt.datetime | None

    @property
    def at_risk_minor(self) -> int:
        """Returns what comes in per hour from now on if nothing is switched."""
        return 0 if self.stopped_at else self.per_hour_minor


@dataclass(frozen=True, slots=True)
class Exposure:
    """The figures as of `at`, in minor units. `spent_per_hour_minor` is the pace at which thieves
    paid in the last day.
    """

    at: dt.datetime
    sources: list[Source]
    spent_per_hour_minor: int
    spending_stopped_at: dt.datetime | None
    figures: dict[str, int]

    @property
    def spendable_minor(self) -> int:
        return sum(each.spendable_minor for each in self.sources)

    @property
    def at_risk_minor(self) -> int:
        return sum(each.at_risk_minor for each in self.sources)


def now() -> Exposure:
    """Returns the exposure of this moment."""
    at = clock.now()
    off = dict(
        Capability.objects.exclude(state=Capability.State.ENABLED).values_list("code", "since")
    )
    spendable: dict[str, int] = defaultdict(int)
    for row in spendable_rows():
        spendable[row.source] += row.amount_minor
    charged = _per_hour(_CHARGED, at=at)
    return Exposure(
        at=at,
        sources=[
            Source(
                source,
                spendable.get(source, 0),
                charged.get(source, 0),
                off.get(f"{declared.TOP_UP}:{source}"),
            )
            for source in sorted({*spendable, *charged})
        ],
        spent_per_hour_minor=_per_hour(_PAID, at=at).get("", 0),
        spending_stopped_at=off.get("spend"),
        figures={code: _sum(code) for code in _ROWS},
    )


def rows(code: str) -> list[Row]:
    """Returns the rows behind the figure `code`, the newest first. `spendable` has those of every
    source. Raises `KeyError` for a figure that does not exist.
    """
    if code == "spendable":
        return spendable_rows()
    with connection.cursor() as cursor:
        cursor.execute(f"{_ROWS[code]} ORDER BY at DESC, what", _parameters())
        return [Row(claim, what, at, int(amount)) for claim, what, at, amount in cursor]


CODES: Final = (
    "spendable",
    "held",
    "recovered",
    "issuers",
    "own_funds",
    "loss_account",
    "reserve",
)


def spendable_rows() -> list[Row]:
    """Returns the thieves' value that is free in a wallet that can pay, by claim and source. There is
    none while spending is stopped.
    """
    if Capability.objects.filter(code="spend").exclude(state=Capability.State.ENABLED).exists():
        return []
    claims = dict(
        FraudClaim.objects.filter(
            state__in=FraudClaim.OPEN, wallet__state__in=Wallet.SPENDABLE
        ).values_list("pk", "opened_at")
    )
    amounts = {claim: amount for claim, _wallet, amount in holding.tainted(claims.keys())}
    traces = wallet_traces(amounts.keys(), policy=claim_rules.tracing_policy())
    lots = {claim: trace.paid.thief_left for claim, trace in traces.items()}
    keys = {lot.lot for parts in lots.values() for lot in parts}
    sources = _sources({int(key.partition(":")[2]) for key in keys})
    found = []
    for claim, amount in sorted(amounts.items()):
        left = amount
        of: dict[str, int] = defaultdict(int)
        # What is held already is the oldest.
        for lot in reversed(lots[claim]):
            part = min(lot.amount_minor, left)
            of[sources[int(lot.lot.partition(":")[2])]] += part
            left -= part
        of[OWN] += left
        found += [
            Row(claim, f"claim:{claim}", claims[claim], part, source)
            for source, part in sorted(of.items())
            if part
        ]
    return found


def _sources(top_ups: set[int]) -> dict[int, str]:
    return dict(TopUp.objects.filter(pk__in=top_ups).values_list("pk", "source"))


def _parameters() -> dict[str, Any]:
    return {
        **reserve.parameters(),
        "keeping": list(Hold.KEEPING),
        "clawed_back": list(Hold.CLAWED_BACK),
        "held": Wallet.State.HELD,
        "open": list(FraudClaim.OPEN),
        "done": list(Remedy.DONE),
        "by_issuer": [*Remedy.BY_ISSUER, Remedy.Kind.CHARGEBACK_ACCEPTED],
        "loss": LedgerAccount.FRAUD_LOSS,
    }


def _sum(code: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT coalesce(sum(amount_minor), 0)::bigint FROM ({_ROWS[code]}) behind",  # noqa: S608
            _parameters(),
        )
        return int(cursor.fetchone()[0])


_HOLDS: Final = """
    SELECT split_part(h.reason, ':', 2)::bigint AS claim_id, 'hold:' || h.id AS what,
        h.since AS at, h.amount_minor
    FROM wallets_hold h
    WHERE h.reason ~ '^claim:[0-9]+$' AND h.state = ANY (%({states})s)
"""
_REMEDIES: Final = """
    SELECT l.claim_id, 'remedy:' || r.id AS what, r.remedied_at AS at, r.amount_minor
    FROM refunds_remedy r JOIN refunds_loss l ON l.id = r.loss_id
    WHERE r.state = ANY (%(done)s) AND {which}
"""
# A wallet that is held whole keeps all its value, beside what is held in part.
_HELD_WHOLE: Final = """
    SELECT c.id, 'wallet:' || w.id, c.opened_at, w.paid_minor - w.held_minor
    FROM refunds_fraudclaim c JOIN wallets_wallet w ON w.id = c.wallet_id
    WHERE w.state = %(held)s AND c.state = ANY (%(open)s) AND w.paid_minor > w.held_minor
"""
_RESERVED: Final = (
    "SELECT claim_id, 'claim:' || claim_id AS what, at, amount_minor FROM ({}) reserved"
)
# For each figure its rows: claim, what it is, when it began, and the amount.
_ROWS: Final[dict[str, str]] = {
    "held": " UNION ALL ".join((_HOLDS.format(states="keeping"), _HELD_WHOLE)),
    "recovered": _HOLDS.format(states="clawed_back"),
    "issuers": _REMEDIES.format(which="r.kind = ANY (%(by_issuer)s)"),
    "own_funds": _REMEDIES.format(which="r.kind <> ALL (%(by_issuer)s)"),
    # A debit of the account is a loss.
    "loss_account": """
        SELECT NULL::bigint AS claim_id, j.source || ':' || j.source_id AS what,
            j.occurred_at AS at, -p.amount_minor AS amount_minor
        FROM wallets_posting p JOIN wallets_journal j ON j.id = p.journal_id
        WHERE p.account = %(loss)s
    """,
    "reserve": _RESERVED.format(reserve.RESERVED),
}


# What belongs to thieves: named as a loss, or in the evidence of a claim that was not dismissed.
_CHARGED: Final = """
    SELECT t.source, sum(t.amount_minor) FROM wallets_topup t
    WHERE t.occurred_at > %(since)s AND t.occurred_at <= %(at)s AND t.state = ANY (%(charged)s)
        AND t.id IN (
            SELECT l.top_up_id FROM refunds_loss l WHERE l.dropped_at IS NULL
            UNION ALL
            SELECT top_up.id::bigint FROM refunds_rulehit h
            JOIN refunds_fraudclaim c ON c.id = h.claim_id AND c.state <> ALL (%(dismissed)s),
                jsonb_array_elements_text(h.evidence->'top_ups') AS top_up (id)
            WHERE NOT EXISTS (SELECT FROM refunds_loss l
                WHERE l.claim_id = c.id AND l.dropped_at IS NULL))
    GROUP BY 1
"""
_PAID: Final = """
    SELECT '', sum(p.amount_minor) FROM wallets_payment p
    WHERE p.occurred_at > %(since)s AND p.occurred_at <= %(at)s AND p.state = ANY (%(paid)s)
        AND p.id IN (
            SELECT y.payment_id FROM refunds_paymentpayer y
            WHERE y.replaced_at IS NULL AND y.payer = 'thief'
            UNION ALL
            SELECT payment.id::bigint FROM refunds_rulehit h
            JOIN refunds_fraudclaim c ON c.id = h.claim_id AND c.state <> ALL (%(dismissed)s),
                jsonb_array_elements_text(h.evidence->'payments') AS payment (id)
            WHERE NOT EXISTS (SELECT FROM refunds_paymentpayer y
                WHERE y.claim_id = c.id AND y.replaced_at IS NULL))
"""


def _per_hour(sql: str, *, at: dt.datetime) -> dict[str, int]:
    """Returns what thieves moved per hour of the last day, rounded up, by source."""
    hours = PACE // dt.timedelta(hours=1)
    with connection.cursor() as cursor:
        cursor.execute(
            sql,
            {
                "since": at - PACE,
                "at": at,
                "charged": list(TopUp.CHARGED),
                "paid": list(Payment.TAKEN),
                "dismissed": list(FraudClaim.DISMISSED),
            },
        )
        return {source: -(-int(amount) // hours) for source, amount in cursor if amount}
