"""Requests of people who are not signed in. A page writes them and a worker answers them."""

from __future__ import annotations

import datetime as dt
import json
import logging
import uuid
from collections.abc import Callable

from django.db import transaction
from django.utils.crypto import salted_hmac

from accounts import outbox, person_keys
from accounts.models import AccessRequest
from winddown import clock
from winddown.personal_data import HOUSE, DataClass
from winddown.registries import Registry

log = logging.getLogger(__name__)
# A second click comes at once. After this time the person wants another message.
SAME_FORM_WITHIN = dt.timedelta(minutes=10)

# By purpose: a function that finds the accounts of the typed text, queues messages, and returns the
# answer. It runs in a transaction of its own, which locks the request.
ANSWERS: Registry[Callable[[AccessRequest, str], AccessRequest.Answer]] = Registry(
    "answers to requests for access",
    entries_are="by purpose: answers a request with what was typed",
    owner=__name__,
)


def ask(
    purpose: str, typed: str, *, language: str, network: str | None, form: str = ""
) -> AccessRequest:
    """The request is written, and a worker is told to answer it.

    It writes one row for every text. The look-up happens later, so the answer and its time do not
    tell whether an account exists. The same text in the same `form`, sent again within ten minutes,
    is the same request.
    """
    key = _key(purpose, typed, form) if form else uuid.uuid4()
    earlier = AccessRequest.objects.filter(key=key).first()
    if earlier is not None and clock.now() - earlier.asked_at > SAME_FORM_WITHIN:
        key = uuid.uuid4()
    request, new = AccessRequest.objects.get_or_create(
        key=key,
        defaults={
            "purpose": purpose,
            "typed_sealed": person_keys.seal(
                typed.encode(),
                place=request_place(key),
                person_id=HOUSE,
                data_class=DataClass.CONTACT,
            ),
            "language": language,
            "network": network,
            "asked_at": clock.now(),
        },
    )
    if new:
        transaction.on_commit(outbox.wake, robust=True)
    return request


def _key(purpose: str, typed: str, form: str) -> uuid.UUID:
    told = json.dumps([purpose, form, typed])
    digest = salted_hmac("accounts.access_requests", told, algorithm="sha256").hexdigest()
    return uuid.UUID(hex=digest[:32])


def answer_due() -> int:
    """Every request that waits is answered once. Returns how many were answered."""
    answered = 0
    while _answer_next():
        answered += 1
    return answered


def _answer_next() -> bool:
    with transaction.atomic():
        request = (
            AccessRequest.objects.filter(answered_at=None)
            .select_for_update(skip_locked=True)
            .order_by("pk")
            .first()
        )
        if request is None:
            return False
        typed = typed_in(request)
        try:
            with transaction.atomic():
                answer = ANSWERS[request.purpose](request, typed)
        except Exception:
            # One request that fails must not block all others.
            log.exception("access request %s could not be answered", request.pk)
            answer = AccessRequest.Answer.FAILED
        AccessRequest.objects.filter(pk=request.pk).update(answered_at=clock.now(), answer=answer)
        return True


def typed_in(request: AccessRequest) -> str:
    """Returns what the person typed."""
    return person_keys.unseal(
        request.typed_sealed,
        place=request_place(request.key),
        person_id=HOUSE,
        data_class=DataClass.CONTACT,
    ).decode()


def request_place(key: uuid.UUID) -> str:
    return f"accounts_accessrequest/typed/{key}"
