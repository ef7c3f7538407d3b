"""The rules of the claims desk. Each version is adopted with a source, and the newest is in force."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refunds.attribution.lots import Policy
from refunds.models import ClaimTerms
from refunds.models.claim_terms import SAMPLE_EVERY, default_bands
from winddown import clock
from winddown.actors import Actor
from winddown.evidence import audit


def in_force() -> ClaimTerms | None:
    """Returns the newest rules. None means that the defaults hold."""
    return ClaimTerms.objects.order_by("-pk").first()


def tracing_policy() -> Policy:
    """Returns the policy for payments whose payer nobody can name."""
    newest = in_force()
    return Policy(newest.tracing if newest else ClaimTerms.Tracing.LIFO)


def bands() -> list[tuple[int, int]]:
    """Returns the greatest amount of each band in minor units, the least first, and how many claims
    of it are decided at once.
    """
    newest = in_force()
    return sorted((most, claims) for most, claims in (newest.bands if newest else default_bands()))


def sample_every() -> int:
    """Returns of how many proposed claims one is reviewed twice."""
    newest = in_force()
    return newest.sample_every if newest else SAMPLE_EVERY


def set_down(given: Mapping[str, Any], *, actor: Actor, reason: str) -> ClaimTerms:
    """These rules are in force from now on, for somebody whose right to it is proved: the set-up file
    does. Losses that were signed keep their version.
    """
    adopted = ClaimTerms.objects.create(**given, adopted_at=clock.now())
    audit.append(
        "claims.adopt_rules", f"claim_rules:{adopted.pk}", actor=actor, reason=reason, **given
    )
    return adopted
