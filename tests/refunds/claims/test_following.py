"""What is held and clawed back follows what happens to the wallet, to the unit, until the seal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from refunds.claims import holding, losses, reporting
from refunds.models import FraudClaim, Loss, PaymentPayer
from tests import factories
from tests.config.test_every_door import browser_of
from tests.refunds.claims.scene import Scene, jst
from tests.refunds.claims.test_losses import History
from tests.unguarded import past_the_guards
from wallets.models import Hold, Payment, Snapshot, SnapshotLine, Wallet
from wallets.movements import spending
from winddown import clock
from winddown.actors import SYSTEM
from winddown.evidence import invariants
from winddown.models import Failure
from winddown.programme import milestones
from winddown.runs import clockwork

pytestmark = pytest.mark.django_db


def case_a(scene: Scene) -> tuple[History, Any, Payment, Payment]:
    """The holder's 10,000, the thief's 30,000, the holder's 2,000, the thief's 25,000, and 5,000."""
    history = History(scene)
    history.came(10_000)
    charge = history.came(30_000, "credit_card")
    lunch = history.went(2_000)
    goods = history.went(25_000)
    history.came(5_000)
    return history, charge, lunch, goods


def held(history: History) -> int:
    return Wallet.objects.get(pk=history.wallet.pk).held_minor


def spendable(history: History) -> int:
    return Wallet.objects.get(pk=history.wallet.pk).available_minor


def test_a_call_holds_the_disputed_part_at_once(scene: Scene, staff: Callable[..., Any]) -> None:
    """History D: no rule hit anything, and the caller names what was not the caller's own."""
    history, charge, lunch, goods = case_a(scene)
    desk = browser_of(staff("support"), headers={"accept-language": "en"})
    desk.post(
        "/console/claims/report/",
        {
            "wallet": f"wallet:{history.wallet.pk}",
            "channel": "support",
            "movements": f"top_up:{charge.pk} payment:{goods.pk}",
            "reason": "the holder called",
        },
    )
    claim = FraudClaim.objects.get()
    assert (held(history), spendable(history)) == (5_000, 13_000)
    assert dict(PaymentPayer.objects.values_list("payment", "payer")) == {
        goods.pk: "thief",
        lunch.pk: "holder",
    }
    dinner = history.went(13_000)
    losses.name_payers([(claim, dinner)], "unknown", actor=scene.analyst, reason="no receipt")
    assert (held(history), spendable(history)) == (5_000, 0)
    reporting.take_up([claim], actor=scene.analyst, reason="test")
    history.confirm(claim)
    assert history.balance() == (0, 0)
    assert list(Loss.objects.values_list("funding", "amount_minor")) == [("credit", 30_000)]
    assert invariants.breached() == {}


def test_a_caller_who_knows_only_the_time_has_the_charges_since_then_held(scene: Scene) -> None:
    history = History(scene)
    history.came(10_000)
    since = clock.now() + dt.timedelta(seconds=30)
    history.came(30_000, "credit_card")
    for _ in range(2):
        reporting.report(
            [history.wallet.pk],
            actor=SYSTEM,
            reason="called",
            channel="support",
            compromised_from=since,
        )
    assert (held(history), spendable(history)) == (30_000, 10_000)


def test_a_hold_follows_what_comes_back_and_what_is_said_about_it(scene: Scene) -> None:
    """A void, a payer that changes, and a loss that is dropped."""
    history = History(scene)
    history.came(10_000)
    charge = history.came(30_000, "credit_card")
    taken = spending.reserve(
        history.wallet.pk,
        amount_minor=25_000,
        merchant_ref="M1",
        payment_ref=factories.unique("P"),
        actor=SYSTEM,
    )
    claim = history.claim(thief=[charge])
    holding.hold_candidates([claim], actor=scene.analyst, reason="test")
    assert held(history) == 5_000
    spending.settle(taken, captured=False, actor=SYSTEM)
    assert (held(history), spendable(history)) == (30_000, 10_000)
    goods = history.went(4_000)
    losses.name_losses([(claim, goods)], actor=scene.analyst, reason="the thief's too")
    assert held(history) == 26_000
    losses.name_payers([(claim, goods)], "holder", actor=scene.analyst, reason="a receipt")
    assert held(history) == 30_000
    # Whoever held the whole holds what is left of it, and cannot release it.
    assert {each.held_by_id for each in Hold.objects.filter(state="active")} <= {
        scene.analyst.pk,
        None,
    }
    losses.drop_loss(Loss.objects.get(), actor=scene.analyst, reason="the holder's own card")
    assert (held(history), spendable(history)) == (0, 36_000)
    assert invariants.breached() == {}


