"""New ways into an account. The owner is told of each, and the audit journal has an entry."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import get_language

from accounts import addresses, outbox
from accounts.credentials import device_tokens
from accounts.credentials.admissions import Admission
from accounts.models import DeviceToken, Message, User
from winddown.evidence import audit


def add_device(
    user: User, *, authority: Admission | None, device_name: str
) -> tuple[DeviceToken, str]:
    """The device has a token, returned with its text, and the owner is told.

    Raises what `device_tokens.issue` raises.
    """
    with transaction.atomic():
        token, text = device_tokens.issue(user, authority=authority, device_name=device_name)
        tell(user, "device")
        return token, text


def tell(user: User, what: str) -> None:
    """The owner is told of a new `device` or second `factor`, if the account has a channel.

    It runs in the transaction that adds it.
    """
    if (channel := addresses.channel_of(user)) is not None:
        outbox.queue(
            Message.Kind.ACCESS_ADDED,
            to=channel,
            language=get_language() or "ja",
            user=user,
            what=what,
        )
    note(user, f"{what}_added")


def note(user: User, what: str) -> None:
    """The audit journal has an entry about the account's ways in."""
    audit.append(f"access.{what}", f"account:{user.pk}", actor=user)
