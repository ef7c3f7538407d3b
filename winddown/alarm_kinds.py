"""Kinds of alarms: who answers for each, how grave it is, and what finds their conditions."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _

from winddown import clock
from winddown.registries import Registry
from winddown.words import Text

log = logging.getLogger(__name__)


class Severity(StrEnum):
    """How soon somebody must look: at once, or during the same working day."""

    GRAVE = "grave"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class AlarmKind:
    """What an alarm is called, which role answers for it, and its page in docs/runbooks."""

    title: Text
    role: str
    severity: Severity
    runbook: str


KINDS: Registry[AlarmKind] = Registry(
    "kinds of alarms",
    entries_are="by code: what the alarm is called, the role that answers for it, its severity",
    owner=__name__,
)


@dataclass(frozen=True, slots=True)
class AlarmCondition:
    """Something that needs a person now: a sentence, and the page where it is dealt with.

    `subject` is what the audit journal calls the thing. One kind and subject is one alarm. The
    sentence is in the language of the moment, and names no customer.
    """

    kind: str
    subject: str
    text: Text
    url: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        KINDS[self.kind]

    @property
    def sentence(self) -> str:
        return str(self.text) % self.facts if self.facts else str(self.text)

    @property
    def grave(self) -> bool:
        return KINDS[self.kind].severity == Severity.GRAVE


ALARM_FINDERS: Registry[Callable[[dt.datetime], list[AlarmCondition]]] = Registry(
    "alarm finders",
    entries_are="finds the alarm conditions of an instant; reads only, costs little each minute",
    owner=__name__,
)


@dataclass(frozen=True, slots=True)
class Found:
    """The conditions of an instant. While `whole` is False, a finder failed and some are missing."""

    conditions: list[AlarmCondition]
    whole: bool = True


def find(*, instead: Mapping[str, list[AlarmCondition]] | None = None) -> Found:
    """Returns the conditions that hold now. `instead` replaces what the named finders find.

    A finder that fails is a condition itself, so that a fault in one app hides no other alarm.
    """
    at, conditions, whole = clock.now(), [], True
    for name, finder in ALARM_FINDERS.items():
        try:
            conditions += instead[name] if instead and name in instead else finder(at)
        except Exception:
            log.exception("the alarms of %s could not be found", name)
            whole = False
            conditions.append(_failed(name))
    return Found(conditions, whole=whole)


def _failed(name: str) -> AlarmCondition:
    return AlarmCondition(
        "watch_failed",
        f"finder:{name.replace(' ', '_')}",
        _("The alarms of %(finder)s cannot be found: the log has the error."),
        "/console/",
        {"finder": name},
    )


KINDS.add(
    "watch_failed",
    AlarmKind(
        title=_("Alarms cannot be found"),
        role="incident_commander",
        severity=Severity.GRAVE,
        runbook="watch-failed.md",
    ),
)
