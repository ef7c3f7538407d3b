"""Victims are found by rules over sign-ins and movements, and counted in published figures."""

from __future__ import annotations

import datetime as dt
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Q

from accounts.models import AttackWindow, DetectionRule, User
from refunds.claims import damage, deciding, losses, reporting, victim_rules, victims
from refunds.models import FraudClaim, RuleHit
from tests import factories
from tests.refunds.claims.scene import HIT_AT, Scene, jst
from wallets.models import Wallet
from wallets.movements import charging
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import GuardNotMet
from winddown.models import AuditEntry, PublishedFigure

MINUTE = dt.timedelta(minutes=1)
HOME = HIT_AT - dt.timedelta(days=1)


def rules_hit(wallet: Wallet) -> set[str]:
    hits = RuleHit.objects.filter(Q(claim__wallet=wallet) | Q(wallet=wallet))
    return set(hits.values_list("rule__code", flat=True))


def claimed(*wallets: Wallet) -> list[bool]:
    return [FraudClaim.objects.filter(wallet=wallet).exists() for wallet in wallets]


def robbed(scene: Scene, *amounts: int, spent: int = 0) -> Wallet:
    """Returns a wallet that a thief charged quickly, after the first sign-in from abroad."""
    wallet = scene.victim(*amounts, spent=spent)
    scene.sign_in(wallet, HOME, device="phone")
    scene.sign_in(wallet, HIT_AT - MINUTE, device=factories.unique("thief"), country="XA")
    return wallet


def charge(wallet: Wallet, amount: int, at: dt.datetime, source: str = "points") -> None:
    clock.travel(at, frozen=True)
    charging.top_up(
        wallet.pk,
        source=source,
        amount_minor=amount,
        top_up_ref=factories.unique("T"),
        actor=SYSTEM,
    )


def find(as_of: dt.datetime | None = None) -> victims.Found:
    clock.travel(jst(2019, 7, 4), frozen=True)
    return victims.claim_candidates(as_of=as_of or clock.now())


@pytest.mark.parametrize(("gap_s", "hit"), [(30, True), (31, False)])
def test_three_charges_within_a_minute_make_a_suspicion(
    scene: Scene, gap_s: int, hit: bool
) -> None:
    """Signal S8, both sides of its minute."""
    wallet = scene.victim(funding="points")
    for number in range(3):
        charge(wallet, 1_000, HIT_AT + dt.timedelta(seconds=gap_s * number))
    assert find().candidates == []
    assert rules_hit(wallet) == ({"S8-burst"} if hit else set())


def test_bonuses_and_cash_are_not_counted_as_a_burst(scene: Scene) -> None:
    """Signal S8."""
    wallet = scene.victim(funding="points")
    for number, source in enumerate(("bonus", "register_cash", "atm_cash")):
        charge(wallet, 1_000, HIT_AT + dt.timedelta(seconds=number), source)
    assert find().candidates == []


@pytest.mark.parametrize(
    ("amount", "after", "hit"),
    [
        (50_000, 10 * MINUTE, True),
        (49_999, 10 * MINUTE, False),
        (50_000, 10 * MINUTE + dt.timedelta(seconds=1), False),
    ],
)
def test_a_large_charge_soon_after_a_sign_in_from_a_new_device_makes_a_suspicion(
    scene: Scene, amount: int, after: dt.timedelta, hit: bool
) -> None:
    """Signal S8, both sides of its amount and its time."""
    wallet = scene.victim(funding="points")
    scene.sign_in(wallet, HOME, device="phone")
    scene.sign_in(wallet, HIT_AT, device="other")
    charge(wallet, amount, HIT_AT + after)
    assert find().candidates == []
    assert rules_hit(wallet) == ({"S8-large"} if hit else set())


def test_a_large_charge_from_the_usual_device_is_no_signal(scene: Scene) -> None:
    """Signal S8: the first device of an account is not a new one."""
    wallet = scene.victim(funding="points")
    scene.sign_in(wallet, HOME, device="phone")
    scene.sign_in(wallet, HIT_AT, device="phone")
    charge(wallet, 90_000, HIT_AT + MINUTE)
    assert find().candidates == []


