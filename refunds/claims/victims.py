"""Suspected and candidate victims: versioned rules over sign-ins and movements, each hit stored with
the rows that made it.

One hit makes a wallet *suspected*: it counts in what can be published in the first hours, and
nothing else happens to it. A wallet is a *candidate*, and has a claim, when its hits weigh two:
one rule that sees the thief's own trace at sign-in, or two that see different things (money moved in
haste from a new device, money spent elsewhere, or on goods that resell well, an account changed
before). A customer's own report (S12) is a claim at once.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction

from accounts.attacks import attack_windows, detection, reading, rules
from accounts.models import DetectionRule
from refunds.models import FraudClaim, Loss, RuleHit
from wallets.models import Payment, TopUp
from winddown import clock, locks
from winddown.actors import SYSTEM
from winddown.evidence import audit
from winddown.locks import Lock

CANDIDATE_WEIGHT: Final = 2
TOGETHER_WITHIN: Final = dt.timedelta(days=1)

_OWN = "the operator's own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(detection.Rule):
    """`sql` gives wallet, top-ups, payments, sign-in, first and last instant of each hit.

    Of one `family` only the heaviest hit of a wallet counts: its rules see the same thing.
    """

    family: str
    weight: int


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
    suspicions: int


# What a thief can charge from: a bonus is granted by the operator, cash needs somebody at the till.
_SOURCES = "('credit_card', 'debit_card', 'points')"

# The first success from each device that an account was used from after its first one.
_NEW_DEVICE = """
    new_device AS (
        SELECT * FROM (
            SELECT d.event_id AS id, d.user_id, d.first_at AS occurred_at, d.country, d.device_ref,
                   d.network, d.displaced_session,
                   row_number() OVER (PARTITION BY d.user_id, d.country
                       ORDER BY d.first_at, d.event_id) AS nth_in_country,
                   min(d.first_at) OVER (PARTITION BY d.user_id) AS account_first_at
            FROM accounts_accountdevice d WHERE d.first_at <= %(as_of)s
        ) seen WHERE occurred_at > account_first_at
    )
"""

# Of sign-ins `s` (with wallet): the charges and payments that follow each within the time.
_MOVED = f"""
    moved AS (
        SELECT s.wallet_id, s.event_id, s.since, m.id, m.kind, m.occurred_at
        FROM signed_in s
        CROSS JOIN LATERAL (
            SELECT t.id, 'top_up' AS kind, t.occurred_at FROM wallets_topup t
            WHERE t.wallet_id = s.wallet_id AND t.state = 'posted' AND t.source IN {_SOURCES}
              AND t.occurred_at > s.since AND t.occurred_at <= %(as_of)s
              AND t.occurred_at <= s.since + make_interval(secs => %(within_s)s)
            UNION ALL
            SELECT p.id, 'payment', p.occurred_at FROM wallets_payment p
            WHERE p.wallet_id = s.wallet_id AND p.state = 'posted'
              AND p.occurred_at > s.since AND p.occurred_at <= %(as_of)s
              AND p.occurred_at <= s.since + make_interval(secs => %(within_s)s)
        ) m
    )
    SELECT wallet_id,
           coalesce(array_agg(id ORDER BY id) FILTER (WHERE kind = 'top_up'),
               ARRAY[]::bigint[]),
           coalesce(array_agg(id ORDER BY id) FILTER (WHERE kind = 'payment'),
               ARRAY[]::bigint[]),
           event_id, since, max(occurred_at)
    FROM moved GROUP BY wallet_id, event_id, since ORDER BY wallet_id, since
"""  # noqa: S608  the constants above

BURST = Rule(
    code="S8-burst",
    version=1,
    family="charge",
    weight=1,
    source="Signal S8: reports of three charges within one minute",
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
    family="charge",
    weight=1,
    source=f"Signal S8: charges of 50,000 within ten minutes of a new device; {_OWN}",
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
        SELECT wallet_id, top_ups, ARRAY[]::bigint[], event_id, since,
            hit_at
        FROM charged ORDER BY wallet_id, since
    """,  # noqa: S608  the constants above
)

