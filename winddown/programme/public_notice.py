"""The public notice with its window, and the contact on the public pages."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django.db import transaction

from winddown import business_days, clock, locks
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.models import Programme, PublicNotice
from winddown.programme import jurisdictions, milestones
from winddown.programme.jurisdictions import Pack

PHONE = r"^[+]?[0-9][0-9-]{3,18}$"


def publish_contact(phone: str, *, actor: Actor, reason: str) -> None:
    """Customers find the telephone number on the public pages.

    Raises `GuardNotMet` once the end is announced: two people signed the contact with it.
    """
    require(actor, "winddown.publish_notice", action="publish the contact")
    if not re.fullmatch(PHONE, phone):
        raise GuardNotMet(
            action=says("publish the contact"), why=says("that is no telephone number")
        )
    if Programme.current().announced_at is not None:
        raise GuardNotMet(
            action=says("publish the contact"),
            why=says("two people announced the contact: change it in the set-up file"),
        )
    with transaction.atomic():
        audit.refuse_repeated(
            "programme.publish_contact", "programme", actor=actor, reason=reason, phone=phone
        )
        Programme.objects.update(contact_phone=phone)
        audit.append(
            "programme.publish_contact", "programme", actor=actor, reason=reason, phone=phone
        )


def _last_day(day: dt.date, pack: Pack) -> dt.date:
    """Returns the day, or the next business day where the law moves the end of a period to it."""
    if not pack.rules["rolls_to_business_day"].value:
        return day
    try:
        return business_days.roll_forward(day, calendar=pack.calendar)
    except business_days.NoCalendar as unknown:
        raise GuardNotMet(action=says("publish the notice"), why=str(unknown)) from unknown


def first_days() -> tuple[dt.date, dt.date]:
    """Returns between which days the window of a notice can begin: today or later, or on the first
    day of the notice before.
    """
    today, before = _today(), _newest()
    most = jurisdictions.current().dates["planned"].bounds(today)[1]
    return min(today, before.window_first_day if before else today), most


def last_days() -> tuple[dt.date, dt.date]:
    """Returns between which days the window of a notice can end, if it began today or before."""
    today, before, pack = _today(), _newest(), jurisdictions.current()
    least = _last_day(today + dt.timedelta(days=pack.number("window_days_min")), pack)
    most = pack.dates["planned"].bounds(today)[1]
    return max(least, before.window_last_day if before else least), most


def _today() -> dt.date:
    return clock.now().astimezone(Programme.current().zone).date()


def _newest() -> PublicNotice | None:
    return PublicNotice.objects.order_by("-window_last_day", "-pk").first()


def publish_notice(*, actor: Actor, reason: str, **fields: Any) -> PublicNotice:
    """The public notice stands, with every statutory field and a window as long as the law asks. The
    deadline of the window follows from it.

    Raises `GuardNotMet` naming the empty field or the earliest last day (rule 38), for a first day
    that has passed unless the notice before has it, for a last day on which banks are closed (Civil
    Code art. 142), or when an earlier notice's window would be shortened (rule 39). Payment
    Services Act art. 20(2).
    """
    require(actor, "winddown.publish_notice", action="publish the notice")
    empty = [
        field.name
        for field in PublicNotice._meta.concrete_fields
        if field.name not in ("id", "published_at") and not fields.get(field.name)
    ]
    if empty:
        raise GuardNotMet(
            action=says("publish the notice"),
            why=says("{names} must be filled in", names=", ".join(empty)),
        )
    at, today = clock.now(), _today()
    first_day, last_day = fields["window_first_day"], fields["window_last_day"]
    pack = jurisdictions.current()
    # The first day does not count. This is one day more than for a period that begins at midnight.
    days = pack.number("window_days_min")
    earliest = _last_day(max(today, first_day) + dt.timedelta(days=days), pack)
    if last_day < earliest:
        raise GuardNotMet(
            action=says("publish the notice"),
            why=says("the window must last until {earliest} or longer", earliest=earliest),
        )
    if last_day != (rolled := _last_day(last_day, pack)):
        raise GuardNotMet(
            action=says("publish the notice"),
            why=says(
                "banks are closed on {last_day}: the window can end on {rolled}",
                last_day=last_day,
                rolled=rolled,
            ),
        )
    with transaction.atomic():
        locks.take(Lock.NOTICE)
        before = _newest()
        if before is not None and all(getattr(before, name) == fields[name] for name in fields):
            raise GuardNotMet(
                action=says("publish the notice"), why=says("the newest one says the same")
            )
        if first_day < today and (before is None or first_day != before.window_first_day):
            raise GuardNotMet(
                action=says("publish the notice"),
                why=says("the first day {first_day} has passed", first_day=first_day),
            )
        if before is not None and last_day < before.window_last_day:
            raise GuardNotMet(
                action=says("publish the notice"),
                why=says(
                    "the window published lasts until {last_day}",
                    last_day=before.window_last_day,
                ),
            )
        notice = PublicNotice.objects.create(published_at=at, **fields)
        audit.append(
            "notice.publish",
            f"notice:{notice.pk}",
            actor=actor,
            reason=reason,
            first_day=first_day,
            last_day=last_day,
        )
        milestones.follow_notice(last_day, actor=actor, reason=reason)
        return notice
