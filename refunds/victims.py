"""Candidate victims: versioned rules over sign-ins and movements, each hit stored with the rows
that made it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction

from refunds.models import DetectionRule, FraudClaim, Loss, RuleHit
from wallets.models import Payment, TopUp
from winddown import audit, clock
from winddown.machines import SYSTEM

LOCK = 7010

SIGNALS: Final = "Signals S6, S8 and S9 of the attack analysis; thresholds are the operator's own"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule's text: `sql` gives wallet, top-ups, payments, sign-in, first and last instant of each
    hit.

    `version` rises with every change of `sql` or `thresholds`, so a stored hit says what made it.
    """

    code: str
    version: int
    thresholds: dict[str, int | float]
    sql: str


@dataclass(frozen=True, slots=True)
class Hit:
    """One wallet that a rule points at, with the evidence as row ids."""

    wallet_id: int
    rule: Rule
    evidence: dict[str, Any]
    since: dt.datetime
    hit_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Found:
    """What one search added."""

    candidates: list[FraudClaim]
    hits: int


# What a thief can charge from: a bonus is granted by the operator, cash needs somebody at the till.
_SOURCES = "('credit_card', 'debit_card', 'points')"

# Successful sign-ins of customers from a device that the account was never used from before, after
# its first one.
_NEW_DEVICE = """
    new_device AS (
        SELECT * FROM (
            SELECT e.id, e.user_id, e.occurred_at, e.country, e.device_ref,
                   row_number() OVER (PARTITION BY e.user_id, e.device_ref
                       ORDER BY e.occurred_at, e.id) AS nth_on_device,
                   row_number() OVER (PARTITION BY e.user_id, e.country
                       ORDER BY e.occurred_at, e.id) AS nth_in_country,
                   min(e.occurred_at) OVER (PARTITION BY e.user_id) AS first_at
            FROM accounts_authevent e
            WHERE e.outcome = 'success' AND e.user_id IS NOT NULL AND e.occurred_at <= %(as_of)s
        ) seen WHERE nth_on_device = 1 AND occurred_at > first_at
    )
"""

BURST = Rule(
    code="S8-burst",
    version=1,
    thresholds={"top_ups_min": 3, "within_s": 60},
    sql=f"""
        WITH paced AS (
            SELECT t.id, t.wallet_id, t.occurred_at,
                   lag(t.occurred_at, %(top_ups_min)s - 1) OVER (
                       PARTITION BY t.wallet_id ORDER BY t.occurred_at, t.id)
                       AS first_at
            FROM wallets_topup t
            WHERE t.state = 'posted' AND t.source IN {_SOURCES} AND t.occurred_at <= %(as_of)s
        ), burst AS (
            SELECT wallet_id, min(first_at) AS since, max(occurred_at) AS hit_at FROM paced
            WHERE occurred_at - first_at <= make_interval(secs => %(within_s)s) GROUP BY wallet_id
        )
        SELECT b.wallet_id, array_agg(p.id ORDER BY p.id), ARRAY[]::bigint[], NULL::bigint,
            b.since, b.hit_at
        FROM burst b JOIN paced p ON p.wallet_id = b.wallet_id
            AND p.occurred_at BETWEEN b.since AND b.hit_at
        GROUP BY b.wallet_id, b.since, b.hit_at
    """,  # noqa: S608  the constants above
)

LARGE_AFTER_NEW_DEVICE = Rule(
    code="S8-large",
    version=1,
    thresholds={"amount_minor_min": 50_000, "within_s": 600},
    sql=f"""
        WITH {_NEW_DEVICE}, charged AS (
            SELECT w.id AS wallet_id, d.id AS event_id, d.occurred_at AS since,
                max(t.occurred_at) AS hit_at,
                   array_agg(t.id ORDER BY t.id) AS top_ups
            FROM new_device d JOIN wallets_wallet w ON w.account_id = d.user_id
            JOIN wallets_topup t ON t.wallet_id = w.id AND t.state = 'posted'
                AND t.source IN {_SOURCES}
                AND t.occurred_at > d.occurred_at AND t.occurred_at <= %(as_of)s
                AND t.occurred_at <= d.occurred_at + make_interval(secs => %(within_s)s)
            GROUP BY 1, 2, 3 HAVING sum(t.amount_minor) >= %(amount_minor_min)s
        )
        SELECT DISTINCT ON (wallet_id) wallet_id, top_ups, ARRAY[]::bigint[], event_id, since,
            hit_at
        FROM charged ORDER BY wallet_id, since
    """,  # noqa: S608  the constants above
)

