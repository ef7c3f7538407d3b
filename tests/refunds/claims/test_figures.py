"""What is known of the fraud as of an instant, each count with its rows (rules 28 and 29)."""

from __future__ import annotations

import datetime as dt
import html
import re
from io import StringIO
from urllib.parse import parse_qs

import pytest
from django.core.management import call_command

# Imported because it fills the registries of pages, as it does before every request.
import config.urls  # noqa: F401
from refunds.claims import damage, figures
from refunds.models import FraudClaim
from tests import factories
from tests.config.test_every_door import browser_of
from tests.refunds.claims.scene import HIT_AT, Scene, jst
from tests.unguarded import past_the_guards
from winddown import clock
from winddown.actors import SYSTEM
from winddown.programme import capabilities

pytestmark = pytest.mark.django_db


@pytest.fixture
def known(scene: Scene) -> dt.datetime:
    """Two victims by 29 July and a third, found by a card issuer, by 31 July."""
    first, second = scene.victim(30_000, 20_000), scene.victim(own=5_000, spent=4_000)
    scene.at(2019, 7, 29, 17)
    scene.confirmed(first, second)
    third = scene.victim(10_000, funding="debit")
    scene.at(2019, 7, 31, 16)
    scene.confirmed(third)
    past_the_guards(
        f"UPDATE refunds_fraudclaim SET channel = 'issuer' WHERE wallet_id = {third.pk}"
    )
    return scene.at(2019, 7, 31, 17)


def test_each_breakdown_sums_to_the_headline_and_each_count_to_its_rows(
    known: dt.datetime,
) -> None:
    found = figures.as_known(as_of=known)
    headline = damage.damage(as_of=known).total
    assert (found.total.victims, found.total.amount_minor) == (3, 64_000)
    assert (headline.victims, headline.amount_minor) == (3, 64_000)
    for name in figures.BY:
        parts = [each for each in found.counts if each.by == name]
        assert sum(each.victims for each in parts) == 3, name
        assert sum(each.amount_minor for each in parts) == 64_000, name
    for each in (found.total, *found.counts):
        rows = figures.rows(each.key, as_of=known)
        assert sum(row.amount_minor for row in rows) == each.amount_minor, each.key
        wallets = FraudClaim.objects.filter(pk__in={row.claim_id for row in rows})
        assert wallets.values("wallet").distinct().count() >= each.victims, each.key
    ways = {each.value: each.victims for each in found.counts if each.by == "first_way"}
    assert ways == {"customer": 2, "issuer": 1}
    assert figures.rows("nothing=1", as_of=known) == []


def test_an_earlier_figure_stays_as_it_was_known(scene: Scene, known: dt.datetime) -> None:
    then = figures.as_known(as_of=jst(2019, 7, 30))
    assert (then.total.victims, then.total.amount_minor) == (2, 54_000)
    compliance = factories.make_staff("compliance")
    for at, why in ((jst(2019, 7, 30), "press conference"), (known, "one more was found")):
        damage.publish(as_of=at, actor=compliance, reason=why)
    told = figures.as_known(as_of=known).series
    assert [(each.victims, each.victims_more, each.reason) for each in told] == [
        (2, 0, "press conference"),
        (3, 1, "one more was found"),
    ]
    assert all(each.now == damage.Figure(each.victims, each.amount_minor) for each in told)


def test_who_was_hit_after_the_last_charge_was_stopped_is_a_late_victim(scene: Scene) -> None:
    early = scene.victim(10_000, own=2_000, spent=0)
    clock.travel(HIT_AT + dt.timedelta(days=1), frozen=True)
    for code in capabilities.codes():
        if code.startswith("top_up:"):
            capabilities.stop(code, actor=SYSTEM, reason="attack")
    late = factories.make_wallet(paid_minor=9_000)
    clock.travel(HIT_AT + dt.timedelta(days=2), frozen=True)
    scene.pay(late, 7_000)
    scene.confirmed(early, late)
    (found,) = (
        each for each in figures.as_known(as_of=clock.now()).counts if each.by == figures.LATE
    )
    assert (found.victims, found.amount_minor) == (1, 7_000)
    assert [row.amount_minor for row in figures.rows("late=", as_of=clock.now())] == [7_000]


def test_the_page_shows_each_count_as_it_was_known_with_its_losses(known: dt.datetime) -> None:
    damage.publish(as_of=known, actor=factories.make_staff("compliance"), reason="press conference")
    clock.travel(known + dt.timedelta(days=1), frozen=True)
    desk = browser_of(factories.make_staff("fraud_analyst"), headers={"accept-language": "en"})
    address = "/console/claims/figures/"
    page = desk.get(address).content.decode()
    for text in ("JPY 64,000", "Debit card", "Reported by the card issuer", "press conference"):
        assert text in page, text
    links = [html.unescape(each) for each in re.findall(r'href="(\?as_of=[^"]*)#rows"', page)]
    counts = figures.as_known(as_of=known).counts
    assert len(links) == len(counts) + 1
    for each in links:
        chosen = desk.get(address + each).content.decode()
        key = parse_qs(each[1:])["of"][0]
        losses = {f"loss:{row.loss_id}<" for row in figures.rows(key, as_of=known)}
        assert set(re.findall(r"loss:\d+<", chosen)) == losses, each
    then = desk.get(address, {"as_of": "2019-07-30T00:00", "of": "all"}).content.decode()
    assert "JPY 54,000" in then
    assert "64,000" not in then
    for wrong, why in (
        ("2019-08-01T18:00", "It is still to come."),
        ("yesterday", "Write it like"),
    ):
        refused = desk.get(address, {"as_of": wrong}).content.decode()
        assert why in refused, wrong
        assert "JPY" not in refused
    japanese = browser_of(factories.make_staff("support"), headers={"accept-language": "ja"})
    assert "デビットカード" in japanese.get(address).content.decode()
    assert browser_of(factories.make_staff("auditor")).get(address).status_code == 403


def test_the_command_prints_figures_and_rows(known: dt.datetime) -> None:
    said = StringIO()
    call_command("figures", as_of="2019-07-31T17:00", stdout=said)
    call_command("figures", rows="funding=debit", stdout=said)
    text = said.getvalue()
    for part in ("funding=debit", "first_way=issuer", "64,000", "suspected", "FC0"):
        assert part in text
