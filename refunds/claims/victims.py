"""Suspected and candidate victims. Each hit of a rule is stored with the rows that caused it.

One hit makes a wallet *suspected*: it counts in the figures that can be published in the first
hours, and nothing else happens to it. A wallet is a *candidate*, and has a claim, when its hits
weigh two. One rule that sees the thief at sign-in is enough. Otherwise it takes two rules that see
different things: money moved in haste from a new device, money spent elsewhere, money spent on
goods that resell well, an account changed before. A customer's own report (S12) is a claim at once.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, TypedDict, cast

from django.db import connection, transaction

from accounts.attacks import attack_windows, counting, detection
from accounts.models import DetectionRule
from refunds.claims.victim_rules import RULES, Rule, movements
from refunds.models import FraudClaim, Loss, RuleHit
from wallets.models import Payment, TopUp
from winddown import clock, locks
from winddown.actors import SYSTEM, Actor
from winddown.evidence import audit
from winddown.locks import Lock

CANDIDATE_WEIGHT: Final = 2
TOGETHER_WITHIN: Final = dt.timedelta(days=1)


class Evidence(TypedDict):
    """The ids of the rows that made a hit."""

    top_ups: list[int]
    payments: list[int]
    auth_event: int | None


@dataclass(frozen=True, slots=True)
class Hit:
    """One wallet that a rule found, with the instants of the first and the last row of the
    evidence.
    """

    wallet_id: int
    rule: Rule
    evidence: Evidence
    since: dt.datetime
    hit_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Found:
    """What one search added."""

    candidates: list[FraudClaim]
    hits: int
    suspicions: int


def claim_candidates(*, as_of: dt.datetime, actor: Actor = SYSTEM) -> Found:
    """Each candidate has a claim with its hits in what happened up to `as_of` inclusive. Every
    other hit is stored as a suspicion.

    The attempts to sign in are read first, up to the last whole minute. A wallet with an open claim
    keeps it and gets the hits that it lacks. A wallet whose claim was settled is a candidate again
    only for what happened after that claim was opened. A second run over the same rows adds
    nothing.
    """
    counting.count_attempts(until=as_of)
    with transaction.atomic():
        locks.take(Lock.CANDIDATES)
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
            if claim.state in FraudClaim.OPEN
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
    """During an attack and for a week after it, every candidate up to now has a claim. Returns how
    many claims are new.
    """
    at = clock.now()
    return len(claim_candidates(as_of=at).candidates) if attack_windows.under_attack(at=at) else 0


def all_matches(*, as_of: dt.datetime) -> list[Hit]:
    """Returns the hits of all rules in what happened up to `as_of` inclusive."""
    return [hit for rule in RULES for hit in matches(rule, as_of=as_of)]


def together(hits: Iterable[Hit]) -> dict[int, list[Hit]]:
    """Returns the candidate wallets, each with its hits of the first day on which they weigh
    enough. Only the heaviest hit of each family counts.
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
    """Returns the hits of one rule in what happened up to `as_of` inclusive."""
    with connection.cursor() as cursor:
        cursor.execute(rule.sql, {**movements(), **rule.thresholds, "as_of": as_of})
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
    """Returns whether a settled claim of the wallet was opened after the rows of the hit."""
    return claim is not None and claim.state in FraudClaim.SETTLED and hit.hit_at <= claim.opened_at


def _one_per_rule(hits: Iterable[Hit], strong: dict[int, list[Hit]]) -> list[Hit]:
    """Returns one hit for each wallet and rule: one that made the wallet a candidate, or else the
    earliest.
    """
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
            channel=FraudClaim.Channel.RULE,
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
    """The hits are stored with the claims that are still under work, one per claim and rule.
    Returns how many are new.
    """
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
    """The hits that are too weak for a claim are stored with their wallets. Returns how many are
    new.
    """
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
    """Returns the movements in the evidence of the claims that are no losses yet. An analyst names
    them as losses when the holder agrees.

    Payments are returned only if the evidence has no top-up, because a payment out of a fraudulent
    top-up is the same money.
    """
    by_id = {claim.pk: claim for claim in claims}
    top_ups: dict[int, int] = {}
    payments: dict[int, int] = {}
    charged: set[int] = set()
    for hit in RuleHit.objects.filter(claim__in=by_id):
        claim_id = cast("int", hit.claim_id)
        charged |= {claim_id} if hit.evidence["top_ups"] else set()
        top_ups |= dict.fromkeys(hit.evidence["top_ups"], claim_id)
        payments |= dict.fromkeys(hit.evidence["payments"], claim_id)
    lost = Loss.objects.filter(dropped_at=None)
    charges = TopUp.objects.filter(pk__in=top_ups, state__in=TopUp.CHARGED).exclude(losses__in=lost)
    spends = Payment.objects.filter(pk__in=payments, state__in=Payment.TAKEN).exclude(
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
