"""The page of the alarms: what stands, whom it was told to, and where each role is reached."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import get_language, pgettext_lazy

from winddown.actors import Actor
from winddown.alarm_kinds import KINDS
from winddown.alarms import duty_addresses, notices
from winddown.authority.role_words import ROLE_WORDS, who_may
from winddown.models import Alarm, DutyAddress
from winddown.site import acts
from winddown.site.alarm_acts import DUTY
from winddown.site.decisions import Decision
from winddown.words import Text

ACKNOWLEDGE = "winddown.acknowledge_alarm"
CLOSED_MAX = 50


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One alarm in the reader's language. `told_at` is when somebody was last told."""

    alarm: Alarm
    title: Text
    role: Text
    told_at: dt.datetime | None
    failures: int

    @property
    def sentence(self) -> str:
        said: dict[str, str] = self.alarm.sentences
        return said.get(get_language() or "en", "")

    @property
    def unanswered(self) -> bool:
        return self.alarm.state in Alarm.UNANSWERED


@dataclass(frozen=True, slots=True)
class DutyRow:
    """A role and its addresses."""

    role: Text
    addresses: list[DutyAddress]


@dataclass(frozen=True, slots=True)
class AlarmsPage:
    """Everything on the page."""

    standing: list[AlarmRow]
    closed: list[AlarmRow]
    duty: list[DutyRow]
    decisions: list[Decision]
    refused: Text

    @property
    def nobody_is_told(self) -> bool:
        return not any(row.addresses for row in self.duty)


def look(*, actor: Actor) -> AlarmsPage:
    """Returns the page as `actor` sees it. The number of queries does not depend on the alarms."""
    found = Alarm.objects.select_related("acknowledged_by")
    reached = duty_addresses.in_force()
    answering = {kind.role for kind in KINDS.values()}
    return AlarmsPage(
        standing=rows(found.filter(state__in=Alarm.STANDING).order_by("-pk")),
        closed=rows(found.filter(state=Alarm.State.CLOSED).order_by("-pk")[:CLOSED_MAX]),
        duty=[
            DutyRow(role=word, addresses=reached.get(role, []))
            for role, word in ROLE_WORDS.items()
            if role in answering or role in reached
        ],
        decisions=[acts.decision(verb, act, actor=actor) for verb, act in DUTY.items()],
        refused=_refused(actor),
    )


def rows(found: Iterable[Alarm]) -> list[AlarmRow]:
    """Returns the alarms with what was told of them; the grave ones first."""
    alarms = list(found)
    told, failing = notices.last_told(alarms), notices.failing(alarms)
    made = [
        AlarmRow(
            alarm=alarm,
            title=KINDS[alarm.code].title if alarm.code in KINDS else alarm.code,
            role=ROLE_WORDS.get(alarm.role, alarm.role),
            told_at=told.get(alarm.pk),
            failures=failing.get(alarm.pk, 0),
        )
        for alarm in alarms
    ]
    return sorted(made, key=lambda row: row.alarm.severity)


def decision(alarm: Alarm, *, actor: Actor) -> Decision | None:
    """Returns the acknowledgement, None once somebody acknowledged the alarm or it ended."""
    if alarm.state not in Alarm.UNANSWERED:
        return None
    return Decision(
        verb="acknowledge",
        title=pgettext_lazy("verb", "Acknowledge the alarm"),
        tone="main",
        refused=_refused(actor),
    )


def _refused(actor: Actor) -> Text:
    if actor.has_perm(ACKNOWLEDGE):
        return ""
    return who_may(ACKNOWLEDGE)