ABROAD = Rule(
    code="S6-abroad",
    version=1,
    thresholds={"within_s": 1_800},
    sql=f"""
        WITH {_NEW_DEVICE}, abroad AS (
            SELECT * FROM new_device WHERE nth_in_country = 1 AND country <> ''
        ), moved AS (
            SELECT w.id AS wallet_id, a.id AS event_id, a.occurred_at AS since, m.id, m.kind,
                m.occurred_at
            FROM abroad a JOIN wallets_wallet w ON w.account_id = a.user_id
            CROSS JOIN LATERAL (
                SELECT t.id, 'top_up' AS kind, t.occurred_at FROM wallets_topup t
                WHERE t.wallet_id = w.id AND t.state = 'posted' AND t.source IN {_SOURCES}
                  AND t.occurred_at > a.occurred_at AND t.occurred_at <= %(as_of)s
                  AND t.occurred_at <= a.occurred_at + make_interval(secs => %(within_s)s)
                UNION ALL
                SELECT p.id, 'payment', p.occurred_at FROM wallets_payment p
                WHERE p.wallet_id = w.id AND p.state = 'posted'
                  AND p.occurred_at > a.occurred_at AND p.occurred_at <= %(as_of)s
                  AND p.occurred_at <= a.occurred_at + make_interval(secs => %(within_s)s)
            ) m
        )
        SELECT DISTINCT ON (wallet_id) wallet_id,
               coalesce(array_agg(id ORDER BY id) FILTER (WHERE kind = 'top_up'),
                   ARRAY[]::bigint[]),
               coalesce(array_agg(id ORDER BY id) FILTER (WHERE kind = 'payment'),
                   ARRAY[]::bigint[]),
               event_id, since, max(occurred_at)
        FROM moved GROUP BY wallet_id, event_id, since ORDER BY wallet_id, since
    """,  # noqa: S608  the constants above
)

SPENT_ELSEWHERE = Rule(
    code="S9-elsewhere",
    version=1,
    thresholds={"amount_minor_min": 10_000, "spent_share_min": 0.8, "within_s": 3_600},
    sql=f"""
        WITH spent AS (
            SELECT t.wallet_id, t.id AS top_up_id, t.occurred_at AS since,
                max(p.occurred_at) AS hit_at,
                   array_agg(p.id ORDER BY p.id) AS payments
            FROM wallets_topup t
            JOIN wallets_payment p ON p.wallet_id = t.wallet_id AND p.state = 'posted'
                AND p.prefecture <> ''
                AND p.occurred_at > t.occurred_at AND p.occurred_at <= %(as_of)s
                AND p.occurred_at <= t.occurred_at + make_interval(secs => %(within_s)s)
            WHERE t.state = 'posted' AND t.source IN {_SOURCES}
                AND t.amount_minor >= %(amount_minor_min)s
              AND EXISTS (
                SELECT FROM wallets_payment home
                WHERE home.wallet_id = t.wallet_id AND home.occurred_at < t.occurred_at
                    AND home.prefecture <> '')
              AND NOT EXISTS (
                SELECT FROM wallets_payment home
                WHERE home.wallet_id = t.wallet_id AND home.occurred_at < t.occurred_at
                  AND home.prefecture = p.prefecture)
            GROUP BY 1, 2, 3, t.amount_minor
                HAVING sum(p.amount_minor) >= %(spent_share_min)s * t.amount_minor
        )
        SELECT DISTINCT ON (wallet_id) wallet_id, ARRAY[top_up_id], payments, NULL::bigint, since,
            hit_at
        FROM spent ORDER BY wallet_id, since
    """,  # noqa: S608  the constants above
)

RULES: Final = (BURST, LARGE_AFTER_NEW_DEVICE, ABROAD, SPENT_ELSEWHERE)


