"""What is known of the fraud as of an instant: what was published, the damage by every breakdown, late
victims, and how often each rule was right. Each count leads to its rows.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.db import connection

from refunds.claims import damage
from refunds.claims.detection_ways import FIRST_WAY
from refunds.models import FraudClaim
from winddown.models import AuditEntry, Programme, PublishedFigure

ROWS_MAX: Final = 100_000

# The breakdowns of the damage, and the first way in which a victim was found. Each sums to the
# headline: a person counts once, under the first loss.
BY: Final = {**damage.BY, "first_way": FIRST_WAY}
# A victim counts under each way, so these do not sum to the headline.
ALL_WAYS: Final = "any_way"
LATE: Final = "late"

_KNOWN: Final = """
    SELECT c.id AS claim_id, c.wallet_id, l.id AS loss_id, l.hit_at, l.amount_minor,
        row_number() OVER (PARTITION BY c.wallet_id ORDER BY l.hit_at, l.id) = 1 AS first,
        min(l.hit_at) OVER (PARTITION BY c.wallet_id) AS first_hit_at, {values}
    FROM refunds_loss l JOIN refunds_fraudclaim c ON c.id = l.claim_id
    LEFT JOIN refunds_issuer i ON i.id = l.issuer_id
    WHERE l.confirmed_at <= %(as_of)s
"""
_WAYS: Final = """
    SELECT c.id AS claim_id, c.channel AS way FROM refunds_fraudclaim c WHERE c.channel <> %(rule)s
    UNION SELECT h.claim_id, r.code FROM refunds_rulehit h
        JOIN accounts_detectionrule r ON r.id = h.rule_id
    WHERE h.claim_id IS NOT NULL AND h.found_at <= %(as_of)s
"""
# The last of the charges was stopped then: who was hit later, lost what was in the wallet.
_STOPPED: Final = """
    SELECT max(first) FROM (
        SELECT min(t.at) AS first FROM winddown_capabilitytransition t
        JOIN winddown_capability y ON y.id = t.subject_id
        WHERE y.code LIKE 'top_up:%%' AND t.transition = 'stop' AND t.at <= %(as_of)s
        GROUP BY y.code) stops
"""


@dataclass(frozen=True, slots=True)
class Count:
    """How many victims and how much, of one value of a breakdown."""

    by: str
    value: str
    victims: int
    amount_minor: int

    @property
    def key(self) -> str:
        return f"{self.by}={self.value}" if self.by else "all"


@dataclass(frozen=True, slots=True)
class Published:
    """A headline as it was published, what was counted again for that instant now, and why it
    differs from the headline before.
    """

    as_of: dt.datetime
    victims: int
    amount_minor: int
    exact: bool
    now: damage.Figure | None
    victims_more: int
    amount_more_minor: int
    reason: str


@dataclass(frozen=True, slots=True)
class Precision:
    """What became of the claims that a rule hit: found true, found untrue, or not decided yet."""

    rule: str
    confirmed: int
    rejected: int
    undecided: int

    @property
    def percent(self) -> int | None:
        decided = self.confirmed + self.rejected
        return round(100 * self.confirmed / decided) if decided else None


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that is known as of `as_of` inclusive."""

    as_of: dt.datetime
    total: Count
    suspected: damage.Figure
    counts: list[Count]
    stopped_at: dt.datetime | None
    series: list[Published]
    precision: list[Precision]


@dataclass(frozen=True, slots=True)
class Row:
    """One loss behind a count."""

    claim_id: int
    loss_id: int
    hit_at: dt.datetime
    amount_minor: int


def as_known(*, as_of: dt.datetime) -> Figures:
    """Returns the figures as they were known at `as_of`, the same at any later time (rule 28)."""
    params = _params(as_of)
    values = ", ".join(f"{sql} AS {name}" for name, sql in BY.items())
    sets = ", ".join(f"({name})" for name in BY)
    named = " ".join(f"WHEN grouping({name}) = 0 THEN '{name}'" for name in BY)
    told = " ".join(f"WHEN grouping({name}) = 0 THEN {name}" for name in BY)
    with connection.cursor() as cursor:
        cursor.execute(_STOPPED, params)
        (stopped_at,) = cursor.fetchone()
        cursor.execute(
            f"WITH known AS MATERIALIZED ({_KNOWN.format(values=values)})"  # noqa: S608  our own SQL
            f" SELECT CASE {named} ELSE '' END, CASE {told} END, count(*) FILTER (WHERE first),"
            f" coalesce(sum(amount_minor), 0) FROM known GROUP BY GROUPING SETS ({sets}, ())"
            " UNION ALL SELECT %(any)s, w.way, count(*) FILTER (WHERE first), sum(amount_minor)"
            f" FROM known k JOIN ({_WAYS}) w ON w.claim_id = k.claim_id GROUP BY w.way"
            " UNION ALL SELECT %(late)s, '', count(*) FILTER (WHERE first),"
            " coalesce(sum(amount_minor), 0) FROM known WHERE first_hit_at >= %(stopped)s"
            " ORDER BY 1, 2",
            params | {"stopped": stopped_at or as_of},
        )
        found = [Count(by, value or "", n, int(amount)) for by, value, n, amount in cursor]
    return Figures(
        as_of=as_of,
        total=next(each for each in found if not each.by),
        suspected=damage.suspected(as_of=as_of),
        counts=[each for each in found if each.by],
        stopped_at=stopped_at,
        series=series(as_of=as_of),
        precision=precision(as_of=as_of),
    )


