"""Requests about the access of one colleague: which one is open, and what it is called."""

from __future__ import annotations

from accounts.models import User
from winddown.authority import approvals
from winddown.models import Approval, Signature


def subject(kind: str, person: User) -> str:
    """Returns the subject of the open request, or of the next one when none is open.

    Each request that was decided ends its subject, because a person signs a subject only once.
    """
    stem = f"{kind}:{person.pk}"
    decided = Signature.objects.filter(subject__startswith=f"{stem}:").exclude(
        part=Signature.Part.MAKER
    )
    return f"{stem}:{decided.values('subject').distinct().count() + 1}"


def waiting(kind: str, person: User, *, stage: str) -> Approval | None:
    """Returns the request that nobody has decided yet; it may have expired."""
    return approvals.standing(subject(kind, person), stage=stage)
