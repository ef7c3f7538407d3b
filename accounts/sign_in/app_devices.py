"""Devices of an account's app are given a token and lose it. The owner is told of both."""

from __future__ import annotations

from django.db import transaction

from accounts import access_events
from accounts.credentials import device_tokens
from accounts.credentials.admissions import Admission
from accounts.models import DeviceToken, User


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
