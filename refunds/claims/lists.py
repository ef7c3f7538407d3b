"""Lists that one person can look through: claims found in one way, of one band of amounts, with a
random sample that another supervisor reviews before the list is decided.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import DatabaseError, connection, transaction
from django.db.models import Sum

from refunds.attribution import claim_rules
from refunds.claims.detection_ways import FIRST_WAY
from refunds.claims.victim_rules import RULES
from refunds.models import ClaimDecision, ClaimReview, FraudClaim
from winddown import clock, locks
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, SamePerson, says
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.sqlstates import SqlState, sqlstate_of

_FAMILIES: dict[str, str] = {rule.code: str(rule.family or rule.code) for rule in RULES}


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """What the claims of one list have in common: the family of the first rule that found them or
    the way in which they were reported, and up to which amount each is, in minor units. Nothing is
    the greatest amount of the last band. A list holds `claims_max`.
    """

    found_by: str
    up_to_minor: int | None
    claims_max: int


def kinds_of(amounts: Mapping[int, int]) -> dict[int, Kind]:
    """Returns the kind of each claim, whose amounts are given."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT c.id, {FIRST_WAY} FROM refunds_fraudclaim c WHERE c.id = ANY (%s)",  # noqa: S608
            [list(amounts)],
        )
        ways: dict[int, str] = dict(cursor.fetchall())
    bands = claim_rules.bands()
    found = {}
    for claim, amount in amounts.items():
        fits = ((up_to, most) for up_to, most in bands if amount <= up_to)
        up_to, most = next(fits, (None, 1))
        found[claim] = Kind(_FAMILIES.get(ways[claim], ways[claim]), up_to, most)
    return found


def parts(amounts: Mapping[int, int]) -> list[list[int]]:
    """Returns the claims in lists, each of one kind and no longer than it may be."""
    by_kind: dict[tuple[str, int, int], list[int]] = defaultdict(list)
    for claim, kind in sorted(kinds_of(amounts).items()):
        by_kind[kind.found_by, kind.up_to_minor or 0, kind.claims_max].append(claim)
    return [
        claims[first : first + most]
        for (_, _, most), claims in sorted(by_kind.items())
        for first in range(0, len(claims), most)
    ]


def one_kind(amounts: Mapping[int, int]) -> Kind:
    """Returns the kind of the list. Raises `GuardNotMet` for claims of several kinds, or too many."""
    kinds = set(kinds_of(amounts).values())
    kind = kinds.pop()
    if kinds or len(amounts) > kind.claims_max:
        raise GuardNotMet(
            action=says("propose a decision"),
            why=says("a list holds claims that were found in one way, of one band of amounts"),
        )
    return kind


# --- the sample -----------------------------------------------------------------------------------


def draw(claims_count: int) -> tuple[str, int]:
    """Returns a seed that nobody can know before, and how many claims of the next list are in its
    sample: one of every so many that are proposed, however the lists are cut.
    """
    locks.take(Lock.CLAIM_LISTS)
    before = ClaimDecision.objects.aggregate(sum=Sum("claims_count"))["sum"] or 0
    every = claim_rules.sample_every()
    return secrets.token_hex(32), (before + claims_count) // every - before // every


def sample(claims: Collection[int], *, seed: str, sampled: int) -> list[int]:
    """Returns the sample: the claims whose hash with the seed is least. Anybody can compute it again.

    The hash is the SHA-256 of `<seed>:<claim>`.
    """

    def place(claim: int) -> str:
        return hashlib.sha256(f"{seed}:{claim}".encode()).hexdigest()

    return sorted(sorted(claims, key=place)[:sampled])


def waiting() -> list[int]:
    """Returns the claims of a sample that nobody has reviewed yet."""
    standing = FraudClaim.objects.filter(
        state__in=FraudClaim.PROPOSED, decision__sampled__gt=0
    ).select_related("decision")
    by_list: dict[ClaimDecision, list[int]] = defaultdict(list)
    for claim in standing.order_by("pk"):
        if claim.decision is not None:
            by_list[claim.decision].append(claim.pk)
    chosen = {
        (decision.pk, claim)
        for decision, claims in by_list.items()
        for claim in sample(claims, seed=decision.seed, sampled=decision.sampled)
    }
    done = set(
        ClaimReview.objects.filter(decision__in=by_list).values_list("decision_id", "claim_id")
    )
    return sorted(claim for _, claim in chosen - done)


def review(claims: Iterable[FraudClaim], *, agrees: bool, actor: Actor, reason: str) -> int:
    """The claims of standing lists were reviewed by `actor`, who agrees with their verdict or does
    not. Returns how many; one that was reviewed before keeps its review.

    Raises `SamePerson` for who worked on one of them, and `GuardNotMet` for a claim on no list.
    """
    require(actor, "refunds.decide_claim", action="review claims")
    chosen = FraudClaim.objects.filter(pk__in=[claim.pk for claim in claims])
    with transaction.atomic():
        away = chosen.exclude(state__in=FraudClaim.PROPOSED).order_by("pk").first()
        if away is not None:
            raise GuardNotMet(
                action=says("review {claim}", claim=away), why=says("it is on no list now")
            )
        known = set(
            ClaimReview.objects.filter(claim__in=chosen).values_list("decision_id", "claim_id")
        )
        fresh = [
            ClaimReview(
                decision_id=claim.decision_id,
                claim=claim,
                reviewer_id=actor.pk,
                agrees=agrees,
                reviewed_at=clock.now(),
            )
            for claim in chosen.order_by("pk")
            if (claim.decision_id, claim.pk) not in known
        ]
        _store(fresh, actor=actor)
        if fresh:
            audit.append(
                "claims.review", "claims", actor=actor, reason=reason, n=len(fresh), agrees=agrees
            )
        return len(fresh)


def _store(fresh: Sequence[ClaimReview], *, actor: Actor) -> None:
    try:
        with transaction.atomic():
            ClaimReview.objects.bulk_create(fresh)
    except DatabaseError as refusal:
        if sqlstate_of(refusal) == SqlState.SAME_PERSON:
            raise SamePerson(
                actor=actor.pk, subject=fresh[0].claim.subject, part="analyst"
            ) from refusal
        raise


def refuse_unreviewed(decision: ClaimDecision, claims: Collection[int], *, actor: Actor) -> None:
    """Raises `GuardNotMet` unless another person than `actor` agreed with every claim of the sample,
    and nobody disagreed with any claim of the list.
    """
    reviews = ClaimReview.objects.filter(decision=decision, claim__in=claims)
    doubted = reviews.filter(agrees=False).order_by("claim_id").first()
    agreed = reviews.filter(agrees=True).exclude(reviewer__staff_number=actor.staff_number)
    left = set(sample(claims, seed=decision.seed, sampled=decision.sampled)) - set(
        agreed.values_list("claim_id", flat=True)
    )
    if doubted is not None:
        raise GuardNotMet(
            action=says("approve {decision}", decision=decision),
            why=says("whoever reviewed {claim} disagrees: send it back", claim=doubted.claim),
        )
    if left:
        raise GuardNotMet(
            action=says("approve {decision}", decision=decision),
            why=says(
                "another supervisor has to review {claims} first",
                claims=" ".join(f"FC{claim:08d}" for claim in sorted(left)),
            ),
        )
