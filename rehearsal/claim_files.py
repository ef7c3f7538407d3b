"""What the rehearsal hands to the commands of the claims desk."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from refunds.models import ClaimDecision, FraudClaim
from winddown import clock
from winddown.authority import approvals


def written(
    directory: Path, name: str, columns: Sequence[str], lines: Iterable[Sequence[str]]
) -> Path:
    """The lines are in a new file of the directory. Returns its path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}-{clock.now():%Y%m%dT%H%M%S}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *lines])
    return path


def in_sample(decision: ClaimDecision) -> str:
    """Returns the references of the claims that another supervisor reviews before the decision."""
    chosen = approvals.newest(decision.subject).summary["sample"]
    return " ".join(each.reference for each in FraudClaim.objects.filter(pk__in=chosen))


def references(claims: Sequence[FraudClaim]) -> Iterator[str]:
    """Yields the references of the claims, as many as one decision takes at a time."""
    for start in range(0, len(claims), ClaimDecision.CLAIMS_MAX):
        some = claims[start : start + ClaimDecision.CLAIMS_MAX]
        yield " ".join(each.reference for each in some)