def test_a_first_sign_in_from_abroad_that_moves_money_makes_a_candidate(scene: Scene) -> None:
    """Signal S6: this holds for a thief who only spends, too."""
    charged, spent, idle = (scene.victim(funding="points", own=500) for _ in range(3))
    for wallet in (charged, spent, idle):
        scene.sign_in(wallet, HOME, device=factories.unique("phone"))
        scene.sign_in(wallet, HIT_AT, device=factories.unique("thief"), country="XA")
    charge(charged, 1_000, HIT_AT + MINUTE)
    paid = scene.pay(spent, 500)
    find()
    assert [each for _, each in victims.suspected(FraudClaim.objects.filter(wallet=spent))] == [
        paid
    ]
    assert (rules_hit(charged), rules_hit(spent), rules_hit(idle)) == (
        {"S6-abroad"},
        {"S6-abroad"},
        set(),
    )
    claim = FraudClaim.objects.get(wallet=charged)
    assert (claim.state, claim.channel, claim.compromised_from) == ("candidate", "rule", HIT_AT)


@pytest.mark.parametrize(
    ("amount", "prefecture", "hit"),
    [(8_000, "Osaka", True), (7_999, "Osaka", False), (8_000, "Tokyo", False)],
)
def test_a_charge_spent_at_once_in_another_prefecture_makes_a_suspicion(
    scene: Scene, amount: int, prefecture: str, hit: bool
) -> None:
    """Signal S9."""
    wallet = scene.victim(funding="points", own=1_000)
    clock.travel(HOME, frozen=True)
    scene.pay(wallet, 1_000, prefecture="Tokyo")
    charge(wallet, 10_000, HIT_AT)
    clock.travel(HIT_AT + 60 * MINUTE, frozen=True)
    scene.pay(wallet, amount, prefecture=prefecture)
    assert find().candidates == []
    assert rules_hit(wallet) == ({"S9-elsewhere"} if hit else set())


@pytest.mark.parametrize(
    ("amount", "category", "minutes", "hit"),
    [
        (8_000, "5993", 60, True),
        (7_999, "5993", 60, False),
        (8_000, "5499", 60, False),
        (8_000, "", 60, False),
        (8_000, "5993", 61, False),
    ],
)
def test_a_charge_spent_at_once_on_goods_that_resell_well_makes_a_suspicion(
    scene: Scene, amount: int, category: str, minutes: int, hit: bool
) -> None:
    """Signal S10, both sides of its share and its hour."""
    wallet = scene.victim(funding="points")
    charge(wallet, 10_000, HIT_AT)
    clock.travel(HIT_AT + minutes * MINUTE, frozen=True)
    scene.pay(wallet, amount, category=category)
    assert find().candidates == []
    assert rules_hit(wallet) == ({"S10-resold"} if hit else set())


def test_a_displaced_session_before_money_moves_makes_a_suspicion(scene: Scene) -> None:
    """Signal S11: the device is new, the session was the holder's, and value moves within half an
    hour."""
    hit, late, kept, usual = (scene.victim(funding="points") for _ in range(4))
    for wallet in (hit, late, kept, usual):
        scene.sign_in(wallet, HOME, device="phone")
        device = "phone" if wallet == usual else factories.unique("other")
        scene.sign_in(wallet, HIT_AT, device=device, displaced=wallet != kept)
        charge(wallet, 1_000, HIT_AT + (31 if wallet == late else 30) * MINUTE)
    assert find().candidates == []
    assert [rules_hit(wallet) for wallet in (hit, late, kept, usual)] == [
        {"S11-displaced"},
        set(),
        set(),
        set(),
    ]


def test_a_new_phone_and_a_large_charge_belong_to_one_family_of_signals(scene: Scene) -> None:
    """A person with a new phone displaces their own session."""
    wallet = scene.victim(30_000, 30_000)
    scene.sign_in(wallet, HOME, device="phone")
    scene.sign_in(wallet, HIT_AT - MINUTE, device="new phone", displaced=True)
    assert find().candidates == []
    assert rules_hit(wallet) == {"S8-large", "S11-displaced"}


