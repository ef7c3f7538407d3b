"""The letters to those whom no other channel reaches, as pages to print."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts import postal_addresses
from accounts.models import User
from accounts.postal_addresses import Postal
from refunds.applications import reminders
from refunds.models import Reminder, ReminderSchedule
from winddown import locks
from winddown.actors import Actor, require
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.programme import letter_files
from winddown.programme.evidence_files import File


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter. One that was queued before there were addresses here names its reader only."""

    pk: int
    holder: User
    schedule: ReminderSchedule
    postal: Postal | None


def _open() -> QuerySet[Reminder]:
    """Returns the letters to print: the newest of each person who may still apply and has not."""
    newer = Reminder.objects.filter(
        channel=Reminder.Channel.LETTER,
        schedule=OuterRef("schedule"),
        holder=OuterRef("holder"),
        days_before__lt=OuterRef("days_before"),
    )
    letters = Reminder.objects.filter(channel=Reminder.Channel.LETTER, letter_file=None)
    return letters.filter(reminders.still_wanted()).exclude(Exists(newer))


def waiting() -> int:
    """Returns how many letters wait for their file."""
    return _open().count()


def any_exists() -> bool:
    """Returns whether a letter waits or is in a file."""
    return Reminder.objects.filter(channel=Reminder.Channel.LETTER).exists()


def export(*, actor: Actor, reason: str, number: int | None = None) -> File:
    """The next letters are in a file, which is returned; a page of it is one letter, with the postal
    address of its reader.

    A letter of an earlier wave, or to somebody who has applied since, is not printed any more.
    With `number` the same letters are returned again, and nothing changes. Raises `GuardNotMet`
    when no letter waits, or the file does not exist.
    """
    require(actor, reminders.PERMISSION, action="export the letters")
    with transaction.atomic():
        locks.take(Lock.REMINDERS)
        letters = Reminder.objects.filter(channel=Reminder.Channel.LETTER)
        file, found = letter_files.filed(letters, waiting=_open(), number=number)
        rows = [
            Letter(
                pk=each.pk,
                holder=each.holder,
                schedule=each.schedule,
                postal=postal_addresses.of(each.holder),
            )
            for each in found.select_related("holder__postal_address", "schedule")
        ]
        audit.append(
            "reminders.export_letters",
            f"letters:{file}",
            actor=actor,
            reason=reason,
            letters=len(rows),
            again=number is not None,
        )
    return letter_files.printable(
        f"reminder-letters-{file}.html", "refunds/reminder_letters.html", letters=rows
    )