ABROAD = Rule(
    code="S6-abroad",
    version=1,
    family="abroad",
    weight=2,
    source=f"Signal S6: the first sign-in from a country, on a new device, moves money; {_OWN}",
    thresholds={"within_s": 1_800},
    sql=f"""
        WITH {_NEW_DEVICE}, signed_in AS (
            SELECT w.id AS wallet_id, d.id AS event_id, d.occurred_at AS since
            FROM new_device d JOIN wallets_wallet w ON w.account_id = d.user_id
            WHERE d.nth_in_country = 1 AND d.country <> ''
        ), {_MOVED}
    """,  # noqa: S608  the constants above
)

FROM_SUSPICIOUS_SOURCE = Rule(
    code="S5-source",
    version=1,
    family="source",
    weight=2,
    source=f"Signal S5: a suspicious source signs in on a new device and moves money; {_OWN}",
    # A source may have got in up to a day before it betrayed itself.
    thresholds={"within_s": 1_800, "before_s": 86_400},
    sql=f"""
        WITH {_NEW_DEVICE}, signed_in AS (
            SELECT w.id AS wallet_id, d.id AS event_id, d.occurred_at AS since
            FROM new_device d JOIN wallets_wallet w ON w.account_id = d.user_id
            WHERE EXISTS (
                SELECT FROM accounts_suspicioussource s
                WHERE s.source = ANY ({rules.SOURCES_OF.format("d")}) AND s.since <= %(as_of)s
                  AND (s.kind = 'device'
                    OR s.since <= d.occurred_at + make_interval(secs => %(before_s)s)))
        ), {_MOVED}
    """,  # noqa: S608  the constants above
)

CHANGED_BEFORE = Rule(
    code="S7-changed",
    version=1,
    family="change",
    weight=1,
    source=f"Signal S7: a charge within half an hour of a changed password or channel; {_OWN}",
    # What is set within a day of the registration belongs to it.
    thresholds={"within_s": 1_800, "registered_before_s": 86_400},
    sql=f"""
        WITH changed AS (
            SELECT u.id, c.at FROM accounts_user u
            CROSS JOIN LATERAL (VALUES (u.password_set_at), (u.email_verified_at),
                (u.phone_verified_at)) AS c (at)
            WHERE c.at <= %(as_of)s
              AND c.at > u.registered_at + make_interval(secs => %(registered_before_s)s)
        )
        SELECT w.id, array_agg(t.id ORDER BY t.id), ARRAY[]::bigint[],
            NULL::bigint, c.at, max(t.occurred_at)
        FROM changed c JOIN wallets_wallet w ON w.account_id = c.id
        JOIN wallets_topup t ON t.wallet_id = w.id AND t.state = 'posted'
            AND t.source IN {_SOURCES} AND t.occurred_at > c.at AND t.occurred_at <= %(as_of)s
            AND t.occurred_at <= c.at + make_interval(secs => %(within_s)s)
        GROUP BY w.id, c.at ORDER BY w.id, c.at
    """,  # noqa: S608  the constants above
)


def _spent_within(*, payment: str, top_up: str = "true") -> str:
    """Charges of which most was spent within the time, by payments `p` and on charges `t` that meet
    the conditions.
    """
    return f"""
        WITH spent AS (
            SELECT t.wallet_id, t.id AS top_up_id, t.occurred_at AS since,
                max(p.occurred_at) AS hit_at,
                   array_agg(p.id ORDER BY p.id) AS payments
            FROM wallets_topup t
            JOIN wallets_payment p ON p.wallet_id = t.wallet_id AND p.state = 'posted'
                AND p.occurred_at > t.occurred_at AND p.occurred_at <= %(as_of)s
                AND p.occurred_at <= t.occurred_at + make_interval(secs => %(within_s)s)
            WHERE t.state = 'posted' AND t.source IN {_SOURCES}
                AND t.amount_minor >= %(amount_minor_min)s
                AND {payment} AND {top_up}
            GROUP BY 1, 2, 3, t.amount_minor
                HAVING sum(p.amount_minor) >= %(spent_share_min)s * t.amount_minor
        )
        SELECT wallet_id, ARRAY[top_up_id], payments, NULL::bigint, since,
            hit_at
        FROM spent ORDER BY wallet_id, since
    """  # noqa: S608  the constants above


