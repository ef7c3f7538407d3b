"""Reminders before the end of the window: who is told, over which channel, and what arrived."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from accounts import addresses, outbox
from accounts.models import Message, PersonAccount, User
from accounts.models.user import UserQuerySet, by_letter, by_telephone
from accounts.persons import counting
from refunds.models import Entitlement, Reminder, ReminderSchedule
from wallets.models import Wallet
from winddown import clock, locks
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.models import Programme
from winddown.programme import publications

PERMISSION = "winddown.publish_notice"
# Days before the last day of the window. Operators under supervision remind at these.
WAVES = (60, 30, 7, 1, 0)
AT_HOUR = 9
BATCH_ROWS = 2_000
LANGUAGE = "ja"
Channel = Reminder.Channel
# The server refused the message, or took it and sent it back.
FAILED = Q(message__given_up_at__isnull=False) | Q(message__bounced_at__isnull=False)


def begin(*, actor: Actor, reason: str) -> ReminderSchedule:
    """Reminders go out before the last day of the notice in force, at each wave that is still to
    come.

    Raises `GuardNotMet` without a notice, after its window, or when they go out already.
    """
    require(actor, PERMISSION, action="send reminders")
    with transaction.atomic():
        locks.take(Lock.REMINDERS)
        notice = publications.newest_notice()
        if notice is None:
            raise _refused(says("there is no public notice"))
        if clock.now() >= publications.window_ends(notice):
            raise _refused(says("the window is over"))
        last_day = notice.window_last_day
        if ReminderSchedule.objects.filter(last_day=last_day).exists():
            raise _refused(says("they go out already before {last_day}", last_day=last_day))
        schedule = ReminderSchedule.objects.create(last_day=last_day, begun_by_id=actor.pk)
        audit.append(
            "reminders.begin",
            f"notice:{notice.pk}",
            actor=actor,
            reason=reason,
            last_day=last_day,
            waves=list(WAVES),
        )
    return schedule


def _refused(why: str) -> GuardNotMet:
    return GuardNotMet(action=says("send reminders"), why=why)


def instant_of(schedule: ReminderSchedule, days_before: int) -> dt.datetime:
    """Returns when the wave begins: in the morning of its day, in the programme's zone."""
    day = schedule.last_day - dt.timedelta(days=days_before)
    return dt.datetime.combine(day, dt.time(AT_HOUR), tzinfo=Programme.current().zone)


def due_wave(schedule: ReminderSchedule) -> int | None:
    """Returns the newest wave that has begun. An older one that was missed is not made up for."""
    begun = [days for days in WAVES if instant_of(schedule, days) <= clock.now()]
    return min(begun) if begun else None


def not_applied() -> UserQuerySet:
    """Returns the holders who may still apply and have not."""
    owed = Entitlement.objects.filter(state__in=Entitlement.APPLICABLE).values("wallet_id")
    holders = Wallet.objects.filter(pk__in=owed).values("account_id")
    return User.objects.customers().filter(pk__in=holders)


def not_reached() -> UserQuerySet:
    """Returns those of them whom no reminder reaches: they have neither a verified address or number
    nor a postal address, or nothing is left of what they have.
    """
    failed = Reminder.objects.filter(instead=None).filter(FAILED).exclude(_has_another_channel())
    cut_off = not_applied().without_channel(verified_by=clock.now())
    return cut_off | not_applied().filter(pk__in=failed.values("holder_id"))


def still_wanted() -> Q:
    """Returns the condition for reminders that say something to their reader: of the notice in
    force, before its window is over, to somebody who has not applied.
    """
    notice = publications.newest_notice()
    if notice is None or clock.now() >= publications.window_ends(notice):
        return Q(pk__in=())
    return Q(schedule__last_day=notice.window_last_day, holder__in=not_applied())


@outbox.STILL_WANTED.entry(Message.Kind.REFUND_REMINDER)
def _message_is_wanted(message: Message) -> bool:
    return Reminder.objects.filter(still_wanted(), message=message).exists()


def follow_up() -> int:
    """Everybody who has not applied has a reminder of the newest wave, and what did not arrive has
    another one over the next channel. Returns how many were queued.

    Each batch is one transaction. A second call queues nothing twice.
    """
    notice = publications.newest_notice()
    programme = Programme.objects.filter(pk=1).first()
    if notice is None or programme is None or programme.state != Programme.State.REFUNDING:
        return 0
    schedule = ReminderSchedule.objects.filter(last_day=notice.window_last_day).first()
    if schedule is None or clock.now() >= publications.window_ends(notice):
        return 0
    queued, wave = 0, due_wave(schedule)
    while wave is not None and (batch := _queue_next(schedule, wave)):
        queued += batch
    while batch := _replace_next(schedule):
        queued += batch
    return queued