def test_a_displaced_session_and_goods_that_resell_well_make_a_candidate(scene: Scene) -> None:
    """The thief is in the country, has a device for each account, and charges slowly."""
    wallet = scene.victim(10_000)
    scene.sign_in(wallet, HOME, device="phone")
    scene.sign_in(wallet, HIT_AT - MINUTE, device="another", displaced=True)
    clock.travel(HIT_AT + 10 * MINUTE, frozen=True)
    scene.pay(wallet, 9_000, category="5993")
    assert len(find().candidates) == 1
    assert rules_hit(wallet) == {"S10-resold", "S11-displaced"}


def test_two_rules_of_one_family_stay_a_suspicion(scene: Scene) -> None:
    """Many honest people charge large amounts quickly from a new phone in the first days."""
    wallet = scene.victim(30_000, 30_000, 30_000)
    scene.sign_in(wallet, HOME, device="phone")
    scene.sign_in(wallet, HIT_AT - MINUTE, device="new phone")
    found = find()
    assert (found.candidates, found.suspicions) == ([], 2)
    assert rules_hit(wallet) == {"S8-burst", "S8-large"}
    assert damage.suspected(as_of=clock.now()) == damage.Figure(1, 90_000)


def test_two_families_together_make_a_candidate(scene: Scene) -> None:
    wallet = scene.victim(funding="points", own=1_000)
    clock.travel(HOME, frozen=True)
    scene.pay(wallet, 1_000, prefecture="Tokyo")
    for number in range(3):
        charge(wallet, 10_000, HIT_AT + dt.timedelta(seconds=number))
    clock.travel(HIT_AT + 30 * MINUTE, frozen=True)
    scene.pay(wallet, 8_000, prefecture="Osaka")
    assert len(find().candidates) == 1
    assert rules_hit(wallet) == {"S8-burst", "S9-elsewhere"}


def test_own_balance_spent_through_a_device_that_opened_several_accounts_makes_a_candidate(
    scene: Scene,
) -> None:
    """Signal S5: nothing is charged, and the thief is in Japan."""
    wallets = [scene.victim(funding="points", own=500) for _ in range(4)]
    for number, wallet in enumerate(wallets):
        scene.sign_in(wallet, HOME, device=f"phone {number}")
        device = "thief" if number else "phone 0, new"
        scene.sign_in(wallet, HIT_AT + number * MINUTE, device=device, network="100.64.0.1")
    clock.travel(HIT_AT + 10 * MINUTE, frozen=True)
    for wallet in wallets[:3]:
        scene.pay(wallet, 500)
    find()
    assert claimed(*wallets) == [False, True, True, False]
    assert rules_hit(wallets[1]) == {"S5-source"}


def test_a_charge_soon_after_the_password_was_changed_makes_a_suspicion(scene: Scene) -> None:
    """Signal S7, both sides of its half hour. A password that is set at registration is no change."""
    soon, late, new = (scene.victim(funding="points") for _ in range(3))
    for wallet in (soon, late, new):
        User.objects.filter(pk=wallet.account_id).update(
            registered_at=HIT_AT - dt.timedelta(hours=2 if wallet == new else 48),
            password_set_at=HIT_AT,
        )
        after = dt.timedelta(seconds=1) if wallet == late else dt.timedelta()
        charge(wallet, 1_000, HIT_AT + 30 * MINUTE + after)
    assert find().candidates == []
    assert [rules_hit(wallet) for wallet in (soon, late, new)] == [{"S7-changed"}, set(), set()]


def test_a_second_search_adds_nothing(scene: Scene) -> None:
    robbed(scene, 30_000, 30_000, 30_000)
    first = find()
    assert (len(first.candidates), first.hits) == (1, 3)
    scene.victim(30_000, 30_000, 30_000)
    second = find()
    assert (second.candidates, second.hits, second.suspicions) == ([], 0, 1)
    third = find()
    assert (third.candidates, third.hits, third.suspicions) == ([], 0, 0)
    assert AuditEntry.objects.filter(action="claims.find_victims").count() == 2


