"""The letters to those whom no other channel reaches, as pages to print."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.template.loader import render_to_string

from refunds.applications import reminders
from refunds.models import Reminder
from winddown import locks
from winddown.actors import Actor, require
from winddown.errors import GuardNotMet, says
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.models import Programme
from winddown.programme import publications
from winddown.programme.evidence_files import File

FILE_ROWS_MAX = 2_000


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
    """The next letters are in a file, which is returned; a page of it is one letter. The numbers of
    the core system name the people, because it has their addresses.

    A letter of an earlier wave, or to somebody who has applied since, is not printed any more.
    With `number` the same letters are returned again, and nothing changes. Raises `GuardNotMet`
    when no letter waits, or the file does not exist.
    """
    require(actor, reminders.PERMISSION, action="export the letters")
    with transaction.atomic():
        locks.take(Lock.REMINDERS)
        chosen = Reminder.objects.filter(channel=Reminder.Channel.LETTER)
        file = number
        if file is None:
            last = chosen.aggregate(last=Max("letter_file"))["last"] or 0
            file = int(last) + 1
            open_ones = _open().order_by("pk").values_list("pk", flat=True)[:FILE_ROWS_MAX]
            chosen.filter(pk__in=list(open_ones)).update(letter_file=file)
        letters = list(
            chosen.filter(letter_file=file).select_related("holder", "schedule").order_by("pk")
        )
        if not letters:
            why = (
                says("no letter waits")
                if number is None
                else says("there is no file {number}", number=number)
            )
            raise GuardNotMet(action=says("export the letters"), why=why)
        audit.append(
            "reminders.export_letters",
            f"letters:{file}",
            actor=actor,
            reason=reason,
            letters=len(letters),
            again=number is not None,
        )
    shown = {
        "programme": Programme.current(),
        "notice": publications.newest_notice(),
        "letters": letters,
        "languages": ("ja", "en"),
    }
    text = render_to_string("refunds/reminder_letters.html", shown)
    return File(name=f"reminder-letters-{file}.html", content=text.encode())
