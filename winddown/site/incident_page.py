"""The incident page's content: what is off, how long until the end, what runs, what is stuck,
whether the money is right.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.urls import reverse
from django.utils.translation import gettext as _

from winddown import alarm_kinds, words
from winddown.actors import Actor
from winddown.alarm_kinds import AlarmCondition
from winddown.authority import approvals
from winddown.models import (
    Approval,
    Capability,
    Milestone,
    Probe,
    Programme,
    Run,
    Worker,
)
from winddown.programme import capabilities, offer, verification
from winddown.programme.verification import Verification
from winddown.runs import clockwork, registry
from winddown.site import decisions, money_table, panels, run_rows
from winddown.words import Text

SILENT_AFTER_TICKS = 4
WAITING_MAX = 20


@dataclass(frozen=True, slots=True)
class Now:
    """The business time, and the real time of the database, which workers use."""

    at: dt.datetime
    real_at: dt.datetime
    rehearsal: bool


@dataclass(frozen=True, slots=True)
class SwitchRow:
    """One switch with its proof: the last probe, and the number of movements since the stop."""

    standing: offer.Standing
    title: Text
    effect: Text
    probe: Probe | None
    leaks: int | None
    ratification_overdue: bool

    @property
    def switch(self) -> Capability:
        return self.standing.switch

    @property
    def url(self) -> str:
        return reverse("console:switch", args=[self.switch.code])


@dataclass(frozen=True, slots=True)
class Waiting:
    """One request that waits for a second person."""

    approval: Approval
    page: panels.SubjectPage
    refused: Text
    expires_at: dt.datetime
    changes: list[panels.Change]


@dataclass(frozen=True, slots=True)
class Clockwork:
    """How long ago the last tick came, and when the next one is due, in real time."""

    last_at: dt.datetime | None
    age: dt.timedelta
    period: dt.timedelta

    @property
    def due_in(self) -> dt.timedelta:
        return self.period - self.age

    @property
    def overdue(self) -> bool:
        return self.age > self.period

    @property
    def silent(self) -> bool:
        return self.last_at is None or self.age > self.period * SILENT_AFTER_TICKS


@dataclass(frozen=True, slots=True)
class Incident:
    """Everything on the page."""

    now: Now
    programme: Programme
    deadlines: list[Milestone]
    switches: list[SwitchRow]
    workflows: list[run_rows.RunRow]
    money: money_table.Money | None
    waiting: list[Waiting]
    waiting_more: int
    alarms: list[AlarmCondition]
    clockwork: Clockwork
    verification: Verification | None
    plannable: list[str]

    @property
    def waiting_total(self) -> int:
        return len(self.waiting) + self.waiting_more

    @property
    def stopped(self) -> int:
        return sum(row.standing.off for row in self.switches)

    @property
    def next_deadline(self) -> Milestone | None:
        return next((each for each in self.deadlines if each.at > self.now.at), None)

    @property
    def remaining(self) -> dt.timedelta | None:
        following = self.next_deadline
        return following.at - self.now.at if following else None

    @property
    def grave(self) -> bool:
        return any(alarm.grave for alarm in self.alarms)

    @property
    def under_way(self) -> list[run_rows.RunRow]:
        return [row for row in self.workflows if row.state in Run.UNDER_WAY]


def now() -> Now:
    with connection.cursor() as cursor:
        cursor.execute("SELECT winddown_now(), clock_timestamp(), rehearsal FROM winddown_clock")
        at, real_at, rehearsal = cursor.fetchone()
    return Now(at=at, real_at=real_at, rehearsal=rehearsal)


def look(programme: Programme, *, actor: Actor) -> Incident:
    """Returns the page as `actor` sees it. The number of queries does not depend on the number of
    rows.
    """
    moment = now()
    deadlines = list(Milestone.objects.order_by("at"))
    counted = money_table.figures()
    switches = _switches(moment, deadlines, leaks=counted.leaks if counted else {})
    workflows = run_rows.newest(real_at=moment.real_at)
    clockwork = _clockwork(moment)
    checked = verification.last()
    money = money_table.money(counted) if counted and counted.money else None
    requests = approvals.open_requests()
    return Incident(
        now=moment,
        programme=programme,
        deadlines=deadlines,
        switches=switches,
        workflows=workflows,
        money=money,
        waiting=waiting(requests[:WAITING_MAX], actor=actor),
        waiting_more=max(len(requests) - WAITING_MAX, 0),
        alarms=sorted(alarm_kinds.find().conditions, key=lambda alarm: not alarm.grave),
        clockwork=clockwork,
        verification=checked,
        plannable=_plannable(programme, actor=actor),
    )


def _plannable(programme: Programme, *, actor: Actor) -> list[str]:
    """Returns the workflows that `actor` may plan and that have a place in this stage."""
    if not actor.has_perm("winddown.plan_run"):
        return []
    return [name for name, each in registry.WORKFLOWS.items() if programme.state in each.stages]


def _switches(moment: Now, deadlines: list[Milestone], *, leaks: dict[str, int]) -> list[SwitchRow]:
    """Returns the switches, those that are stopped first."""
    probes = {
        probe.capability_id: probe
        for probe in Probe.objects.order_by("capability_id", "-pk").distinct("capability_id")
    }
    rows = [
        SwitchRow(
            standing=standing,
            title=words.capability_title(standing.switch.code),
            effect=words.capability_effect(standing.switch.code),
            probe=probes.get(standing.switch.pk),
            leaks=leaks.get(standing.switch.code) if standing.off else None,
            ratification_overdue=bool(
                standing.switch.state != Capability.State.ENABLED
                and standing.switch.ratified_by_id is None
                and standing.switch.ratify_by
                and standing.switch.ratify_by <= moment.at
            ),
        )
        for standing in offer.standings(at=moment.at, deadlines=deadlines)
    ]
    return sorted(rows, key=lambda row: not row.standing.off)


# --- approvals ----------------------------------------------------------------------------------


def waiting(requests: Iterable[Approval], *, actor: Actor) -> list[Waiting]:
    """Returns the requests, each with its page and the reason why `actor` may not decide it."""
    return [
        Waiting(
            approval=approval,
            page=panels.page_of(approval.subject),
            refused=decisions.refused_to(approval, actor=actor),
            expires_at=expiry(approval),
            changes=panels.changes_of(approval),
        )
        for approval in requests
    ]


def expiry(approval: Approval) -> dt.datetime:
    """Returns when the request expires. A stop that is not ratified never expires: after the time
    returned it is an alarm.
    """
    if approval.stage == "ratify":
        return approval.requested_at + capabilities.RATIFY_WITHIN
    return approval.expires_at


# --- clockwork ----------------------------------------------------------------------------------


def _clockwork(moment: Now) -> Clockwork:
    last_at = Worker.objects.filter(name=clockwork.TICK).values_list("seen_at", flat=True).first()
    period: dt.timedelta = settings.CELERY_BEAT_SCHEDULE["tick"]["schedule"]
    return Clockwork(
        last_at=last_at,
        age=moment.real_at - last_at if last_at else dt.timedelta(),
        period=period,
    )


# --- subjects ------------------------------------------------------------------------------------


@panels.SUBJECTS.entry("run")
def _run_subject(subject: str) -> panels.SubjectPage:
    number = subject.removeprefix("run:")
    return panels.SubjectPage(
        title=_("Run %(number)s") % {"number": number}, url=reverse("console:run", args=[number])
    )


@panels.CONTENTS.entry("run")
def _run_content(plan: dict[str, Any]) -> list[panels.Change]:
    """Returns the sums of the plan and its first counts."""
    sums, counts = plan["sums_minor"].items(), plan["counts"].items()
    return [
        *(panels.Change(words.plan_line(name), total, is_amount=True) for name, total in sums),
        *(panels.Change(words.plan_line(name), count) for name, count in list(counts)[:3]),
    ]


@panels.SUBJECTS.entry("capability")
def _switch_subject(subject: str) -> panels.SubjectPage:
    """Returns one page for "capability:top_up:points:3" and "capability:top_up:points:3:restore"."""
    code = subject.removeprefix("capability:").removesuffix(":restore").rpartition(":")[0]
    title = words.capability_title(code)
    if subject.endswith(":restore"):
        title = _("Restart: %(switch)s") % {"switch": title}
    else:
        title = _("Ratify the stop: %(switch)s") % {"switch": title}
    return panels.SubjectPage(title=title, url=reverse("console:switch", args=[code]))
