"""The attack on the console: its waves, its candidates, the alarm, and the hold by one person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.attacks import counting
from accounts.models import AuthEvent
from refunds.claims import holding, victims
from refunds.models import FraudClaim
from tests import factories
from tests.refunds.claims.scene import HIT_AT, Scene
from wallets.models import Hold, Wallet
from winddown import clock
from winddown.models import AuditEntry

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def scene(rehearsal_clock: Any, programme: Any) -> Scene:
    """A wave of unknown ids on 2 July, and a wallet that was charged and half spent that day."""
    scene = Scene()
    AuthEvent.objects.bulk_create(
        AuthEvent(
            occurred_at=HIT_AT - 120 * MINUTE + MINUTE * at / 6,
            login_id=f"secret{at}",
            outcome="unknown_login_id",
            method="password",
            network="203.0.113.7",
        )
        for at in range(240)
    )
    wallet = scene.victim(30_000, 30_000, 30_000, spent=50_000)
    scene.sign_in(wallet, HIT_AT - 1_440 * MINUTE, device="phone")
    scene.sign_in(wallet, HIT_AT - MINUTE, device="thief", country="XA")
    clock.travel(HIT_AT + 120 * MINUTE, frozen=True)
    victims.claim_candidates(as_of=clock.now())
    return scene


@pytest.fixture
def analyst(scene: Scene, signed_in: Callable[..., Client]) -> Client:
    return signed_in(scene.analyst)


def shown(browser: Client, url: str = "/console/attack/") -> str:
    answer = browser.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("span", ["", "?span=all", "?span=now", "?span=never"])
def test_the_page_shows_windows_sources_and_candidates_with_their_rules(
    analyst: Client, span: str
) -> None:
    text = shown(analyst, f"/console/attack/{span}")
    claim = FraudClaim.objects.get()
    for wanted in ("S1-unknown-ids v1", "203.0.113.0/24", claim.reference, "S6-abroad v1", "<svg"):
        assert wanted in text
    assert "secret" not in text
    assert "style=" not in text


def test_the_page_says_that_there_was_no_attack(
    programme: Any, staff: Any, signed_in: Callable[..., Client]
) -> None:
    text = shown(signed_in(staff("auditor")))
    assert "No wave has been seen." in text


def test_customers_cannot_see_the_page(programme: Any, customer: Any, signed_in: Any) -> None:
    assert signed_in(customer()).get("/console/attack/").status_code == 403


def test_an_ended_wave_raises_an_alarm_for_a_week(
    scene: Scene, signed_in: Callable[..., Client]
) -> None:
    assert "An attack was seen" in shown(signed_in(scene.analyst), "/console/")
    clock.travel(HIT_AT + dt.timedelta(days=8), frozen=True)
    assert "An attack" not in shown(signed_in(scene.analyst), "/console/")


def test_an_open_window_raises_a_grave_alarm(
    rehearsal_clock: Any, programme: Any, staff: Any, signed_in: Callable[..., Client]
) -> None:
    clock.travel(HIT_AT, frozen=True)
    AuthEvent.objects.bulk_create(
        AuthEvent(
            occurred_at=HIT_AT - 20 * MINUTE + MINUTE * at / 6,
            login_id=f"x{at}",
            outcome="unknown_login_id",
            method="password",
            network="203.0.113.7",
        )
        for at in range(110)
    )
    counting.count_newest()
    text = shown(signed_in(staff("incident_commander")), "/console/")
    assert "An attack goes on: Ids that nobody has, " in text


def test_one_person_holds_the_candidates_and_a_second_hold_changes_nothing(
    scene: Scene, analyst: Client
) -> None:
    """Rule 5."""
    text = shown(analyst, "/console/attack/hold/")
    assert "40,000 in 1 wallets" in text
    refused = analyst.post("/console/attack/hold/", {"extent": "part"})
    assert "Give the reason" in refused.content.decode()
    assert not Hold.objects.exists()
    for _ in range(2):
        analyst.post("/console/attack/hold/", {"extent": "part", "reason": "attack"})
    assert Wallet.objects.get(claims__isnull=False).held_minor == 40_000
    assert AuditEntry.objects.filter(action="claims.hold").count() == 1


def test_a_person_without_the_permission_sees_no_hold_form_and_is_refused(
    scene: Scene, staff: Any, signed_in: Callable[..., Client]
) -> None:
    browser = signed_in(staff("auditor"))
    assert "Hold candidates" not in shown(browser)
    assert browser.get("/console/attack/hold/").status_code == 403
    browser.post("/console/attack/hold/", {"extent": "part", "reason": "attack"})
    assert not Hold.objects.exists()


def test_many_candidates_are_held_by_one_statement(
    scene: Scene, django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        wallet = scene.victim(30_000, 30_000, 30_000)
        scene.sign_in(wallet, HIT_AT - 1_440 * MINUTE, device=factories.unique("phone"))
        scene.sign_in(wallet, HIT_AT - MINUTE, device=factories.unique("bot"), country="XA")
    clock.travel(HIT_AT + 240 * MINUTE, frozen=True)
    counting.count_again_from(HIT_AT - 1_440 * MINUTE)
    victims.claim_candidates(as_of=clock.now())
    chosen = list(holding.candidates())
    plan = holding.plan_hold(chosen)
    assert (plan.claims, plan.wallets, plan.amount_minor) == (6, 6, 5 * 90_000 + 40_000)
    with django_assert_max_num_queries(20):
        assert holding.hold_candidates(chosen, actor=scene.analyst, reason="attack") == 6
    assert sum(Wallet.objects.values_list("held_minor", flat=True)) == plan.amount_minor
    assert holding.plan_hold(chosen).wallets == 0
