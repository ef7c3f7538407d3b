"""Who acts: a person with an account, or the system itself where a declaration lets it."""

from __future__ import annotations

from typing import Any, Final

from winddown.errors import NotPermitted


class _System:
    """The worker acting by itself: the deadline that came, the rule that hit."""

    pk = None

    def __str__(self) -> str:
        return "system"


SYSTEM: Final = _System()


def require(actor: Any, permission: str, *, by_system: bool = False, action: str = "") -> None:
    """`actor` holds `permission`; the system itself only where the declaration says so.

    Raises `NotPermitted`. An empty permission is the customers' own: it takes a person who may act
    at all. A superuser holds every permission, and still cannot be both maker and checker.
    """
    if actor is SYSTEM:
        if not by_system:
            raise NotPermitted(actor="system", action=action, permission=permission)
        return
    if not actor.is_active or (permission and not actor.has_perm(permission)):
        raise NotPermitted(actor=actor.pk, action=action, permission=permission)
