"""Addresses as people type them: an e-mail address or a telephone number, and whose they are."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models import Message, User
from accounts.models.user import PHONE_DIGITS, UserQuerySet
from winddown import encryption, locks
from winddown.locks import Lock

_COUNTRY = "81"
_PHONE = re.compile(r"[0-9]{9,15}")
EMAIL, PHONE = Message.Channel.EMAIL, Message.Channel.PHONE


@dataclass(frozen=True, slots=True)
class Address:
    """Where a channel leads: `text` is lower case for mail, digits with the trunk's 0 for Japan."""

    channel: str
    text: str

    def __repr__(self) -> str:
        return f"Address({self.channel}, ...)"

    @property
    def fingerprint(self) -> str:
        return encryption.fingerprint(self.text, of=f"address:{self.channel}")

    @property
    def fingerprints(self) -> list[str]:
        """Under the newest field key and the older ones: a link outlives a rotation."""
        return encryption.fingerprints(self.text, of=f"address:{self.channel}")

    @property
    def mask(self) -> str:
        """What staff may see without asking: "t***@e***.jp", "***-678"."""
        if self.channel == PHONE:
            return f"***-{self.text[-3:]}"
        name, _, domain = self.text.partition("@")
        first, _, top = domain.rpartition(".")
        return f"{name[:1]}***@{first[:1]}***.{top}"


def understood(typed: str) -> Address | None:
    """Returns the address that somebody meant, in whatever width and with whatever between its
    digits.
    """
    text = unicodedata.normalize("NFKC", typed).strip()
    if "@" in text:
        try:
            validate_email(text)
        except ValidationError:
            return None
        return Address(EMAIL, text.lower()) if len(text) <= 254 else None
    digits = re.sub(r"[\s()\-\u2010-\u2015\u2212\u30fc.]", "", text)
    if digits.startswith("+"):
        digits = digits[1:]
        if digits.startswith(_COUNTRY):
            digits = "0" + digits.removeprefix(_COUNTRY)
    return Address(PHONE, digits) if _PHONE.fullmatch(digits) else None


def accounts_at(address: Address) -> UserQuerySet:
    """Returns everybody whose account names the address, verified or not; loaded accounts may share
    one.
    """
    if address.channel == EMAIL:
        return (
            User.objects.get_queryset()
            .alias(mail=Lower("email"))
            .filter(~Q(email=""), mail=address.text)
        )
    spelt = [address.text]
    if address.text.startswith("0"):
        spelt.append(_COUNTRY + address.text[1:])
    return (
        User.objects.get_queryset()
        .alias(digits=PHONE_DIGITS)
        .filter(~Q(phone=""), digits__in=spelt)
    )


def channel_of(user: User) -> Address | None:
    """Returns the verified address at which the account is reached; mail before telephone."""
    if user.email and user.email_verified_at is not None:
        return understood(user.email)
    if user.phone and user.phone_verified_at is not None:
        return understood(user.phone)
    return None


def still_at(user: User, *, channel: str, fingerprint: str) -> bool:
    """The account's verified address of the channel is still the one with the fingerprint."""
    typed, verified_at = (
        (user.email, user.email_verified_at)
        if channel == EMAIL
        else (user.phone, user.phone_verified_at)
    )
    found = understood(typed) if verified_at is not None else None
    return found is not None and fingerprint in found.fingerprints


def take(address: Address) -> None:
    """No other transaction gives the address to an account until this one ends.

    It is a lock and not a unique index, because loaded accounts may share an address.
    """
    locks.take(Lock.ADDRESS, key=int(address.fingerprint[:7], 16))
