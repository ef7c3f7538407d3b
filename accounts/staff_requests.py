"""Requests about the access of one colleague: which one is open, and what it is called."""

from __future__ import annotations

from accounts.models import User
from winddown.authority import approvals
from winddown.models import Approval


def subject(kind: str, person: User) -> str:
    """Returns the subject of the open request about the person, or of the next one."""
    return approvals.next_subject(f"{kind}:{person.pk}")


def waiting(kind: str, person: User, *, stage: str) -> Approval | None:
    """Returns the request that nobody has decided yet; it may have expired."""
    return approvals.standing(subject(kind, person), stage=stage)
