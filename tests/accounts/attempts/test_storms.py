"""An attack from many networks is seen, slowed down, and ends by itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from accounts import alarms
from accounts.attacks import live
from accounts.models import AuthEvent, SignInStorm
from tests.accounts.attempts.visiting import OTHER, Visitor, attack, stranger
from tests.accounts.conftest import OLD
from winddown import clock
from winddown.models import AuditEntry

pytestmark = pytest.mark.django_db


def test_an_attack_with_one_try_per_login_id_is_seen_and_slowed_down(noon: dt.datetime) -> None:
    """No limit by name or by network sees it. Only the count of all attempts does."""
    outcomes = attack(400)

    storm = SignInStorm.objects.get()
    assert storm.signs == {"attempts": 100, "unknown": 100, "wrong": 0}
    assert outcomes[:100] == ["unknown_login_id"] * 100
    assert outcomes.count("unknown_login_id") == 160, "the storm's allowance is 60 a minute"
    assert AuditEntry.objects.filter(action="sign_in_storm.begin").count() == 1


def test_a_burst_of_wrong_passwords_at_known_login_ids_is_seen(
    noon: dt.datetime, person: Callable[..., Any]
) -> None:
    people = [person().login_id for _ in range(120)]

    outcomes = attack(240, people=people)

    assert SignInStorm.objects.get().signs["wrong"] == 100
    assert outcomes.count("refused") == 80


def test_a_known_device_signs_in_as_always_during_a_storm(
    visitor: type[Visitor], person: Callable[..., Any]
) -> None:
    known, own = person(), visitor()
    own.tries(known.login_id)
    attack(300)

    assert visitor(OTHER).tries(known.login_id) == "refused"
    assert own.tries(known.login_id) == "success"


def test_many_honest_mistakes_after_a_mass_reset_are_no_storm(
    noon: dt.datetime, person: Callable[..., Any]
) -> None:
    """Hundreds of people try the removed password; some mistype, and the others have a new one."""
    reset = [person(password="").login_id for _ in range(280)]
    back = [person().login_id for _ in range(80)]
    for n, login_id in enumerate(reset):
        stranger(n, login_id, OLD)
        if n % 10 == 0:
            stranger(n, f"{login_id}x", OLD)
        if n % 8 == 0:
            stranger(n, back[n % 80], "mistyped")
        if n < len(back):
            assert stranger(1_000 + n, back[n]) == "success"

    assert not SignInStorm.objects.exists()
    assert not AuthEvent.objects.filter(outcome="refused").exists()


def test_a_fenced_password_tried_before_the_batches_is_no_guess(
    person: Callable[..., Any],
    started: Callable[..., Any],
    rehearsal_clock: Any,
    noon: dt.datetime,
) -> None:
    people = [person().login_id for _ in range(150)]
    rehearsal_clock.travel(noon + dt.timedelta(minutes=1), frozen=True)
    started("reset-all-passwords")

    outcomes = {stranger(n, each) for n, each in enumerate(people)}

    assert outcomes == {"refused"}, "by the fence, not by a limit"
    assert not SignInStorm.objects.exists()


def test_a_storm_lasts_as_long_as_its_signs_and_ends_by_itself(
    rehearsal_clock: Any, noon: dt.datetime
) -> None:
    attack(120)
    began = SignInStorm.objects.get().holds_until
    assert began == noon + live.HOLDS

    later = noon + dt.timedelta(minutes=9)
    rehearsal_clock.travel(later, frozen=True)
    attack(40)
    assert SignInStorm.objects.get().holds_until == later + live.HOLDS

    rehearsal_clock.travel(later + live.HOLDS - dt.timedelta(seconds=1), frozen=True)
    assert live.under_way(clock.now())
    rehearsal_clock.travel(later + live.HOLDS, frozen=True)
    assert live.under_way(clock.now()) is None
    assert (live.end_past(), live.end_past()) == (1, 0)
    assert SignInStorm.objects.get().state == "over"


def test_a_few_mistakes_do_not_keep_a_storm_alive(rehearsal_clock: Any, noon: dt.datetime) -> None:
    attack(120)
    rehearsal_clock.travel(noon + dt.timedelta(minutes=8), frozen=True)

    attack(10)

    assert SignInStorm.objects.get().holds_until == noon + live.HOLDS


def test_a_second_storm_begins_after_the_first_has_ended(
    rehearsal_clock: Any, noon: dt.datetime
) -> None:
    attack(120)
    rehearsal_clock.travel(noon + dt.timedelta(hours=3), frozen=True)
    attack(120)

    states = SignInStorm.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["over", "under_way"]


def test_a_storm_raises_an_alarm_on_the_incident_page(noon: dt.datetime) -> None:
    attack(120)
    found = alarms.storm_alarms(clock.now())

    assert [(alarm.grave, alarm.url) for alarm in found] == [
        (True, "/console/switches/login_password/")
    ]
    assert "100" in found[0].sentence
