"""A state that is added to a machine must be added to its sets, because every state is named here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from accounts.attacks import detection
from refunds.claims import holding, reporting, victim_rules
from refunds.models import FraudClaim, IssuerAction, Remedy, RuleHit
from tests import factories
from tests.refunds.claims.scene import HIT_AT, Scene
from wallets.models import Hold, Payment, TopUp, Wallet
from wallets.movements import charging, spending, withholding
from winddown import clock
from winddown.actors import SYSTEM
from winddown.machines.move import transition_one

Claim = FraudClaim.State
Action = IssuerAction.State

# Every state of the machine is in exactly one set of each line.
LINES: list[tuple[Any, tuple[tuple[str, ...], ...]]] = [
    (Claim, (FraudClaim.OPEN, FraudClaim.SETTLED)),
    (Claim, (FraudClaim.UNDECIDED, FraudClaim.DECIDED, (Claim.CLOSED, Claim.EXPIRED))),
    (
        Claim,
        (
            FraudClaim.CANDIDATES,
            FraudClaim.TAKEN_UP,
            FraudClaim.PROPOSED,
            FraudClaim.ACCEPTED,
            FraudClaim.DISMISSED,
            (Claim.CLOSED,),
        ),
    ),
    (
        Action,
        (
            IssuerAction.UNSENT,
            IssuerAction.ANSWERABLE,
            IssuerAction.DONE,
            IssuerAction.FAILED,
            IssuerAction.CLOSABLE,
            (Action.NEED_INFO, Action.CLOSED),
        ),
    ),
    (Remedy.State, (Remedy.LIVE, Remedy.GIVEN_UP)),
]


@pytest.mark.parametrize(("states", "sets"), LINES)
def test_every_state_is_in_exactly_one_set_of_a_line(
    states: Any, sets: tuple[tuple[str, ...], ...]
) -> None:
    assert Counter(state for each in sets for state in each) == Counter(list(states))


# --- what a claim holds -------------------------------------------------------------------------
# The holder owns 30,000 and a thief charged 30,000: the wallet could always pay for the hold, so
# only the state of the movement decides what is left of the thief's charge.


def _reserved(wallet: Wallet) -> Payment:
    return spending.reserve(
        wallet.pk,
        amount_minor=30_000,
        merchant_ref="M1",
        payment_ref=factories.unique("P"),
        actor=SYSTEM,
    )


def _reversed(wallet: Wallet) -> Payment:
    return spending.reverse(_settled(wallet, captured=True), actor=SYSTEM, reason="test")


def _settled(wallet: Wallet, *, captured: bool) -> Payment:
    return spending.settle(_reserved(wallet), captured=captured, actor=SYSTEM)


# State -> how a payment of 30,000 comes into it, and what is left of the charge to hold.
SPENT: dict[Payment.State, tuple[Callable[[Wallet], Payment], int]] = {
    Payment.State.AUTHORISED: (_reserved, 0),
    Payment.State.POSTED: (lambda wallet: _settled(wallet, captured=True), 0),
    Payment.State.VOIDED: (lambda wallet: _settled(wallet, captured=False), 30_000),
    Payment.State.REVERSED: (_reversed, 30_000),
}


@pytest.mark.parametrize("state", list(Payment.State))
def test_spent_value_is_not_held(scene: Scene, state: Payment.State) -> None:
    make, left = SPENT[state]
    wallet = scene.victim(30_000, own=30_000)
    claims = scene.reported(wallet)
    assert make(wallet).state == state
    assert holding.plan_hold(claims).amount_minor == left


# State -> the transitions from an authorised charge to it, and what is held for it.
CHARGED: dict[TopUp.State, tuple[tuple[str, ...], int]] = {
    TopUp.State.AUTHORISED: ((), 0),
    TopUp.State.POSTED: (("post",), 30_000),
    TopUp.State.PENDING_REVERSAL: (("withhold",), 0),
    TopUp.State.REVERSED: (("post", "reverse"), 0),
}


@pytest.mark.parametrize("state", list(TopUp.State))
def test_only_charges_that_are_still_in_the_wallet_are_held(
    scene: Scene, state: TopUp.State
) -> None:
    way, held = CHARGED[state]
    wallet = scene.victim(own=30_000, funding="points")
    charge = charging.top_up(
        wallet.pk,
        source="points",
        amount_minor=30_000,
        top_up_ref=factories.unique("T"),
        actor=SYSTEM,
        authorised_only=True,
    )
    (claim,) = reporting.report([wallet.pk], actor=SYSTEM, reason="test")
    rules = detection.declare(victim_rules.RULES, at=clock.now())
    RuleHit.objects.create(
        claim=claim,
        rule=rules[victim_rules.BURST.code],
        evidence={"top_ups": [charge.pk], "payments": [], "auth_event": None},
        hit_at=HIT_AT,
        found_at=HIT_AT,
    )
    with transaction.atomic():
        for name in way:
            charge = (
                charging.post_authorised(charge, actor=SYSTEM)
                if name == "post"
                else transition_one(charge, name, actor=SYSTEM)
            )
    assert charge.state == state
    assert holding.plan_hold([claim]).amount_minor == held


# State -> how a hold of the charge ends in it, and what is left of the charge to hold.
COVERED: dict[Hold.State, tuple[Callable[[Hold], Hold], int]] = {
    Hold.State.ACTIVE: (lambda hold: hold, 0),
    Hold.State.RELEASED: (lambda hold: withholding.release(hold, actor=SYSTEM), 30_000),
    Hold.State.TAKEN: (lambda hold: withholding.claw_back(hold, actor=SYSTEM), 0),
}


@pytest.mark.parametrize("state", list(Hold.State))
def test_held_or_clawed_back_value_is_not_held_again(scene: Scene, state: Hold.State) -> None:
    end, left = COVERED[state]
    claims = scene.reported(scene.victim(30_000, own=30_000))
    assert holding.hold_candidates(claims, actor=scene.analyst, reason="test") == 1
    assert end(Hold.objects.get()).state == state
    assert holding.plan_hold(claims).amount_minor == left
