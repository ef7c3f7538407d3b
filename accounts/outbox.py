"""The outbox: messages are queued with their facts, and handed to their channel later."""

from __future__ import annotations

import csv
import datetime as dt
import io
import logging
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from kombu.exceptions import OperationalError as BrokerDown

from accounts import carrier_files
from accounts.addresses import Address
from accounts.models import CarrierFile, Message, OneTimeLink, User
from accounts.recovery import links
from winddown import clock, encryption, locks
from winddown.actors import Actor, require
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.models import Programme
from winddown.registries import Registry

log = logging.getLogger(__name__)

SEND = "accounts.answer_and_send"
LEASE_S = 60
RETRY_S_MAX = 3600
# About a day, by the waiting times between the attempts.
ATTEMPTS_MAX = 30
BATCH_MAX = 10
# A worker that sends does nothing else meanwhile.
SEND_S_MAX = 10.0
PHONE_BATCH_MAX = 10_000
PHONE_STEM = "phone-messages-from-"


STILL_WANTED: Registry[Callable[[Message], bool]] = Registry(
    "messages that are still wanted",
    entries_are="by kind of message: whether one that was queued earlier is still sent",
    owner=__name__,
)


def queue(
    kind: str,
    *,
    to: Address,
    language: str,
    user: User | None = None,
    link: OneTimeLink | None = None,
    **facts: Any,
) -> Message:
    """The message is owed from this transaction's commit on, and a worker is told to send it."""
    key = uuid.uuid4()
    message = Message.objects.create(
        key=key,
        kind=kind,
        channel=to.channel,
        to_sealed=encryption.seal(to.sent_to.encode(), place=message_place(key)),
        user=user,
        link=link,
        language=language,
        facts=facts,
        queued_at=clock.now(),
    )
    transaction.on_commit(wake, robust=True)
    return message


@dataclass(frozen=True, slots=True)
class Recipient:
    """One of many who get the same message: where, whose account or link it is about, and what the
    text names for this one alone.
    """

    address: Address
    user: User | None = None
    link: OneTimeLink | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def queue_many(
    kind: str, to: Iterable[Recipient], *, language: str, facts: dict[str, Any]
) -> list[Message]:
    """One message to each recipient is owed from this transaction's commit on, in their order. Each
    has the `facts`, and its own.
    """
    at = clock.now()
    keys = [(each, uuid.uuid4()) for each in to]
    messages = Message.objects.bulk_create(
        Message(
            key=key,
            kind=kind,
            channel=each.address.channel,
            to_sealed=encryption.seal(each.address.sent_to.encode(), place=message_place(key)),
            user=each.user,
            link=each.link,
            language=language,
            facts={**facts, **each.facts},
            queued_at=at,
        )
        for each, key in keys
    )
    transaction.on_commit(wake, robust=True)
    return messages


def wake() -> None:
    """A worker is told that a message is owed. If the broker is down, the next tick sends it."""
    try:
        current_app.send_task(SEND)
    except BrokerDown:
        log.warning("the outbox could not be announced to the broker; the tick will")


def send_due() -> int:
    """Every owed message by mail without a lease was offered to the mail server once, as far as the
    time allows. Returns how many the server took.

    Each is leased in an earlier commit, so two senders do not send the same one. An attempt does
    not count when the server does not answer.
    """
    until, sent = time.monotonic() + SEND_S_MAX, 0
    if not _owed().exists():
        return sent
    server = get_connection()
    try:
        server.open()
        while time.monotonic() < until and (claimed := _claim(BATCH_MAX)):
            for message in claimed:
                sent += _send(message, server)
    except OSError as broken:
        # SMTPServerDisconnected too. A leased message is tried again when its lease is over.
        log.warning("the mail server does not answer: %s", type(broken).__name__)
    finally:
        server.close()
    return sent


def _owed() -> QuerySet[Message]:
    return Message.objects.filter(
        Q(lease_until=None) | Q(lease_until__lt=Now()),
        channel=Message.Channel.EMAIL,
        sent_at=None,
        given_up_at=None,
    )


def _claim(number: int) -> list[Message]:
    """Returns messages that are leased, with one attempt more. What is sent to many comes after
    what one person waits for.

    The lease grows with the attempts, so that it is also the time until the next one.
    """
    ids = _leased(number, bulk=False) or _leased(number, bulk=True)
    return list(Message.objects.filter(pk__in=ids).select_related("link", "user").order_by("pk"))