def _params(as_of: dt.datetime) -> dict[str, dt.datetime | str]:
    return {
        "as_of": as_of,
        "zone": Programme.current().time_zone,
        "rule": FraudClaim.Channel.RULE,
        "any": ALL_WAYS,
        "late": LATE,
    }


def rows(key: str, *, as_of: dt.datetime) -> list[Row]:
    """Returns the losses behind the count `key`, in the order in which they happened. A key that
    names no count has none.
    """
    by, _, value = key.partition("=")
    # The pieces are our own SQL.
    where = {ALL_WAYS: f"k.claim_id IN (SELECT claim_id FROM ({_WAYS}) w WHERE way = %(value)s)"}  # noqa: S608
    where |= {LATE: f"k.first_hit_at >= ({_STOPPED})", "all": "true"}
    where |= dict.fromkeys(BY, "k.value = %(value)s")
    if by not in where:
        return []
    values = BY.get(by, "NULL::text") + " AS value"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT k.claim_id, k.loss_id, k.hit_at, k.amount_minor"  # noqa: S608  our own SQL
            f" FROM ({_KNOWN.format(values=values)}) k WHERE {where[by]}"
            f" ORDER BY k.hit_at, k.loss_id LIMIT {ROWS_MAX}",
            _params(as_of) | {"value": value},
        )
        return [Row(*each) for each in cursor.fetchall()]


def series(*, as_of: dt.datetime) -> list[Published]:
    """Returns the headlines that were published up to `as_of`, the oldest first."""
    told: dict[dt.datetime, dict[str, PublishedFigure]] = {}
    wanted = {f"{damage.KEY}.victims": "victims", f"{damage.KEY}.amount_minor": "amount"}
    for row in PublishedFigure.objects.filter(key__in=wanted, as_of__lte=as_of).order_by("as_of"):
        told.setdefault(row.as_of, {})[wanted[row.key]] = row
    reasons = {
        dt.datetime.fromisoformat(str(entry.facts["as_of"])): entry.reason
        for entry in AuditEntry.objects.filter(action="figures.publish").order_by("seq")
    }
    found: list[Published] = []
    for at, each in told.items():
        victims, amount = each["victims"], each["amount"]
        before = found[-1] if found else None
        found.append(
            Published(
                as_of=at,
                victims=victims.value,
                amount_minor=amount.value,
                exact=victims.exact,
                now=damage.damage(as_of=at).total if victims.exact else damage.suspected(as_of=at),
                victims_more=victims.value - before.victims if before else 0,
                amount_more_minor=amount.value - before.amount_minor if before else 0,
                reason=reasons.get(at, ""),
            )
        )
    return found


def precision(*, as_of: dt.datetime) -> list[Precision]:
    """Returns of each rule how many claims with its hit were found true and untrue by then."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT r.code, count(*) FILTER (WHERE c.confirmed_at <= %(as_of)s),
                count(*) FILTER (WHERE c.rejected_at <= %(as_of)s
                    AND NOT coalesce(c.confirmed_at <= %(as_of)s, false)),
                count(*) FILTER (WHERE NOT coalesce(
                    least(c.confirmed_at, c.rejected_at) <= %(as_of)s, false))
            FROM (SELECT DISTINCT h.claim_id, h.rule_id FROM refunds_rulehit h
                WHERE h.claim_id IS NOT NULL AND h.found_at <= %(as_of)s) h
            JOIN accounts_detectionrule r ON r.id = h.rule_id
            JOIN refunds_fraudclaim c ON c.id = h.claim_id
            GROUP BY r.code ORDER BY r.code
            """,
            {"as_of": as_of},
        )
        return [Precision(*each) for each in cursor.fetchall()]
