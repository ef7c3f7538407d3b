"""The alarms about sign-ins: a list-type attack, and the waves that the rules have seen."""

from __future__ import annotations

import datetime as dt

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.attacks import attack_windows, live
from accounts.attacks.attack_page import WAVES
from winddown.alarm_kinds import ALARM_FINDERS, KINDS, AlarmCondition, AlarmKind, Severity

KINDS.add_all(
    {
        "sign_in_storm": AlarmKind(
            _("Sign-ins look like a list-type attack"),
            "incident_commander",
            Severity.GRAVE,
            "sign-in-storm.md",
        ),
        "attack": AlarmKind(
            _("An attack goes on"), "fraud_supervisor", Severity.GRAVE, "attack.md"
        ),
        "attack_seen": AlarmKind(
            _("An attack was seen"), "fraud_supervisor", Severity.WARNING, "attack.md"
        ),
    }
)


@ALARM_FINDERS.entry("sign-in storm")
def storm_alarms(at: dt.datetime) -> list[AlarmCondition]:
    storm = live.under_way(at)
    if storm is None:
        return []
    return [
        AlarmCondition(
            "sign_in_storm",
            f"sign_in_storm:{storm.pk}",
            _(
                "Sign-ins look like a list-type attack: of %(attempts)s attempts from new devices,"
                " %(unknown)s had unknown login IDs and %(wrong)s wrong passwords. New devices are"
                " slowed down."
            ),
            reverse("console:switch", args=["login_password"]),
            storm.signs,
        )
    ]


@ALARM_FINDERS.entry("attacks")
def attack_alarms(at: dt.datetime) -> list[AlarmCondition]:
    """Returns a grave alarm for each wave that goes on, and an alarm for each wave that ended
    within the last week.
    """
    found = []
    for window in attack_windows.under_attack(at=at):
        facts = {"wave": WAVES[window.wave], "n": f"{window.evidence['matching']:,}"}
        url, subject = reverse("console:attack"), f"attack_window:{window.pk}"
        if window.ended_at is None:
            goes_on = _("An attack goes on: %(wave)s, %(n)s so far.")
            found.append(AlarmCondition("attack", subject, goes_on, url, facts))
        else:
            seen = _("An attack was seen: %(wave)s, %(n)s.")
            found.append(AlarmCondition("attack_seen", subject, seen, url, facts))
    return found
