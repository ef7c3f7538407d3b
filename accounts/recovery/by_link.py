"""Recovery by a link to a verified channel, and a new password for the person who opens it."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts import access_events, addresses, outbox
from accounts.addresses import Address
from accounts.credentials import access, passwords
from accounts.credentials.admissions import Admission
from accounts.errors import ProviderNotTrusted
from accounts.models import (
    AccessRequest,
    AuthEvent,
    ExternalIdentity,
    Message,
    OneTimeLink,
    User,
)
from accounts.recovery import access_requests, cases, links
from winddown import clock
from winddown.errors import CapabilityStopped, PastDeadline
from winddown.evidence import audit
from winddown.programme import capabilities

# A family may share one mailbox. Honest people have no more accounts than this at one address.
ACCOUNTS_MAX = 5
FRESH_FOR = dt.timedelta(minutes=10)
Answer = AccessRequest.Answer


def answer(request: AccessRequest, typed: str) -> AccessRequest.Answer:
    """Every person whom `typed` names is sent a link to the verified channel.

    `typed` is a login id, or an address that was verified. An account without a password gets its
    link like every other account. The link of a customer is for a new password. The link of staff
    makes their browser known, so that they can sign in on it during an attack. It never sets a
    password (rule 16).
    """
    found = _meant(typed)
    if not found:
        return Answer.NOBODY
    chosen = [(user, address) for user, address in found if not links.too_many(user)]
    for user, address in chosen:
        purpose, kind = OneTimeLink.Purpose.RECOVER, Message.Kind.RECOVER
        if user.kind == User.Kind.STAFF:
            purpose, kind = OneTimeLink.Purpose.BROWSER, Message.Kind.BROWSER
        link = links.issue(purpose, address=address, user=user, request=request)
        outbox.queue(kind, to=address, language=request.language, user=user, link=link)
    return Answer.LINKS if chosen else Answer.TOO_MANY


def _meant(typed: str) -> list[tuple[User, Address]]:
    """Returns the accounts that the text names, each with its own channel."""
    found: dict[int, tuple[User, Address]] = {}
    for user in User.objects.named(typed).filter(is_active=True):
        if (own := addresses.channel_of(user)) is not None:
            found[user.pk] = user, own
    if (address := addresses.understood(typed)) is not None:
        verified = {f"{address.channel}_verified_at__isnull": False}
        named = addresses.accounts_at(address).filter(is_active=True, **verified)
        for user in named.order_by("pk")[:ACCOUNTS_MAX]:
            if (own := addresses.stored(user, address.channel)) is not None:
                found.setdefault(user.pk, (user, own))
    return list(found.values())


def choose_password(link: OneTimeLink, raw_password: str) -> User:
    """The link is used. Its account has the password and no session, and its owner is told.

    A link of an assisted case also makes the new channel the account's and completes the case. A
    second factor is not touched: the owner still needs it to sign in. Raises `LinkDead`, and the
    errors of `credentials.choose_password`. After an error nothing has changed and the link still
    works.
    """
    with transaction.atomic():
        used = links.use(link)
        if used.user_id is None:
            raise AssertionError("a link to a new account has none to recover")
        user = User.objects.get(pk=used.user_id)
        _set(user, raw_password, authority_at=used.issued_at)
        if used.case is not None:
            cases.complete(used.case, user=user)
        language = used.request.language if used.request else ""
        access_events.tell(user, "password_changed", language=language)
        return user


def admit_browser(link: OneTimeLink) -> User:
    """The link is used. Returns its member of staff, whose browser it makes known.

    Nothing of the account changes. Raises `LinkDead`.
    """
    with transaction.atomic():
        used = links.use(link)
        if used.user_id is None or used.purpose != OneTimeLink.Purpose.BROWSER:
            raise AssertionError("only a link for a browser makes one known")
        user = User.objects.get(pk=used.user_id)
        audit.append("access.browser_known", f"account:{user.pk}", actor=user)
        return user


def set_first_password(
    user: User, raw_password: str, *, admission: Admission, language: str
) -> None:
    """A customer who had no password, and was just let in by a provider, has a password.

    Raises `ProviderNotTrusted` unless the identity is active and the provider's switch is on in the
    version that let the session in. Both stay so until the commit. Every session ends.
    """
    with transaction.atomic():
        try:
            passage = capabilities.passed(f"login_external:{admission.method}")
        except (CapabilityStopped, PastDeadline) as refusal:
            raise ProviderNotTrusted from refusal
        vouched = ExternalIdentity.objects.select_for_update(no_key=True).filter(
            user=user, provider=admission.method, state=ExternalIdentity.State.ACTIVE
        )
        current = User.objects.get(pk=user.pk)
        if passage.version != admission.switch_version or not vouched.exists():
            raise ProviderNotTrusted
        if not may_set_first_password(current, admission):
            raise ProviderNotTrusted
        _set(current, raw_password, authority_at=admission.at)
        access_events.tell(current, "password_changed", language=language)


def may_set_first_password(user: User, admission: Admission | None) -> bool:
    """Returns whether this is a customer without a password whom a provider let in a short while
    ago.
    """
    return (
        admission is not None
        and admission.method not in AuthEvent.OWN_METHODS
        and clock.now() - admission.at < FRESH_FOR
        and user.kind == User.Kind.CUSTOMER
        and not user.has_usable_password()
    )


def _set(user: User, raw_password: str, *, authority_at: dt.datetime) -> None:
    passwords.choose_password(user, raw_password, authority_at=authority_at)
    access.end_all(user)


access_requests.ANSWERS.add(AccessRequest.Purpose.RECOVER, answer)
