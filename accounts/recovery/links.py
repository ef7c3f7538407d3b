"""One-time links: issued to a channel, handed over, opened, used once."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F, Q
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts import addresses, person_keys
from accounts.addresses import Address
from accounts.credentials import fencing
from accounts.errors import LinkDead
from accounts.models import AccessRequest, OneTimeLink, RecoveryCase, User
from winddown import clock
from winddown.models import Merchant
from winddown.personal_data import HOUSE, DataClass
from winddown.sqlstates import SqlState, sqlstate_of

VALID_FOR = dt.timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
# A merchant confirms a notice in its own time. The link opens no account.
MERCHANT_VALID_FOR = dt.timedelta(days=60)
# A letter with a code takes days, and its reader answers when there is time.
LETTER_VALID_FOR = dt.timedelta(days=30)
CODE_DIGITS = 8
LINKS_PER_HOUR_MAX = 3
Purpose = OneTimeLink.Purpose
# Dead once the address that they were sent to is not the account's any more.
_OF_A_CHANNEL = (Purpose.RECOVER, Purpose.BROWSER, Purpose.CLAIM, Purpose.CONFIRM)
# A code that is typed beside something else, and opens no page by itself.
_CODES = (Purpose.CLAIM, Purpose.CONFIRM)


def issue(
    purpose: str,
    *,
    address: Address,
    user: User | None = None,
    request: AccessRequest | None = None,
    case: RecoveryCase | None = None,
) -> OneTimeLink:
    """A link exists. Its time begins when `hand_over` is called for its channel."""
    key = uuid.uuid4()
    sealed = None
    if purpose in (Purpose.SIGN_UP, Purpose.ADDRESS):
        sealed = person_keys.seal(
            address.sent_to.encode(),
            place=link_place(key),
            person_id=HOUSE,
            data_class=DataClass.CONTACT,
        )
    return OneTimeLink.objects.create(
        key=key,
        purpose=purpose,
        user=user,
        request=request,
        case=case,
        channel=address.channel,
        address_fingerprint=address.fingerprint,
        address_sealed=sealed,
        issued_at=clock.now(),
    )


def issue_to_merchants(to: Iterable[tuple[Merchant, Address]]) -> list[OneTimeLink]:
    """Each merchant has a link, in the order given. Its time begins as that of every link."""
    at = clock.now()
    return OneTimeLink.objects.bulk_create(
        OneTimeLink(
            purpose=Purpose.MERCHANT,
            merchant=merchant,
            channel=address.channel,
            address_fingerprint=address.fingerprint,
            issued_at=at,
        )
        for merchant, address in to
    )


def too_many(user: User) -> bool:
    """Returns whether the account has reached the limit of links of this hour.

    For staff only links that may still work count. So somebody who asks in the name of a member of
    staff cannot keep them without a link during an attack.
    """
    within = VALID_FOR if user.kind == User.Kind.STAFF else dt.timedelta(hours=1)
    recent = OneTimeLink.objects.filter(user=user, issued_at__gt=clock.now() - within)
    return recent.count() >= LINKS_PER_HOUR_MAX


def hand_over(link: OneTimeLink) -> None:
    """The link's time has begun. A second call changes nothing."""
    valid_for = MERCHANT_VALID_FOR if link.purpose == Purpose.MERCHANT else VALID_FOR
    if link.channel == addresses.LETTER:
        valid_for = LETTER_VALID_FOR
    OneTimeLink.objects.filter(pk=link.pk, expires_at=None, used_at=None).update(
        expires_at=clock.now() + valid_for
    )
    link.refresh_from_db(fields=["expires_at"])


def token(link: OneTimeLink) -> str:
    """Returns the token of the mailed link."""
    return f"{link.key.hex}-{_secret(link, 'token')[:43]}"


def code(link: OneTimeLink) -> str:
    """Returns the code of a message to a telephone."""
    return f"{int(_secret(link, 'code'), 16) % 10**CODE_DIGITS:0{CODE_DIGITS}}"


def _secret(link: OneTimeLink, form: str) -> str:
    return salted_hmac(f"accounts.links.{form}", link.key.hex, algorithm="sha256").hexdigest()