def test_the_watch_searches_only_during_an_attack(scene: Scene) -> None:
    robbed(scene, 30_000, 30_000, 30_000)
    clock.travel(jst(2019, 7, 4), frozen=True)
    assert victims.follow_up() == 0
    at = clock.now()
    rule = DetectionRule.objects.create(code="wave", version=1, thresholds={}, since=at)
    AttackWindow.objects.create(
        wave=AttackWindow.Wave.values[0], rule=rule, started_at=HIT_AT, last_at=at, evidence={}
    )
    assert victims.follow_up() == 1


def test_events_after_the_requested_instant_are_ignored(scene: Scene) -> None:
    scene.victim(30_000, 30_000, 30_000)
    assert find(HIT_AT + dt.timedelta(seconds=39)).suspicions == 0
    assert find(HIT_AT + dt.timedelta(seconds=40)).suspicions == 1


def test_a_hit_keeps_its_rule_version_and_evidence(scene: Scene) -> None:
    wallet = robbed(scene, 30_000, 30_000, 30_000)
    find()
    hit = RuleHit.objects.get(rule__code="S8-burst")
    assert (hit.rule.version, hit.rule.thresholds["within_s"]) == (1, 60)
    assert hit.evidence["top_ups"] == sorted(wallet.top_ups.values_list("pk", flat=True))
    again = victims.matches(victim_rules.BURST, as_of=clock.now())
    assert [each.evidence for each in again] == [hit.evidence]


def test_a_rejected_wallet_becomes_a_candidate_again_only_for_later_events(scene: Scene) -> None:
    wallet = robbed(scene, 30_000, 30_000, 30_000)
    (claim,) = find().candidates
    reporting.take_up([claim], actor=scene.analyst, reason="test")
    decision = deciding.propose(
        [claim], verdict="reject", rejection="own_transaction", actor=scene.analyst, reason="test"
    )
    deciding.decide(decision, actor=scene.supervisor, digest=decision.digest, reason="test")
    assert find().candidates == []
    scene.sign_in(wallet, jst(2019, 7, 4, 23), device="thief", country="XB")
    for number in range(3):
        charge(wallet, 1_000, jst(2019, 7, 4, 23) + dt.timedelta(seconds=number + 1))
    clock.travel(jst(2019, 7, 6), frozen=True)
    assert len(victims.claim_candidates(as_of=clock.now()).candidates) == 1


def test_what_happened_in_the_instant_of_a_rejected_claim_is_answered_by_it(scene: Scene) -> None:
    wallet = robbed(scene, 30_000, 30_000)
    charge(wallet, 30_000, HIT_AT + MINUTE)
    (claim,) = victims.claim_candidates(as_of=clock.now()).candidates
    assert claim.opened_at == max(hit.hit_at for hit in claim.hits.all())
    reporting.take_up([claim], actor=scene.analyst, reason="test")
    decision = deciding.propose(
        [claim], verdict="reject", rejection="own_transaction", actor=scene.analyst, reason="test"
    )
    deciding.decide(decision, actor=scene.supervisor, digest=decision.digest, reason="test")
    assert find().candidates == []


def test_the_evidence_lists_the_movements_that_an_analyst_can_name(scene: Scene) -> None:
    wallet = robbed(scene, 30_000, 30_000, 30_000, spent=90_000)
    (claim,) = find().candidates
    reporting.take_up([claim], actor=scene.analyst, reason="test")
    pointed = victims.suspected([claim])
    assert [movement for _, movement in pointed] == list(wallet.top_ups.order_by("pk"))
    losses.name_losses(pointed, actor=scene.analyst, reason="the holder agrees")
    assert victims.suspected([claim]) == []


