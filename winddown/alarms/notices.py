"""Notices about alarms: queued once for each repeat, and sent by mail or webhook.

They are sent outside of any transaction, by a worker or by the watchdog, and need no broker.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import time
import uuid
from collections.abc import Collection, Mapping
from email.utils import parseaddr
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import connection, transaction
from django.db.models import Count, Max
from django.template.loader import render_to_string
from django.utils import timezone, translation

from winddown import clock
from winddown.alarm_kinds import KINDS, Severity
from winddown.alarms import duty_addresses, webhook
from winddown.errors import WinddownError
from winddown.models import Alarm, AlarmNotice, DutyAddress, Programme

log = logging.getLogger(__name__)

REPEAT_EVERY = {
    Severity.GRAVE: dt.timedelta(minutes=15),
    Severity.WARNING: dt.timedelta(hours=4),
}
LAST_RESORT = "incident_commander"
LEASE_S = 60
ATTEMPTS_MAX = 10
# A worker, or the watchdog, does nothing else meanwhile.
SEND_S_MAX = 30.0


def next_role(role: str) -> str:
    """Returns the role that is told when nobody of `role` answers."""
    return LAST_RESORT if role != LAST_RESORT else "compliance"


def queue(at: dt.datetime, reached: Mapping[str, list[DutyAddress]]) -> None:
    """Each alarm without an answer has its newest notice to each address of its role, and of the
    next role once it is escalated. An older notice that was not sent is given up.
    """
    for alarm in Alarm.objects.filter(state__in=Alarm.UNANSWERED).order_by("pk"):
        told = [*reached.get(alarm.role, []), *duty_addresses.former(alarm)]
        _queue(alarm, 0, alarm.raised_at, at, told)
        if alarm.escalated_at is not None:
            above = reached.get(next_role(alarm.role), [])
            _queue(alarm, 1, alarm.escalated_at, at, above)


def _queue(
    alarm: Alarm, level: int, since: dt.datetime, at: dt.datetime, addresses: list[DutyAddress]
) -> None:
    repeat = max(0, (at - since) // REPEAT_EVERY[Severity(alarm.severity)])
    for address in addresses:
        _, is_new = AlarmNotice.objects.get_or_create(
            alarm=alarm, level=level, repeat=repeat, address=address, defaults={"queued_at": at}
        )
        if is_new:
            give_up(alarm, address=address, level=level, repeat__lt=repeat)


def give_up(alarm: Alarm, **chosen: Any) -> None:
    """The notices of the alarm that were not sent are not sent any more."""
    AlarmNotice.objects.filter(alarm=alarm, sent_at=None, given_up_at=None, **chosen).update(
        given_up_at=clock.now()
    )


def send_due() -> int:
    """Every owed notice without a lease was sent once, as far as the time allows. Returns how many
    were taken.
    """
    until, sent = time.monotonic() + SEND_S_MAX, 0
    while time.monotonic() < until and (notice := _claim()) is not None:
        sent += _send(notice)
    return sent


def _claim() -> AlarmNotice | None:
    """Returns a notice that is leased, with one attempt more. The lease grows with the attempts, so
    that it is also the time until the next one.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE winddown_alarmnotice n SET attempts = n.attempts + 1,
                lease_until = clock_timestamp() + %(lease)s * power(2, n.attempts) * interval '1 second'
            WHERE n.id = (
                SELECT id FROM winddown_alarmnotice
                WHERE sent_at IS NULL AND given_up_at IS NULL
                  AND (lease_until IS NULL OR lease_until < clock_timestamp())
                ORDER BY attempts, id LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING n.id
            """,
            {"lease": LEASE_S},
        )
        row = cursor.fetchone()
    if row is None:
        return None
    return AlarmNotice.objects.select_related("alarm", "address").get(pk=row[0])


def _send(notice: AlarmNotice) -> int:
    """Returns 1 if the mail server or the webhook took the notice. One that fails too often is
    given up; the next repeat is another notice.
    """
    owed = AlarmNotice.objects.filter(pk=notice.pk, sent_at=None, given_up_at=None)
    if notice.address.ended_at is not None and notice.alarm.code != duty_addresses.CHANGED:
        owed.update(given_up_at=clock.now())
        return 0
    try:
        if notice.address.channel == DutyAddress.Channel.MAIL:
            _mail(notice)
        else:
            _call(notice)
    except (OSError, SMTPException, WinddownError) as failure:
        why = failure.facts.get("why", "") if isinstance(failure, WinddownError) else ""
        log.warning("%s was not taken: %s", notice, why or type(failure).__name__)
        owed.update(failure=(why or type(failure).__name__)[:60])
        if notice.attempts >= ATTEMPTS_MAX:
            owed.update(given_up_at=clock.now())
        return 0
    return owed.update(sent_at=clock.now(), failure="")


def _key(notice: AlarmNotice) -> uuid.UUID:
    """Returns the same key for every attempt of the notice."""
    return uuid.uuid5(notice.address.key, f"{notice.alarm_id}:{notice.level}:{notice.repeat}")


def _mail(notice: AlarmNotice) -> None:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2]
    said = _said(notice)
    EmailMessage(
        subject=" ".join(_text("emails/alarm.subject.txt", notice, said).split()),
        body=_text("emails/alarm.body.txt", notice, said) + "\n",
        to=[duty_addresses.target_of(notice.address).address],
        connection=get_connection(),
        headers={
            "Message-ID": f"<{_key(notice).hex}@{domain}>",
            "Auto-Submitted": "auto-generated",
        },
    ).send()


def _text(template: str, notice: AlarmNotice, said: dict[str, Any]) -> str:
    programme = Programme.objects.filter(pk=1).first()
    zone = programme.zone if programme else dt.UTC
    language = notice.address.language
    with translation.override(language), timezone.override(zone):
        kind = KINDS.get(notice.alarm.code)
        shown = {
            **said,
            "service": programme.name if programme else "",
            "title": kind.title if kind else notice.alarm.code,
            "runbook": f"docs/runbooks/{kind.runbook}" if kind else "",
            "sentence": notice.alarm.sentences.get(language, ""),
            "raised": f"{timezone.localtime(notice.alarm.raised_at):%Y-%m-%d %H:%M %Z}",
        }
        return render_to_string(template, shown).strip()


def _call(notice: AlarmNotice) -> None:
    target = duty_addresses.target_of(notice.address)
    body = json.dumps(_said(notice), ensure_ascii=False, sort_keys=True).encode()
    webhook.send(
        target.address,
        body,
        secret=target.secret,
        key=_key(notice).hex,
        at_s=int(clock.now().timestamp()),
    )


def _said(notice: AlarmNotice) -> dict[str, Any]:
    """Returns what a webhook gets. Nothing in it is about a customer."""
    alarm = notice.alarm
    return {
        "key": _key(notice).hex,
        "number": alarm.pk,
        "kind": alarm.code,
        "subject": alarm.subject,
        "severity": alarm.severity,
        "role": alarm.role,
        "since": alarm.raised_at.isoformat(),
        "level": notice.level,
        "repeat": notice.repeat,
        "sentences": alarm.sentences,
        "url": f"{settings.SITE_URL}/console/alarms/",
        "page": f"{settings.SITE_URL}{alarm.url}",
    }


def last_told(alarms: Collection[Alarm]) -> dict[int, dt.datetime]:
    """Returns by alarm when somebody was last told of it."""
    told = AlarmNotice.objects.filter(alarm__in=alarms, sent_at__isnull=False)
    return dict(told.values_list("alarm_id").annotate(Max("sent_at")))


def failing(alarms: Collection[Alarm]) -> dict[int, int]:
    """Returns by alarm how many notices the last attempt did not deliver."""
    failed = AlarmNotice.objects.filter(alarm__in=alarms, sent_at=None).exclude(failure="")
    return dict(failed.values_list("alarm_id").annotate(Count("pk")))
