"""Addresses as people type them: an e-mail address or a telephone number, and whose they are."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from accounts.models import Message, User, reach
from accounts.models.user import UserQuerySet
from winddown import encryption, locks
from winddown.locks import Lock

EMAIL, PHONE = Message.Channel.EMAIL, Message.Channel.PHONE
# No message: a page to print, to the postal address.
LETTER = "letter"
# Japanese keyboards write these between digits.
_DASHES = re.compile(r"[\s\u2010-\u2015\u2212\u30fc]")


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a channel.

    `text` is its form for comparing: mail in lower case, and digits with the 0 for Japan. `letters`
    are what messages are sent to: the letters of a mail address as they are stored.
    """

    channel: str
    text: str
    letters: str = field(default="", compare=False)

    def __repr__(self) -> str:
        return f"Address({self.channel}, ...)"

    @property
    def sent_to(self) -> str:
        """Returns the letters that a message is sent to."""
        return self.letters or self.text

    @property
    def fingerprint(self) -> str:
        return encryption.fingerprint(self.text, of=f"address:{self.channel}")

    @property
    def fingerprints(self) -> list[str]:
        """Returns the fingerprints under the newest field key and the older ones. A link stays
        valid when the key changes.
        """
        return encryption.fingerprints(self.text, of=f"address:{self.channel}")

    @property
    def mask(self) -> str:
        """Returns the part that staff may see without giving a reason: "t***@e***.jp", "***-678"."""
        if self.channel == PHONE:
            return f"***-{self.text[-3:]}"
        name, _, domain = self.text.partition("@")
        first, _, top = domain.rpartition(".")
        return f"{name[:1]}***@{first[:1]}***.{top}"


def understood(typed: str) -> Address | None:
    """Returns the address that the text means. Full width letters and marks between digits do not
    matter.

    Nobody's secret is sent to a typed text: it finds accounts, and they name the stored address.
    """
    text = unicodedata.normalize("NFKC", typed).strip()
    if "@" in text:
        mail = reach.mail_of(text)
        return Address(EMAIL, mail, text) if mail else None
    number = reach.number_of(_DASHES.sub("", text))
    return Address(PHONE, number) if number else None


def accounts_at(address: Address) -> UserQuerySet:
    """Returns every account that names the address, verified or not. Loaded accounts may share an
    address.
    """
    column = "mail_address" if address.channel == EMAIL else "phone_number"
    return User.objects.get_queryset().filter(**{column: address.text})


def stored(user: User, channel: str) -> Address | None:
    """Returns the account's address of the channel, verified or not, if it reaches anybody."""
    if channel == EMAIL:
        return Address(EMAIL, user.mail_address, user.email) if user.mail_address else None
    return Address(PHONE, user.phone_number) if user.phone_number else None


def verified(user: User, channel: str) -> Address | None:
    """Returns the account's verified address of the channel."""
    at = user.email_verified_at if channel == EMAIL else user.phone_verified_at
    return stored(user, channel) if at is not None else None


def channel_of(user: User) -> Address | None:
    """Returns the verified address of the account. Mail comes before telephone."""
    return verified(user, EMAIL) or verified(user, PHONE)


def channels_of(user: User) -> list[str]:
    """Returns the channels that reach the person, the first choice first: mail, telephone, and at
    last a letter. Nobody reaches somebody without one, and `without_channel` counts them.
    """
    found: list[str] = [channel for channel in (EMAIL, PHONE) if verified(user, channel)]
    return [*found, LETTER] if hasattr(user, "postal_address") else found


def still_at(user: User, *, channel: str, fingerprint: str) -> bool:
    """Returns whether the account's verified address of the channel still has the fingerprint."""
    found = verified(user, channel)
    return found is not None and fingerprint in found.fingerprints


def take(address: Address) -> None:
    """No other transaction gives the address to an account until this one ends.

    It is a lock and not a unique index, because loaded accounts may share an address.
    """
    locks.take(Lock.ADDRESS, key=int(address.fingerprint[:7], 16))
