"""The code with which a signed-in customer proves the known channel, as a worker sends it."""

from __future__ import annotations

from accounts import addresses, outbox
from accounts.models import AccessRequest, Message, OneTimeLink, User
from accounts.recovery import access_requests, links

Answer = AccessRequest.Answer


def answer(request: AccessRequest, typed: str) -> AccessRequest.Answer:
    """The customer, whose number `typed` is, has a code at the verified address."""
    holder = User.objects.customers().filter(pk=int(typed), is_active=True).first()
    address = None if holder is None else addresses.channel_of(holder)
    if holder is None or address is None:
        return Answer.NOBODY
    if links.too_many(holder):
        return Answer.TOO_MANY
    link = links.issue(OneTimeLink.Purpose.CONFIRM, address=address, user=holder, request=request)
    outbox.queue(
        Message.Kind.CONFIRM_CODE, to=address, language=request.language, user=holder, link=link
    )
    return Answer.LINKS


access_requests.ANSWERS.add(AccessRequest.Purpose.CONFIRM, answer)