def _leased(number: int, *, bulk: bool) -> list[int]:
    named = ", ".join(f"'{kind.value}'" for kind in Message.BULK)
    of_kind = f"kind IN ({named})" if bulk else f"kind NOT IN ({named})"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE accounts_message m SET attempts = m.attempts + 1,
                lease_until = clock_timestamp()
                    + least(%(lease)s * power(2, m.attempts), %(most)s) * interval '1 second'
            WHERE m.id IN (
                SELECT id FROM accounts_message
                WHERE sent_at IS NULL AND given_up_at IS NULL AND channel = 'email' AND {of_kind}
                  AND (lease_until IS NULL OR lease_until < clock_timestamp())
                ORDER BY id LIMIT %(number)s FOR UPDATE SKIP LOCKED)
            RETURNING m.id
            """,  # noqa: S608  one of the two conditions above
            {"lease": LEASE_S, "most": RETRY_S_MAX, "number": number},
        )
        return [row[0] for row in cursor.fetchall()]


def _send(message: Message, server: BaseEmailBackend) -> int:
    """Returns 1 when the mail server took the message. A message that the server refuses for good,
    or too often, is given up.
    """
    if not _still_wanted(message):
        _end(message, given_up_at=clock.now())
        return 0
    if message.link is not None:
        links.hand_over(message.link)
    try:
        _as_mail(message, server).send()
    except SMTPRecipientsRefused as refusal:
        codes = [code for code, _ in refusal.recipients.values()]
        if all(code >= 500 for code in codes) or message.attempts >= ATTEMPTS_MAX:
            _end(message, given_up_at=clock.now())
        log.warning("message %s was refused: %s", message.pk, codes)
        return 0
    except SMTPServerDisconnected:
        raise
    except SMTPException as failure:
        log.warning("message %s was not taken: %s", message.pk, type(failure).__name__)
        if message.attempts >= ATTEMPTS_MAX:
            _end(message, given_up_at=clock.now())
        return 0
    _end(message, sent_at=clock.now())
    return 1


def _still_wanted(message: Message) -> bool:
    """Returns False for a message whose link can open nothing any more, and for one that says
    nothing true to its reader any more.
    """
    if message.kind in STILL_WANTED and not STILL_WANTED[message.kind](message):
        return False
    link = message.link
    if link is None:
        return True
    return link.used_at is None and (link.expires_at is None or links.lives(link))


def _end(message: Message, **at: dt.datetime) -> None:
    Message.objects.filter(pk=message.pk, sent_at=None, given_up_at=None).update(
        to_sealed=None, **at
    )


def message_place(key: uuid.UUID) -> str:
    return f"accounts_message/to/{key}"


def _to(message: Message) -> str:
    if message.to_sealed is None:
        raise AssertionError("an ended message has no address")
    return encryption.unseal(message.to_sealed, place=message_place(message.key)).decode()


def _as_mail(message: Message, server: BaseEmailBackend) -> EmailMessage:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2]
    return EmailMessage(
        subject=" ".join(_text(message, f"emails/{message.kind}.subject.txt").split()),
        body=_text(message, f"emails/{message.kind}.body.txt") + "\n",
        to=[_to(message)],
        connection=server,
        headers={
            # It is the same for every attempt, so the reader's program shows two copies as one.
            "Message-ID": f"<{message.key.hex}@{domain}>",
            "Auto-Submitted": "auto-generated",
        },
    )


def _text(message: Message, template: str) -> str:
    """Returns the template in the reader's language, with the message's facts."""
    link = message.link
    programme = Programme.objects.filter(pk=1).first()
    shown = {
        "service": programme.name if programme else "",
        "login_id": message.user.login_id if message.user else "",
        "staff": message.user is not None and message.user.kind == User.Kind.STAFF,
        "minutes": int(links.VALID_FOR.total_seconds() // 60),
        "site": settings.SITE_URL,
        "facts": message.facts,
        "phone": programme.contact_phone if programme else "",
    }
    if link is not None:
        path = reverse("recovery:open", args=[links.token(link)])
        shown |= {"link": f"{settings.SITE_URL}{path}", "code": links.code(link)}
    with translation.override(message.language):
        return render_to_string(template, shown).strip()


# --- telephones ---------------------------------------------------------------------------------


def owed_to_telephones() -> QuerySet[Message]:
    """Returns the messages that no file for the carrier has."""
    return Message.objects.filter(
        channel=Message.Channel.PHONE, sent_at=None, given_up_at=None
    ).order_by("pk")


def export_phone_messages(*, actor: Actor, reason: str) -> CarrierFile | None:
    """A stored file for the carrier holds the messages owed to telephones, which count as sent.

    Columns: key, number, text. Returns the oldest file that nobody took, and makes one only if
    there is none. Returns None when no message is owed. The links in it are valid from now on.
    """
    require(actor, carrier_files.PERMISSION, action="export messages")
    with transaction.atomic():
        locks.take(Lock.PHONE_MESSAGES)
        for file in carrier_files.waiting(PHONE_STEM):
            return file
        rows = list(
            owed_to_telephones()
            .select_for_update(of=("self",))
            .select_related("link", "user")[:PHONE_BATCH_MAX]
        )
        sent = []
        for message in rows:
            if _still_wanted(message):
                sent.append(message)
            else:
                _end(message, given_up_at=clock.now())
        if not sent:
            return None
        lines = [_line(message) for message in sent]
        file = carrier_files.keep(f"{PHONE_STEM}{sent[0].pk}.csv", _csv(lines), rows=len(sent))
        for message in sent:
            _end(message, sent_at=clock.now())
        audit.append(
            "outbox.export",
            "outbox:phone",
            actor=actor,
            reason=reason,
            messages=len(sent),
            file=file.name,
            sha256=file.sha256,
        )
        return file


def _line(message: Message) -> list[str]:
    if message.link is not None:
        links.hand_over(message.link)
    return [str(message.key), _to(message), _text(message, f"phone/{message.kind}.txt")]


def _csv(lines: Iterable[list[str]]) -> Iterator[bytes]:
    text = io.StringIO()
    csv.writer(text).writerows([["key", "number", "text"], *lines])
    yield text.getvalue().encode()