def by_token(given: str) -> OneTimeLink:
    """Returns the link of the token, if its page may be opened now: a living one, or that of a
    merchant who used it and reads the notice again. Raises `LinkDead` for every other token.
    """
    key, _, _secret_part = given.partition("-")
    try:
        found = OneTimeLink.objects.select_related("case", "merchant")
        link = found.filter(key=uuid.UUID(hex=key)).first()
    except ValueError:
        link = None
    if link is None or not constant_time_compare(given, token(link)):
        raise LinkDead
    if link.purpose in _CODES:
        raise LinkDead
    if not (lives(link) or _is_read_again(link)):
        raise LinkDead
    return link


def _is_read_again(link: OneTimeLink) -> bool:
    used = link.purpose == Purpose.MERCHANT and link.used_at is not None
    return used and link.expires_at is not None and clock.now() < link.expires_at


def by_code(request: AccessRequest, given: str) -> OneTimeLink:
    """Returns the living link that answers the request and has this code. Otherwise raises
    `LinkDead`. Every typed code counts, also for a request without a link. The sixth code opens
    nothing.
    """
    typed = "".join(letter for letter in given if letter.isdecimal())
    counted = AccessRequest.objects.filter(pk=request.pk, tries__lt=AccessRequest.TRIES_MAX)
    if not counted.update(tries=F("tries") + 1):
        raise LinkDead
    by_mail_too = Q(channel=addresses.PHONE) | Q(purpose=Purpose.CONFIRM)
    waiting = OneTimeLink.objects.filter(by_mail_too, request=request)
    for link in waiting.select_related("case").order_by("pk"):
        if constant_time_compare(typed, code(link)) and lives(link):
            return link
    raise LinkDead


def lives(link: OneTimeLink) -> bool:
    """Returns whether the link would work now. The database checks the same again when it is used."""
    at = clock.now()
    if link.used_at is not None or link.expires_at is None or at >= link.expires_at:
        return False
    fence = fencing.Fence(at, fencing.fence_now())
    if link.purpose not in OneTimeLink.UNFENCED and not fence.accepts(link.issued_at):
        return False
    if link.case is not None and link.case.state != RecoveryCase.State.APPROVED:
        return False
    return link.user_id is None or _still_for(link, User.objects.get(pk=link.user_id))


def _still_for(link: OneTimeLink, user: User) -> bool:
    """Returns whether the account is as it was when the link was issued."""
    changed = (user.password_set_at, user.channel_changed_at)
    if not user.is_active or any(each and each > link.issued_at for each in changed):
        return False
    if link.channel == addresses.LETTER:
        return True
    return link.purpose not in _OF_A_CHANNEL or addresses.still_at(
        user, channel=link.channel, fingerprint=link.address_fingerprint
    )


def use(link: OneTimeLink) -> OneTimeLink:
    """The link is used, in the transaction of the caller, who also performs its purpose. If two
    requests use it at once, the second finds it used. Raises `LinkDead`.
    """
    fencing.take_fence()
    locked = (
        OneTimeLink.objects.select_for_update(of=("self",)).select_related("case").get(pk=link.pk)
    )
    if not lives(locked):
        raise LinkDead
    try:
        with transaction.atomic():
            OneTimeLink.objects.filter(pk=locked.pk).update(used_at=clock.now())
    except DatabaseError as refusal:
        if sqlstate_of(refusal) == SqlState.LINK_REFUSED:
            raise LinkDead from refusal
        raise
    locked.refresh_from_db(fields=["used_at"])
    return locked


def address_for(link: OneTimeLink) -> Address:
    """Returns the address that the account gets by the link."""
    if link.address_sealed is None:
        raise AssertionError("the link gives no address to an account")
    text = person_keys.unseal(
        link.address_sealed,
        place=link_place(link.key),
        person_id=HOUSE,
        data_class=DataClass.CONTACT,
    ).decode()
    return addresses.understood(text) or Address(link.channel, text)


def link_place(key: uuid.UUID) -> str:
    return f"accounts_onetimelink/address/{key}"