def test_the_command_finds_and_holds(scene: Scene) -> None:
    """Rule 5: candidates can be held the same hour."""
    wallet = robbed(scene, 30_000, 30_000, 30_000, spent=50_000)
    out = StringIO()
    call_command(
        "find_victims",
        hold="part",
        by=scene.analyst.login_id,
        reason="attack",
        json=True,
        stdout=out,
    )
    assert '"candidates": 1, "hits": 3, "suspicions": 0, "held": 1' in out.getvalue()
    assert Wallet.objects.get(pk=wallet.pk).held_minor == 40_000


def three_claims(scene: Scene) -> dict[str, dt.datetime]:
    """A credit victim known on the 5th, a debit victim on the 8th, an own-balance victim on the
    20th."""
    scene.victim(30_000, 20_000)
    scene.at(2019, 7, 5, 10)
    scene.confirmed(Wallet.objects.order_by("-pk")[0])
    wallet = scene.victim(10_000, funding="debit")
    scene.at(2019, 7, 8, 10)
    scene.confirmed(wallet)
    wallet = scene.victim(funding="points", own=700)
    scene.at(2019, 7, 3, 1)
    scene.pay(wallet, 700)
    scene.at(2019, 7, 20, 10)
    scene.confirmed(wallet)
    return {"first": jst(2019, 7, 5, 10), "second": jst(2019, 7, 8, 10), "all": jst(2019, 7, 31)}


def test_a_figure_can_be_counted_again_as_it_was_known(scene: Scene) -> None:
    """Rule 28."""
    when = three_claims(scene)
    just_before = when["first"] - when["first"].resolution
    assert damage.damage(as_of=just_before).total == damage.Figure(0, 0)
    assert damage.damage(as_of=when["first"]).total == damage.Figure(1, 50_000)
    assert damage.damage(as_of=when["second"]).total == damage.Figure(2, 60_000)
    assert damage.damage(as_of=when["all"]).total == damage.Figure(3, 60_700)


def test_every_breakdown_sums_to_the_headline(scene: Scene) -> None:
    """Rule 29."""
    when = three_claims(scene)
    for as_of in when.values():
        found = damage.damage(as_of=as_of)
        for name, parts in found.breakdowns.items():
            assert sum(part.victims for part in parts.values()) == found.total.victims, name
            assert sum(part.amount_minor for part in parts.values()) == found.total.amount_minor
    told = damage.damage(as_of=when["all"]).breakdowns
    assert told["day"] == {
        "2019-07-02": damage.Figure(2, 60_000),
        "2019-07-03": damage.Figure(1, 700),
    }
    assert told["issuer"] == {"": damage.Figure(1, 700), "HOSHI": damage.Figure(2, 60_000)}


def test_a_published_figure_is_frozen_and_published_once(scene: Scene, staff: Any) -> None:
    """Rule 28."""
    when = three_claims(scene)
    compliance = staff("compliance")
    first = damage.publish(as_of=when["second"], actor=compliance, reason="statement")
    rows = PublishedFigure.objects.count()
    stored = PublishedFigure.objects.get(key="fraud.amount_minor")
    assert (stored.value, stored.exact) == (60_000, True)
    wallet = scene.victim(5_000)
    scene.at(2019, 7, 25)
    scene.confirmed(wallet)
    assert damage.publish(as_of=when["second"], actor=compliance, reason="again") == first
    assert PublishedFigure.objects.count() == rows


def test_a_figure_for_a_future_instant_is_refused(scene: Scene, staff: Any) -> None:
    """Rule 28: a figure that can still change is not final."""
    scene.confirmed(scene.victim(5_000))
    compliance = staff("compliance")
    with pytest.raises(GuardNotMet):
        damage.publish(as_of=clock.now() + MINUTE.resolution, actor=compliance, reason="too early")
    assert damage.publish(as_of=clock.now(), actor=compliance, reason="now").total.victims == 1


def test_a_different_figure_does_not_overwrite_the_published_one(scene: Scene, staff: Any) -> None:
    """Rule 28."""
    PublishedFigure.objects.create(
        key="fraud.victims", as_of=clock.now(), value=900, source="a press conference"
    )
    with pytest.raises(GuardNotMet):
        damage.publish(as_of=clock.now(), actor=staff("compliance"), reason="another number")
