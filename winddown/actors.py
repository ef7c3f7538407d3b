"""Who acts: a person with an account, or the system, where a declaration allows the system."""

from __future__ import annotations

from typing import Any, Final, Protocol

from winddown.errors import NotPermitted


class Actor(Protocol):
    """Who is responsible for an act: an account, or `SYSTEM`.

    `pk` is the account's number, None for the system. `staff_number` names the person behind the
    account, empty for customers and the system. A foreign key takes `actor.pk`.
    """

    @property
    def pk(self) -> Any: ...

    @property
    def is_active(self) -> bool: ...

    @property
    def staff_number(self) -> str: ...

    def has_perm(self, perm: str, /) -> bool: ...


class _System:
    """The worker that acts by itself, after a deadline passed or a rule matched."""

    pk: Final = None
    is_active: Final = True
    staff_number: Final = ""

    def has_perm(self, perm: str, /) -> bool:
        """Returns False: each declaration, not a permission, says where the system may act."""
        return False

    def __str__(self) -> str:
        return "system"


SYSTEM: Final = _System()


def require(actor: Actor, permission: str, *, by_system: bool = False, action: str = "") -> None:
    """Raises `NotPermitted` unless `actor` holds `permission`.

    The system passes only where the declaration allows it. An empty permission is for customers:
    any active person passes. A superuser holds every permission, and still cannot be both maker and
    checker.
    """
    if actor is SYSTEM:
        if not by_system:
            raise NotPermitted(actor="system", action=action, permission=permission)
        return
    if not actor.is_active or (permission and not actor.has_perm(permission)):
        raise NotPermitted(actor=actor.pk, action=action, permission=permission)