def find(*, as_of: dt.datetime, actor: Any = SYSTEM) -> Found:
    """Every wallet that a rule points at, from what happened up to `as_of` inclusive, has a claim
    with its hits.

    A wallet with an open claim keeps it and gets the hits it lacks; one whose claim was settled is
    a candidate again only for what happened after that claim was opened. A second run over the same
    rows adds nothing.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [LOCK])
        at = clock.now()
        rules = declare_rules(at=at)
        hits = [hit for rule in RULES for hit in matches(rule, as_of=as_of)]
        latest = {
            claim.wallet_id: claim
            for claim in FraudClaim.objects.filter(
                wallet__in={hit.wallet_id for hit in hits}
            ).order_by("pk")
        }
        fresh = _candidates(hits, latest, at=at)
        claims = latest | {claim.wallet_id: claim for claim in fresh}
        added = _store(hits, claims, rules, at=at)
        if fresh or added:
            audit.append(
                "claims.find_victims", "claims", actor=actor, as_of=as_of, n=len(fresh), hits=added
            )
        return Found(candidates=fresh, hits=added)


def declare_rules(*, at: dt.datetime) -> dict[str, DetectionRule]:
    """Every rule in its present version has its row; a second call changes nothing."""
    DetectionRule.objects.bulk_create(
        [
            DetectionRule(
                code=rule.code,
                version=rule.version,
                thresholds=rule.thresholds,
                source=SIGNALS,
                since=at,
            )
            for rule in RULES
        ],
        ignore_conflicts=True,
    )
    wanted = {(rule.code, rule.version) for rule in RULES}
    return {
        row.code: row for row in DetectionRule.objects.all() if (row.code, row.version) in wanted
    }


def matches(rule: Rule, *, as_of: dt.datetime) -> list[Hit]:
    """The hits of one rule over everything up to `as_of` inclusive, at most one per wallet; changes
    nothing."""
    with connection.cursor() as cursor:
        cursor.execute(rule.sql, {**rule.thresholds, "as_of": as_of})
        return [
            Hit(
                wallet_id=wallet_id,
                rule=rule,
                evidence={"top_ups": top_ups, "payments": payments, "auth_event": event_id},
                since=since,
                hit_at=hit_at,
            )
            for wallet_id, top_ups, payments, event_id, since, hit_at in cursor.fetchall()
        ]


def _candidates(
    hits: Iterable[Hit], latest: dict[int, FraudClaim], *, at: dt.datetime
) -> list[FraudClaim]:
    """New claims for the wallets whose hits no claim has answered yet."""
    since: dict[int, dt.datetime] = {}
    hit_at: dict[int, dt.datetime] = {}
    for hit in hits:
        claim = latest.get(hit.wallet_id)
        if claim is not None and (
            claim.state not in FraudClaim.SETTLED or hit.hit_at <= claim.opened_at
        ):
            continue
        since[hit.wallet_id] = min(hit.since, since.get(hit.wallet_id, hit.since))
        hit_at[hit.wallet_id] = min(hit.hit_at, hit_at.get(hit.wallet_id, hit.hit_at))
    return FraudClaim.objects.bulk_create(
        FraudClaim(
            wallet_id=wallet_id,
            state=FraudClaim.State.CANDIDATE,
            route=FraudClaim.Route.RULE,
            opened_at=at,
            hit_at=hit_at[wallet_id],
            compromised_from=since[wallet_id],
        )
        for wallet_id in sorted(since)
    )


def _store(
    hits: Iterable[Hit],
    claims: dict[int, FraudClaim],
    rules: dict[str, DetectionRule],
    *,
    at: dt.datetime,
) -> int:
    """The hits stand with the claims that are still worked on; one per claim and rule."""
    wanted = {
        (claims[hit.wallet_id].pk, rules[hit.rule.code].pk): hit
        for hit in hits
        if claims[hit.wallet_id].state in FraudClaim.UNDER_WORK
    }
    there = set(
        RuleHit.objects.filter(claim__in={claim for claim, _ in wanted}).values_list(
            "claim_id", "rule_id"
        )
    )
    fresh = [
        RuleHit(claim_id=claim, rule_id=rule, evidence=hit.evidence, hit_at=hit.hit_at, found_at=at)
        for (claim, rule), hit in sorted(wanted.items())
        if (claim, rule) not in there
    ]
    RuleHit.objects.bulk_create(fresh)
    return len(fresh)


def suspected(claims: Iterable[FraudClaim]) -> list[tuple[FraudClaim, TopUp | Payment]]:
    """What the evidence of the claims points at and is no loss yet: what an analyst names when the
    holder agrees.

    Payments are named only where the evidence has no top-up: a payment out of a fraudulent top-up
    is the same money.
    """
    by_id = {claim.pk: claim for claim in claims}
    top_ups: dict[int, int] = {}
    payments: dict[int, int] = {}
    charged: set[int] = set()
    for hit in RuleHit.objects.filter(claim__in=by_id):
        charged |= {hit.claim_id} if hit.evidence["top_ups"] else set()
        top_ups |= dict.fromkeys(hit.evidence["top_ups"], hit.claim_id)
        payments |= dict.fromkeys(hit.evidence["payments"], hit.claim_id)
    lost = Loss.objects.filter(dropped_at=None)
    charges = TopUp.objects.filter(pk__in=top_ups, state=TopUp.State.POSTED).exclude(
        losses__in=lost
    )
    spends = Payment.objects.filter(pk__in=payments, state=Payment.State.POSTED).exclude(
        losses__in=lost
    )
    return [
        (by_id[top_ups[charge.pk]], charge)
        for charge in charges.select_related("card").order_by("pk")
    ] + [
        (by_id[payments[spend.pk]], spend)
        for spend in spends.order_by("pk")
        if payments[spend.pk] not in charged
    ]