def _queue_next(schedule: ReminderSchedule, wave: int) -> int:
    """Returns how many people of the next batch have their reminder of the wave now. A person of
    several accounts has one, at the first account that a reminder reaches.
    """
    with transaction.atomic():
        locks.take(Lock.REMINDERS)
        told = Reminder.objects.filter(schedule=schedule, days_before=wave)
        people = (
            not_applied()
            .with_channel(verified_by=clock.now())
            .exclude(pk__in=told.values("holder_id"))
            .exclude(pk__in=_same_persons(told.exclude(FAILED)))
            .select_related("postal_address")
            .order_by("pk")[:BATCH_ROWS]
        )
        once = _once_each(list(people))
        chosen = [(person, addresses.channels_of(person)[0], None) for person in once]
        return _queue(schedule, wave, chosen)


def _same_persons(told: QuerySet[Reminder]) -> QuerySet[Any, int]:
    """Returns the accounts whose person was told at another account."""
    accounts = PersonAccount.objects.filter(current=True)
    persons = accounts.filter(user__in=told.values("holder_id")).values("person")
    return accounts.filter(person__in=persons).values_list("user", flat=True)


def _once_each(people: list[User]) -> list[User]:
    """Returns the first account of each person."""
    persons = counting.persons_of([each.pk for each in people])
    seen: set[int] = set()
    chosen = []
    for each in people:
        person = persons.get(each.pk)
        if person is None or person not in seen:
            chosen.append(each)
            seen |= {person} if person is not None else set()
    return chosen


def _replace_next(schedule: ReminderSchedule) -> int:
    """Returns how many reminders that did not arrive are replaced by the next channel now."""
    with transaction.atomic():
        locks.take(Lock.REMINDERS)
        failed = list(
            Reminder.objects.filter(schedule=schedule, instead=None)
            .filter(FAILED)
            .filter(_has_another_channel(), holder__in=not_applied())
            .select_related("holder__postal_address")
            .order_by("pk")[:BATCH_ROWS]
        )
        by_wave: dict[int, list[tuple[User, str, Reminder | None]]] = {}
        for each in failed:
            later = Channel.values[Channel.values.index(each.channel) + 1 :]
            left = [one for one in addresses.channels_of(each.holder) if one in later]
            by_wave.setdefault(each.days_before, []).append((each.holder, left[0], each))
        return sum(_queue(schedule, wave, chosen) for wave, chosen in by_wave.items())


def _has_another_channel() -> Q:
    """Returns the condition for reminders whose holder has a channel after theirs."""
    now, people = clock.now(), User.objects.customers()
    post = people.filter(by_letter(now))
    after_mail = people.filter(by_telephone(now) | by_letter(now))
    return Q(channel=Channel.EMAIL, holder__in=after_mail) | Q(
        channel=Channel.PHONE, holder__in=post
    )


def _queue(
    schedule: ReminderSchedule, wave: int, chosen: Iterable[tuple[User, str, Reminder | None]]
) -> int:
    chosen = list(chosen)
    to = [
        outbox.Recipient(address, user=person)
        for person, channel, _ in chosen
        if channel != Channel.LETTER and (address := addresses.verified(person, channel))
    ]
    facts = {"last_day": schedule.last_day.isoformat()}
    queued = outbox.queue_many(Message.Kind.REFUND_REMINDER, to, language=LANGUAGE, facts=facts)
    messages = {message.user_id: message for message in queued}
    Reminder.objects.bulk_create(
        Reminder(
            schedule=schedule,
            days_before=wave,
            holder=person,
            channel=channel,
            message=messages.get(person.pk),
            instead_of=before,
            queued_at=clock.now(),
        )
        for person, channel, before in chosen
    )
    return len(chosen)


# --- the reach ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reach:
    """How many people of a wave a channel was used for, and what became of it."""

    days_before: int
    channel: str
    people: int
    sent: int
    failed: int

    @property
    def waiting(self) -> int:
        return self.people - self.sent - self.failed


def reach(schedule: ReminderSchedule | None) -> list[Reach]:
    """Returns the counts by wave and channel, the first wave first."""
    done = Q(message__sent_at__isnull=False) | Q(letter_file__isnull=False)
    counted = (
        Reminder.objects.filter(schedule=schedule)
        .values("days_before", "channel")
        .annotate(
            people=Count("pk"),
            sent=Count("pk", filter=done & ~FAILED),
            failed=Count("pk", filter=FAILED),
        )
    )
    order = {channel: place for place, channel in enumerate(Channel.values)}
    found = [Reach(**row) for row in counted]
    return sorted(found, key=lambda row: (-row.days_before, order[row.channel]))


def of_holder(holder_id: int) -> QuerySet[Reminder]:
    """Returns what was sent to one person, the newest first."""
    return Reminder.objects.filter(holder_id=holder_id).select_related("message").order_by("-pk")
