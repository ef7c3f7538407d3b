"""The order and the waves in which people are told of a reset, and the reasons that stop the next
wave.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from accounts.models import (
    AccessRequest,
    AuthEvent,
    MailReport,
    Message,
    NoticeWave,
    ResetNotice,
)
from winddown import clock
from winddown.models import Run, RunTransition
from winddown.registries import Registry

# --- who comes first ------------------------------------------------------------------------------

FIRST, ACTIVE = "first", "active"
ACTIVE_DAYS = 90
Members = Callable[[dt.datetime], QuerySet[Any]]
GROUPS: Registry[Members] = Registry(
    "groups of people told first",
    entries_are="by group and name, as `first/holders`: the ids of accounts that belong as of an instant",
    owner=__name__,
)


def belongs(group: str, *, as_of: dt.datetime) -> Q:
    """Returns the people whom any of the group's functions names.

    The functions are joined to one set. With several under an OR, PostgreSQL would search each list
    for every person, or hash the whole list.
    """
    first, *others = (of(as_of) for name, of in GROUPS.items() if name.partition("/")[0] == group)
    return Q(pk__in=first.union(*others) if others else first)


@GROUPS.entry(f"{ACTIVE}/signed_in")
def signed_in(as_of: dt.datetime) -> QuerySet[Any]:
    since = as_of - dt.timedelta(days=ACTIVE_DAYS)
    events = AuthEvent.objects.filter(occurred_at__gte=since, occurred_at__lte=as_of)
    opened = events.filter(event=AuthEvent.Event.SIGN_IN, outcome=AuthEvent.Outcome.SUCCESS)
    return opened.filter(user_id__isnull=False).values("user_id")


# --- how many at a time ---------------------------------------------------------------------------

# The share of all notices by mail that may be out when the wave has ended.
RAMP = (0.01, 0.10, 1.0)


def sizes(notices: int, *, least: int) -> tuple[int, ...]:
    """Returns how many notices each wave has. A wave below `least` would show no shares, so it is
    enlarged to `least`.
    """
    bounds = [min(notices, max(math.ceil(notices * share), least)) for share in RAMP]
    return tuple(bound - before for before, bound in zip((0, *bounds), bounds, strict=False))


def lay_out(run: Run) -> None:
    """The run's notices by mail are divided into waves in the order of their numbers. That is the
    order in which people were queued. A second call changes nothing.
    """
    if NoticeWave.objects.filter(run=run).exists():
        return
    notices = ResetNotice.objects.filter(run=run, channel=ResetNotice.Channel.EMAIL)
    place, first_id = 0, 0
    for number, size in enumerate(sizes(notices.count(), least=limits_of(run).counted_from), 1):
        place += size
        last_id = first_id
        if size:
            last_id = notices.order_by("pk").values_list("pk", flat=True)[place - 1]
        NoticeWave.objects.create(
            run=run, number=number, size=size, first_id=first_id, last_id=last_id
        )
        first_id = last_id


def in_wave(run: Run, number: int) -> QuerySet[ResetNotice]:
    """Returns the run's notices by mail of the wave. Returns none before the waves are laid out."""
    notices = ResetNotice.objects.filter(run=run, channel=ResetNotice.Channel.EMAIL)
    wave = NoticeWave.objects.filter(run=run, number=number).first()
    if wave is None:
        return notices.none()
    # A notice that a retry queued when the waves were laid out already goes with the last one.
    if number == len(RAMP):
        return notices.filter(pk__gt=wave.first_id)
    return notices.filter(pk__gt=wave.first_id, pk__lte=wave.last_id)


# --- what stops them ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limits:
    """The shares, in percent, above which a run pauses itself. `counted_from` is the fewest cases
    that count.
    """

    bounced_percent: float = 5.0
    complained_percent: float = 0.1
    failed_resets_percent: float = 3.0
    counted_from: int = 100
    source: str = "operating practice of mass mail; adjust to the mail server's own rules"


def limits_of(run: Run) -> Limits:
    return Limits(**run.params["limits"])


NEWEST = 10_000


