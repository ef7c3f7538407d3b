"""Devices of an account's app are given a token and lose it. The owner is told of both. What is
refused leaves an entry in the audit journal.
"""

from __future__ import annotations

from django.db import transaction

from accounts import access_events
from accounts.attempts import limits
from accounts.credentials import device_tokens
from accounts.credentials.admissions import Admission
from accounts.models import DeviceToken, User
from winddown.actors import SYSTEM
from winddown.evidence import audit


def add(
    user: User, *, authority: Admission, device_name: str, once: str
) -> tuple[DeviceToken, str]:
    """The device has a token, returned with its text. Of a repeated `once` the owner is told once.

    Raises what `device_tokens.issue` raises.
    """
    with transaction.atomic():
        token, text, new = device_tokens.issue(
            user, authority=authority, device_name=device_name, once=once
        )
        if new:
            access_events.tell(user, "device_added")
        return token, text


def remove(token: DeviceToken) -> None:
    """The token opens nothing any more. A second call changes nothing and tells nobody."""
    with transaction.atomic():
        if device_tokens.revoke(token):
            access_events.tell(token.user, "device_removed")


def note_not_given(user: User, why: str) -> None:
    """The audit journal says why the account's device was given no token. Of one account it has a
    few of each hour only.
    """
    if limits.allow("refused_token", key=user.login_id):
        with transaction.atomic():
            audit.append("access.token_not_given", f"account:{user.pk}", actor=user, why=why)


def note_refused(text: str, *, network: str | None) -> None:
    """The audit journal has the token that opened nothing, and whose it was.

    It has a few of each hour only: of one account, and for unknown tokens of one network and of all
    together.
    """
    token = device_tokens.given(text)
    if token is not None:
        allowed = limits.allow("refused_token", key=token.user.login_id)
    else:
        allowed = limits.allow("unknown_token", network=network)
    if allowed:
        subject = f"account:{token.user_id}" if token else "sign_in:token"
        with transaction.atomic():
            audit.append("access.token_refused", subject, actor=SYSTEM)