SPENT_ELSEWHERE = Rule(
    code="S9-elsewhere",
    version=1,
    family="place",
    weight=1,
    source=f"Signal S9: charged, and spent within the hour in another prefecture; {_OWN}",
    thresholds={"amount_minor_min": 10_000, "spent_share_min": 0.8, "within_s": 3_600},
    sql=_spent_within(
        payment="""p.prefecture <> '' AND NOT EXISTS (
                    SELECT FROM wallets_payment home
                    WHERE home.wallet_id = t.wallet_id AND home.occurred_at < t.occurred_at
                        AND home.prefecture = p.prefecture)""",
        top_up="""EXISTS (
                    SELECT FROM wallets_payment home
                    WHERE home.wallet_id = t.wallet_id AND home.occurred_at < t.occurred_at
                        AND home.prefecture <> '')""",
    ),
)

# ISO 18245: electronics, jewellery and watches, gift cards, tobacco, stored value.
_RESOLD_CATEGORIES = "('5732', '5944', '5947', '5993', '6540')"

SPENT_ON_RESOLD_GOODS = Rule(
    code="S10-resold",
    version=1,
    family="goods",
    weight=1,
    source="Signal S10: charged, and spent within the hour on goods that resell well, as the"
    " thieves of 2019 did on tobacco cartridges; ISO 18245 categories"
    f" {_RESOLD_CATEGORIES}; thresholds are {_OWN}",
    thresholds={"amount_minor_min": 10_000, "spent_share_min": 0.8, "within_s": 3_600},
    sql=_spent_within(payment=f"p.merchant_category IN {_RESOLD_CATEGORIES}"),
)

# Of the family `charge`, which sees a new device and money too: a new phone displaces the old one's
# session for honest customers as well.
DISPLACED = Rule(
    code="S11-displaced",
    version=1,
    family="charge",
    weight=1,
    source=f"Signal S11: a new device displaces the holder's session and moves money; {_OWN}",
    thresholds={"within_s": 1_800},
    sql=f"""
        WITH {_NEW_DEVICE}, signed_in AS (
            SELECT w.id AS wallet_id, d.id AS event_id, d.occurred_at AS since
            FROM new_device d JOIN wallets_wallet w ON w.account_id = d.user_id
            WHERE d.displaced_session
        ), {_MOVED}
    """,  # noqa: S608  the constants above
)

RULES: Final = (
    BURST,
    LARGE_AFTER_NEW_DEVICE,
    ABROAD,
    FROM_SUSPICIOUS_SOURCE,
    CHANGED_BEFORE,
    SPENT_ELSEWHERE,
    SPENT_ON_RESOLD_GOODS,
    DISPLACED,
)


def find(*, as_of: dt.datetime, actor: Any = SYSTEM) -> Found:
    """Every wallet that the rules make a candidate, from what happened up to `as_of` inclusive, has a
    claim with its hits; every other hit is stored as a suspicion.

    The attempts to sign in are read first, up to the last whole minute. A wallet with an open claim
    keeps it and gets the hits it lacks; one whose claim was settled is a candidate again only for
    what happened after that claim was opened. A second run over the same rows adds nothing.
    """
    reading.read(until=as_of)
    with transaction.atomic():
        locks.hold(Lock.CANDIDATES)
        at = clock.now()
        rules = detection.declare(RULES, at=at)
        found = all_matches(as_of=as_of)
        latest = {
            claim.wallet_id: claim
            for claim in FraudClaim.objects.filter(
                wallet__in={hit.wallet_id for hit in found}
            ).order_by("pk")
        }
        hits = [hit for hit in found if not _answered(hit, latest.get(hit.wallet_id))]
        open_claims = {
            wallet_id: claim
            for wallet_id, claim in latest.items()
            if claim.state not in FraudClaim.SETTLED
        }
        strong = together([hit for hit in hits if hit.wallet_id not in open_claims])
        fresh = _candidates(strong, at=at)
        claims = open_claims | {claim.wallet_id: claim for claim in fresh}
        first = _one_per_rule(hits, strong)
        added = _store([hit for hit in first if hit.wallet_id in claims], claims, rules, at=at)
        suspicions = _store_suspicions(
            [hit for hit in first if hit.wallet_id not in claims], rules, at=at
        )
        if fresh or added or suspicions:
            audit.append(
                "claims.find_victims",
                "claims",
                actor=actor,
                as_of=as_of,
                n=len(fresh),
                hits=added,
                suspicions=suspicions,
            )
        return Found(candidates=fresh, hits=added, suspicions=suspicions)