def test_what_a_person_released_is_not_held_again(scene: Scene) -> None:
    history = History(scene)
    history.came(10_000)
    charge = history.came(30_000, "credit_card")
    goods = history.went(5_000)
    claim = history.claim(thief=[charge, goods])
    holding.hold_candidates([claim], actor=scene.analyst, reason="test")
    past_the_guards("UPDATE refunds_fraudclaim SET state = 'expired'")
    holding.release([claim], actor=scene.supervisor, reason="a mistake")
    past_the_guards("UPDATE refunds_fraudclaim SET state = 'investigating'")
    spending.reverse(goods, actor=SYSTEM, reason="goods came back")
    assert held(history) == 0


def test_what_comes_back_to_a_closed_claim_is_taken(scene: Scene) -> None:
    history, charge, lunch, goods = case_a(scene)
    claim = history.claim(thief=[charge, goods], holder=[lunch])
    history.confirm(claim)
    assert history.balance() == (13_000, 0)
    past_the_guards("UPDATE refunds_fraudclaim SET state = 'closed'")
    spending.reverse(goods, actor=SYSTEM, reason="goods came back")
    assert history.balance() == (13_000, 0)


def test_a_claw_back_that_is_missing_is_found(scene: Scene) -> None:
    history, charge, lunch, goods = case_a(scene)
    claim = history.claim(thief=[charge, goods], holder=[lunch])
    history.confirm(claim)
    assert invariants.breached() == {}
    past_the_guards(
        f"UPDATE refunds_paymentpayer SET payer = 'holder' WHERE payment_id = {goods.pk}"
    )
    assert invariants.INVARIANTS["I18f"].breaches() == [
        f"claim {claim.reference}: 8000 of the thief's value is in wallet {history.wallet.pk}"
    ]


@pytest.fixture
def shut_down(scene: Scene, programme: Any, staff: Callable[..., Any]) -> Callable[[], Any]:
    def run() -> Any:
        factories.bring_to(programme, "announced")
        maker = staff("incident_commander")
        milestones.set_milestone(
            "spend_ends",
            at=jst(2019, 10, 1),
            actor=maker,
            reason="announced",
            ends_capability="spend",
            workflow="shut-down-by-deadline",
        )
        asked = factories.approved_run(
            "shut-down-by-deadline",
            maker=maker,
            checker=staff("compliance"),
            params={"in_flight": "void"},
        )
        scene.at(2019, 10, 1, 9)
        clockwork.tick()
        return factories.worked_off(asked)

    return run


def test_balances_are_sealed_without_a_thiefs_value(
    scene: Scene, shut_down: Callable[[], Any]
) -> None:
    """A payment of a thief is given back by the shut-down itself; another claim is undecided."""
    history = History(scene)
    history.came(10_000)
    charge = history.came(30_000, "credit_card")
    spending.reserve(
        history.wallet.pk,
        amount_minor=25_000,
        merchant_ref="M1",
        payment_ref=factories.unique("P"),
        actor=SYSTEM,
    )
    claim = history.claim(thief=[charge])
    history.confirm(claim)
    assert history.balance() == (10_000, 0)
    undecided, again, lunch, goods = case_a(scene)
    undecided.claim(thief=[again, goods], holder=[lunch])
    assert shut_down().state == "succeeded"
    lines = SnapshotLine.objects.order_by("wallet_id").values_list("paid_minor", "held_minor")
    assert list(lines) == [(10_000, 0), (18_000, 5_000)]
    assert invariants.breached() == {}


def test_a_wallet_that_cannot_be_recomputed_is_named_and_not_sealed(
    scene: Scene, shut_down: Callable[[], Any]
) -> None:
    history, charge, lunch, goods = case_a(scene)
    history.confirm(history.claim(thief=[charge, goods], holder=[lunch]))
    past_the_guards(
        "UPDATE wallets_posting SET amount_minor = amount_minor - 20000"
        " WHERE account = 'wallet_paid' AND amount_minor = -25000"
    )
    run = shut_down()
    assert run.state != "succeeded"
    failed = Failure.objects.get(run=run)
    assert (failed.step, failed.subject_id) == ("close_wallets", history.wallet.pk)
    assert f"trace the value of wallet {history.wallet.pk}" in failed.detail
    assert not Snapshot.objects.exists()
