"""Sign-up: a new account for an address without an account, and a hint for a person who has one."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

from django.db import IntegrityError, transaction

from accounts import addresses, outbox
from accounts.addresses import Address
from accounts.errors import AddressTaken
from accounts.models import AccessRequest, Message, OneTimeLink, User
from accounts.recovery import access_requests, links
from winddown import clock
from winddown.errors import CapabilityStopped, PastDeadline
from winddown.models import Capability, Milestone, Programme
from winddown.programme import capabilities, offer
from winddown.programme.offer import Offer
from winddown.registries import Registry

Answer = AccessRequest.Answer

OPENED: Registry[Callable[[User, dt.datetime], None]] = Registry(
    "what a new account comes with", entries_are="made in the account's transaction", owner=__name__
)


def stopped() -> Offer | None:
    """Returns since when and why nobody can register. Returns None while people can register."""
    programme = Programme.objects.filter(pk=1).first()
    if programme is None:
        return None
    at, deadlines = clock.now(), list(Milestone.objects.all())
    shown = offer.standings(at=at, deadlines=deadlines)
    lines = offer.offers(programme, shown, deadlines=deadlines)
    return next((line for line in lines if line.code == "register" and line.state != "on"), None)


def answer(request: AccessRequest, typed: str) -> AccessRequest.Answer:
    """The address is sent a message: a link to a new account, or help to sign in if there is an
    account. Only the reader of that mailbox or telephone learns which one (rule 15).
    """
    address = addresses.understood(typed)
    if address is None:
        return Answer.NOBODY
    named = _named(address)
    if named:
        customer = next((each for each in named if each.kind == User.Kind.CUSTOMER), None)
        if customer is None:
            return Answer.NOBODY
        outbox.queue(Message.Kind.ACCOUNT_KNOWN, to=address, language=request.language)
        return Answer.KNOWN
    try:
        with transaction.atomic():
            capabilities.passed("register")
    except (CapabilityStopped, PastDeadline):
        return Answer.STOPPED
    link = links.issue(OneTimeLink.Purpose.SIGN_UP, address=address, request=request)
    outbox.queue(Message.Kind.SIGN_UP, to=address, language=request.language, link=link)
    return Answer.LINKS


def _named(address: Address) -> list[User]:
    """Returns every account that has the address, verified or not, or has it as login id."""
    return list(addresses.accounts_at(address)) + list(User.objects.filter(login_id=address.text))


def open_account(link: OneTimeLink, raw_password: str) -> User:
    """The address that the link proves has an account with the password and the rows of a new
    account. Raises `LinkDead`. Raises `CapabilityStopped` or `PastDeadline` while nobody can
    register. Raises `AddressTaken` when another account got the address before. Of two requests at
    once, one succeeds.
    """
    address = links.address_for(link)
    made = User(login_id=address.text, account_ref=f"portal-{uuid.uuid4()}")
    made.set_password(raw_password)
    with transaction.atomic():
        capabilities.passed("register")
        links.use(link)
        addresses.take(address)
        if _named(address):
            raise AddressTaken
        at = clock.now()
        made.registered_at = made.password_set_at = at
        setattr(made, address.channel, address.sent_to)
        setattr(made, f"{address.channel}_verified_at", at)
        try:
            with transaction.atomic():
                made.save()
        except IntegrityError as taken:
            raise AddressTaken from taken
        for also in OPENED.values():
            also(made, at)
    return made


def late_registrations(switch: Capability) -> int:
    """Returns how many customers have registered since the stop: must be 0."""
    return int(User.objects.customers().filter(registered_at__gte=switch.since).count())


access_requests.ANSWERS.add(AccessRequest.Purpose.SIGN_UP, answer)
capabilities.LEAKS.add("register", late_registrations)
