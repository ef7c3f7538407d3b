"""People who are signed in prove that they read the mail of their account's address."""

from __future__ import annotations

from django.db import transaction

from accounts import access_events, addresses, outbox
from accounts.addresses import EMAIL, Address
from accounts.errors import AddressTaken, LinkDead
from accounts.models import Message, OneTimeLink, User
from accounts.recovery import access_requests, links
from winddown import clock

Purpose = OneTimeLink.Purpose


def ask(user: User, address: Address, *, language: str) -> bool:
    """A link is sent to the address. Returns False when the account had too many links this hour.

    Asked for again within ten minutes, the address has the link already and gets no second one.
    """
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        earlier = OneTimeLink.objects.filter(
            user=user,
            purpose=Purpose.ADDRESS,
            used_at=None,
            address_fingerprint__in=address.fingerprints,
            issued_at__gt=clock.now() - access_requests.SAME_FORM_WITHIN,
        )
        if earlier.exists():
            return True
        if links.too_many(user):
            return False
        link = links.issue(Purpose.ADDRESS, address=address, user=user)
        outbox.queue(
            Message.Kind.VERIFY_ADDRESS, to=address, language=language, user=user, link=link
        )
        return True


def prove(link: OneTimeLink, *, by: User) -> None:
    """The link is used. Its address is the verified address of the account, whose owner is told.

    The old address is told too. Only the owner of the account uses the link. Raises `LinkDead`, or
    `AddressTaken` when another account has the address.
    """
    if link.user_id != by.pk or link.purpose != Purpose.ADDRESS:
        raise LinkDead
    with transaction.atomic():
        used = links.use(link)
        address = links.address_for(used)
        addresses.take(address)
        if addresses.accounts_at(address).exclude(pk=by.pk).exists():
            raise AddressTaken
        user = User.objects.get(pk=by.pk)
        before = addresses.stored(user, EMAIL)
        proved = {"email": address.sent_to, "email_verified_at": used.used_at}
        if before != address:
            proved["channel_changed_at"] = used.used_at
        User.objects.filter(pk=user.pk).update(**proved)
        old = addresses.verified(user, EMAIL)
        to = [address] if old in (None, address) else [old, address]
        access_events.tell(user, "address_verified", to=to)
