"""Changes of the ways into an account. Its owner is told of each, and the audit journal has an entry.

`EVENTS` has every event that exists. Its code is also the act in the journal, after `access.`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts import addresses, outbox
from accounts.addresses import Address
from accounts.models import Message, User
from winddown import words
from winddown.actors import Actor
from winddown.evidence import audit
from winddown.words import Text


@dataclass(frozen=True, slots=True)
class AccessEvent:
    """The title names the event in the journal and in a message. The sentence tells the owner what
    happened. `recoverable` says whether the owner can still set a password by the told channel.
    """

    title: Text
    sentence: Text
    recoverable: bool = True


EVENTS: dict[str, AccessEvent] = {
    "factor_added": AccessEvent(
        _("Second factor added"), _("A second factor was added to your account just now.")
    ),
    "factor_removed": AccessEvent(
        _("Second factor removed"), _("A second factor was removed from your account just now.")
    ),
    "recovery_codes_made": AccessEvent(
        _("Recovery codes renewed"),
        _("New recovery codes were made for your account just now. The old ones open nothing."),
    ),
    "device_added": AccessEvent(
        _("Device added"), _("An app on a device was signed in to your account just now.")
    ),
    "device_removed": AccessEvent(
        _("Device removed"), _("An app on a device was signed out of your account just now.")
    ),
    "sign_out_everywhere": AccessEvent(
        _("Signed out everywhere"),
        _("Every browser and every device was signed out of your account just now."),
    ),
    "password_changed": AccessEvent(
        _("Password changed"),
        _("The password of your account was changed just now, and every device was signed out."),
    ),
    "address_changed": AccessEvent(
        _("Address changed"),
        _(
            "Our staff have given your account another address, and a new password was set, because"
            " somebody proved to us that the account is theirs. No money leaves it for a day."
        ),
        recoverable=False,
    ),
    "address_verified": AccessEvent(
        _("Address verified"),
        _("The owner of your account proved an e-mail address. Messages go there from now on."),
    ),
    "closed_by_staff": AccessEvent(
        _("Second factor and password removed"),
        _(
            "Two colleagues have just removed the second factors and the password of your account,"
            " because one of them said that you lost them. Every device was signed out."
        ),
    ),
    "roles_changed": AccessEvent(
        _("Roles changed"),
        _("Two colleagues have just changed the roles of your account."),
    ),
    "disable": AccessEvent(
        _("Account disabled"),
        _("Our staff have disabled your account. Nobody can sign in to it."),
        recoverable=False,
    ),
    "enable": AccessEvent(
        _("Account enabled"), _("Our staff have enabled your account again. You can sign in.")
    ),
}

words.ACTS.add_all({f"access.{code}": event.title for code, event in EVENTS.items()})


def tell(
    user: User,
    event: str,
    *,
    actor: Actor | None = None,
    reason: str = "",
    to: Sequence[Address] | None = None,
    language: str = "",
    **facts: Any,
) -> None:
    """The owner is told of the event, and the audit journal has an entry by `actor`, or by the
    owner.

    Call this last in the transaction of the change. The message goes to the verified channel, or to
    each address in `to`. The entry says how many messages are owed. An account without a channel is
    told nothing.
    """
    if event not in EVENTS:
        raise AssertionError(f"{event} is not in the table of events")
    if to is None:
        channel = addresses.channel_of(user)
        to = [channel] if channel else []
    for address in to:
        outbox.queue(
            Message.Kind.ACCESS_CHANGED,
            to=address,
            language=language or get_language() or "ja",
            user=user,
            event=event,
        )
    subject = f"account:{user.pk}"
    audit.append(
        f"access.{event}", subject, actor=actor or user, reason=reason, messages=len(to), **facts
    )