def reason_to_pause(run: Run) -> str:
    """Returns which share is too large among the newest notices since a person last resumed the
    run.
    """
    since = _let_on_at(run)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), count(*) FILTER (WHERE state = %s),
                   count(complained_at)
            FROM (
                SELECT state, complained_at FROM accounts_resetnotice
                WHERE run_id = %s AND attempted_at >= %s ORDER BY attempted_at DESC LIMIT %s
            ) AS newest
            """,
            [ResetNotice.State.UNDELIVERABLE, run.pk, since, NEWEST],
        )
        attempted, bounced, complained = cursor.fetchone()
    asked, failed = _resets(since)
    return _too_many(
        run,
        ("bounced", bounced, attempted, "notices"),
        ("complained", complained, attempted, "notices"),
        ("failed_resets", failed, asked, "resets"),
    )


def _resets(since: dt.datetime) -> tuple[int, int]:
    """Returns how many people asked for a link since then and were answered, and how many links
    could not be made or delivered.

    A person who has no account counts as answered.
    """
    asked = AccessRequest.objects.filter(
        purpose=AccessRequest.Purpose.RECOVER, asked_at__gte=since, answered_at__isnull=False
    )
    undelivered = Message.objects.filter(
        kind=Message.Kind.RECOVER, queued_at__gte=since, given_up_at__isnull=False
    )
    failed = asked.filter(answer=AccessRequest.Answer.FAILED).count()
    return asked.count(), failed + undelivered.count()


def _too_many(run: Run, *shares: tuple[str, int, int, str]) -> str:
    limits = limits_of(run)
    for what, bad, of, cases in shares:
        percent = getattr(limits, f"{what}_percent")
        if of >= limits.counted_from and bad * 100 > percent * of:
            return (
                f"{what.replace('_', ' ')}: {bad:,} of {of:,} {cases}"
                f" ({bad * 100 / of:.1f} %, the limit is {percent:g} %)"
            )
    return ""


def _let_on_at(run: Run) -> dt.datetime:
    log = RunTransition.objects.filter(subject_id=run.pk, target=Run.State.RUNNING)
    found = log.order_by("-pk").values_list("at", flat=True).first()
    return found or clock.now()


def reason_to_wait(run: Run, number: int) -> str:
    """Returns why the wave does not let the next one open, or an empty string.

    A wave is clean when the mail server's report covers it, no notice in it is unknown, and its
    shares are within the limits, or a person has seen them. A person has seen what was known when
    the run last paused itself.
    """
    tried = in_wave(run, number).filter(attempts__gt=0)
    newest = tried.order_by("-attempted_at").values_list("attempted_at", flat=True).first()
    if newest is None or not _waiting_after(run, number):
        return ""
    report = MailReport.objects.order_by("-complete_until").first()
    unknown = tried.filter(state=ResetNotice.State.UNKNOWN).count()
    if unknown or report is None or report.complete_until <= newest:
        return (
            f"wave {number} is sent, and what became of it is not known yet: load the mail server's"
            f" log (load_mail_results --complete-until, after {newest.isoformat(timespec='seconds')})"
            " and resume"
        )
    paused = RunTransition.objects.filter(
        subject_id=run.pk, target=Run.State.PAUSED, actor_id=None
    ).order_by("-pk")
    seen_at = paused.values_list("at", flat=True).first()
    trouble_since = Q(reported_at__gt=seen_at) if seen_at else Q()
    bad = tried.filter(Q(state=ResetNotice.State.UNDELIVERABLE) | Q(complained_at__isnull=False))
    if not bad.filter(trouble_since).exists():
        return ""
    attempted = tried.count()
    return _too_many(
        run,
        (
            "bounced",
            tried.filter(state=ResetNotice.State.UNDELIVERABLE).count(),
            attempted,
            "notices",
        ),
        ("complained", tried.exclude(complained_at=None).count(), attempted, "notices"),
    )


def _waiting_after(run: Run, number: int) -> bool:
    wave = NoticeWave.objects.get(run=run, number=number)
    later = ResetNotice.objects.filter(run=run, channel=ResetNotice.Channel.EMAIL)
    return later.filter(pk__gt=wave.last_id, state=ResetNotice.State.QUEUED).exists()