def follow_up() -> int:
    """While an attack lasts and for a week after it, the candidates of the last hour have claims;
    returns how many are new.
    """
    at = clock.now()
    return len(find(as_of=at).candidates) if attack_windows.under_attack(at=at) else 0


def all_matches(*, as_of: dt.datetime) -> list[Hit]:
    """The hits of every rule over everything up to `as_of` inclusive; changes nothing."""
    return [hit for rule in RULES for hit in matches(rule, as_of=as_of)]


def together(hits: Iterable[Hit]) -> dict[int, list[Hit]]:
    """The candidate wallets, each with its hits of the first day on which they weigh enough.

    Of each family the heaviest counts.
    """
    by_wallet: dict[int, list[Hit]] = defaultdict(list)
    for hit in sorted(hits, key=lambda hit: (hit.since, hit.hit_at)):
        by_wallet[hit.wallet_id].append(hit)
    found = {}
    for wallet_id, of_wallet in sorted(by_wallet.items()):
        for begin in of_wallet:
            day = [
                hit
                for hit in of_wallet
                if begin.since <= hit.since <= begin.since + TOGETHER_WITHIN
            ]
            if _weight(day) >= CANDIDATE_WEIGHT:
                found[wallet_id] = day
                break
    return found


def _weight(hits: Iterable[Hit]) -> int:
    heaviest: dict[str, int] = {}
    for hit in hits:
        heaviest[hit.rule.family] = max(hit.rule.weight, heaviest.get(hit.rule.family, 0))
    return sum(heaviest.values())


def matches(rule: Rule, *, as_of: dt.datetime) -> list[Hit]:
    """The hits of one rule over everything up to `as_of` inclusive; changes nothing."""
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


def _answered(hit: Hit, claim: FraudClaim | None) -> bool:
    """Whether a settled claim of the wallet was opened after what the hit points at."""
    return claim is not None and claim.state in FraudClaim.SETTLED and hit.hit_at <= claim.opened_at


def _one_per_rule(hits: Iterable[Hit], strong: dict[int, list[Hit]]) -> list[Hit]:
    """Of each wallet and rule one hit: of those that made it a candidate, or else the earliest."""
    one: dict[tuple[int, str], Hit] = {}
    chosen = [hit for day in strong.values() for hit in day]
    for hit in [*chosen, *sorted(hits, key=lambda hit: (hit.since, hit.hit_at))]:
        one.setdefault((hit.wallet_id, hit.rule.code), hit)
    return sorted(one.values(), key=lambda hit: (hit.wallet_id, hit.rule.code))


def _candidates(strong: dict[int, list[Hit]], *, at: dt.datetime) -> list[FraudClaim]:
    """Each of the wallets has a new claim."""
    return FraudClaim.objects.bulk_create(
        FraudClaim(
            wallet_id=wallet_id,
            state=FraudClaim.State.CANDIDATE,
            route=FraudClaim.Route.RULE,
            opened_at=at,
            hit_at=min(hit.hit_at for hit in hits),
            compromised_from=min(hit.since for hit in hits),
        )
        for wallet_id, hits in strong.items()
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


def _store_suspicions(
    hits: Collection[Hit], rules: dict[str, DetectionRule], *, at: dt.datetime
) -> int:
    """The hits that are too weak for a claim stand with their wallets."""
    there = set(
        RuleHit.objects.filter(wallet__in={hit.wallet_id for hit in hits}).values_list(
            "wallet_id", "rule_id", "hit_at"
        )
    )
    fresh = [
        RuleHit(
            wallet_id=hit.wallet_id,
            rule=rules[hit.rule.code],
            evidence=hit.evidence,
            hit_at=hit.hit_at,
            found_at=at,
        )
        for hit in hits
        if (hit.wallet_id, rules[hit.rule.code].pk, hit.hit_at) not in there
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
        assert hit.claim_id is not None, "chosen by claim"
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
