"""One account is signed out everywhere, or disabled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, transaction

from accounts import access_events
from accounts.errors import OwnAccount, RolesExclude
from accounts.models import DeviceToken, Session, User
from winddown import clock
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.sqlstates import SqlState, sqlstate_of


def sign_out_everywhere(user: User, *, actor: Actor, reason: str) -> None:
    """No session and no device token of the account from before this instant is accepted.

    The owner may do it, and staff with the permission. Only the instant decides. The rows are
    deleted so that no request has to read them.
    """
    _require(user, actor, "accounts.end_sessions", action="sign an account out everywhere")
    with transaction.atomic():
        end_all(user)
        access_events.tell(user, "sign_out_everywhere", actor=actor, reason=reason)


def disable(user: User, *, actor: Actor, reason: str) -> None:
    """Nobody is let into the account. Its sessions and tokens have ended.

    Raises `NotPermitted`, `OwnAccount`, or `GuardNotMet` for an account that is disabled.
    """
    require(actor, "accounts.disable_account", action="disable an account")
    if user.pk == actor.pk:
        raise OwnAccount
    with transaction.atomic():
        if not User.objects.filter(pk=user.pk, is_active=True).update(is_active=False):
            raise GuardNotMet(
                action=says("disable the account"), why=says("it is disabled already")
            )
        end_all(user)
        access_events.tell(user, "disable", actor=actor, reason=reason)


def enable(user: User, *, actor: Actor, reason: str) -> None:
    """The owner is let in again. Sessions and tokens from before do not come back.

    Raises `NotPermitted`, `GuardNotMet`, or `RolesExclude` when the person would then hold two
    roles that exclude each other.
    """
    require(actor, "accounts.disable_account", action="enable an account")
    with roles_kept_apart(), transaction.atomic():
        if not User.objects.filter(pk=user.pk, is_active=False).update(is_active=True):
            raise GuardNotMet(action=says("enable the account"), why=says("it is not disabled"))
        access_events.tell(user, "enable", actor=actor, reason=reason)


@contextmanager
def roles_kept_apart() -> Iterator[None]:
    """Raises `RolesExclude` when the database refuses what happens inside for that reason."""
    try:
        yield
    except DatabaseError as refusal:
        if sqlstate_of(refusal) != SqlState.ROLES_EXCLUDE:
            raise
        why = str(refusal).partition("\n")[0]
        raise RolesExclude(why=why) from refusal


def end_all(user: User) -> None:
    """No session and no token of the account is accepted. The caller's transaction records the
    reason.
    """
    at = clock.now()
    User.objects.filter(pk=user.pk).update(sessions_end_before=at)
    DeviceToken.objects.filter(user=user, revoked_at=None).update(revoked_at=at)
    Session.objects.filter(user=user).delete()


def _require(user: User, actor: Actor, permission: str, *, action: str) -> None:
    if actor.pk != user.pk:
        require(actor, permission, action=action)
