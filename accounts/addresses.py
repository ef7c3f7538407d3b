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
    """The address of a channel, in one form. Mail is in lower case. A telephone number is its
    digits, and a number of Japan begins with 0.
    """

    channel: str
    text: str

    def __repr__(self) -> str:
        return f"Address({self.channel}, ...)"

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
    """Returns every account that names the address, verified or not. Loaded accounts may share an
    address.
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
    """Returns the verified address of the account. Mail comes before telephone."""
    if user.email and user.email_verified_at is not None:
        return understood(user.email)
    if user.phone and user.phone_verified_at is not None:
        return understood(user.phone)
    return None


def still_at(user: User, *, channel: str, fingerprint: str) -> bool:
    """Returns whether the account's verified address of the channel still has the fingerprint."""
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
