"""Passwords are chosen, and refused where they were used before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts.credentials import fencing, hash_costs
from accounts.errors import AuthorityFenced, PasswordChangedMeanwhile, PasswordReused
from accounts.models import User

NO_PASSWORD = "!"  # noqa: S105  what Django's hashers understand as unusable


@contextmanager
def giving(user: User, *, authority_at: dt.datetime | None) -> Iterator[dt.datetime]:
    """Inside, an account may get a further credential, dated by the instant yielded.

    `authority_at` is when the session was issued in which the owner asks. Raises `AuthorityFenced`
    when that lies before the fence, or when there is no session. Therefore no old session leads to
    a new passkey, and no token leads to another token.
    """
    with transaction.atomic():
        fence = fencing.take_fence()
        accepted = authority_at is not None and fence.accepts(authority_at)
        if user.kind == User.Kind.CUSTOMER and not accepted:
            raise AuthorityFenced(not_before=f"{fence.not_before or fence.at:%Y-%m-%d %H:%M:%S %Z}")
        yield fence.at


def is_refused(user: User, raw_password: str) -> bool:
    """Returns whether `raw_password` is the account's present password, or the password that a mass
    reset removed.
    """
    return any(
        hash_costs.verify(raw_password, encoded) for encoded in (user.password, user.refused_hash)
    )


def choose_password(user: User, raw_password: str, *, authority_at: dt.datetime) -> None:
    """The account's password is `raw_password`, set now by its owner.

    `authority_at` is when the session or link was issued by which the owner asks. Raises
    `AuthorityFenced` when that lies before the fence: an old credential never leads to a new one.
    Raises `PasswordReused` for the present or the removed password (rule 11). Raises
    `PasswordChangedMeanwhile` when a batch of the reset or another request was first. Nobody sets
    another person's password.
    """
    seen = User.objects.get(pk=user.pk)
    if is_refused(seen, raw_password):
        raise PasswordReused
    encoded = make_password(raw_password)
    with transaction.atomic():
        fence = fencing.take_fence()
        customer = seen.kind == User.Kind.CUSTOMER
        if customer and not fence.accepts(authority_at):
            raise AuthorityFenced(not_before=f"{fence.not_before:%Y-%m-%d %H:%M:%S %Z}")
        # The reset has not reached this account yet. The password that it would refuse is refused
        # from now on.
        fenced = customer and seen.has_usable_password() and not fence.accepts(seen.password_set_at)
        refused_hash = seen.password if fenced and seen.password else seen.refused_hash
        unchanged = User.objects.filter(
            pk=seen.pk, password=seen.password, refused_hash=seen.refused_hash
        )
        changed = unchanged.update(
            password=encoded, password_set_at=fence.at, refused_hash=refused_hash
        )
        if not changed:
            raise PasswordChangedMeanwhile(account=seen.pk)
    user.refresh_from_db(fields=["password", "password_set_at", "refused_hash"])
