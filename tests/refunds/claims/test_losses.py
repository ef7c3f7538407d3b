"""What a claim's losses are, to the unit, for every order of the holder's and the thief's
movements."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from refunds.claims import deciding, holding, losses, reporting
from refunds.models import ClaimTerms, FraudClaim, Loss, PaymentPayer, Remedy
from refunds.remedies import own_funds
from tests import factories
from tests.refunds.claims.scene import HIT_AT, Scene
from wallets.models import Payment, TopUp, Wallet
from wallets.movements import charging, spending
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import GuardNotMet
from winddown.evidence import invariants

pytestmark = pytest.mark.django_db


class History:
    """One wallet, whose movements follow one another by a minute."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        clock.travel(HIT_AT - dt.timedelta(hours=2), frozen=True)
        self.wallet = factories.make_wallet()
        self.card = scene.card(self.wallet, "credit")

    def _next(self) -> None:
        clock.travel(clock.now() + dt.timedelta(minutes=1), frozen=True)

    def came(self, amount: int, source: str = "atm_cash") -> TopUp:
        self._next()
        return charging.top_up(
            self.wallet.pk,
            source=source,
            amount_minor=amount,
            top_up_ref=factories.unique("T"),
            actor=SYSTEM,
            card=self.card if source == "credit_card" else None,
        )

    def went(self, amount: int) -> Payment:
        self._next()
        return self.scene.pay(self.wallet, amount)

    def claim(self, *, thief: list[Any], holder: list[Payment] | None = None) -> FraudClaim:
        """The claim is under investigation and says who made which movement."""
        self._next()
        (claim,) = reporting.report([self.wallet.pk], actor=SYSTEM, reason="test")
        reporting.take_up([claim], actor=self.scene.analyst, reason="test")
        actor = self.scene.analyst
        losses.name_losses([(claim, each) for each in thief], actor=actor, reason="test")
        losses.name_payers(
            [(claim, each) for each in holder or ()],
            PaymentPayer.Payer.HOLDER,
            actor=actor,
            reason="test",
        )
        return claim

    def confirm(self, claim: FraudClaim) -> None:
        said = deciding.propose([claim], verdict="confirm", actor=self.scene.analyst, reason="test")
        deciding.decide(said, actor=self.scene.supervisor, digest=said.digest, reason="test")

    def balance(self) -> tuple[int, int]:
        wallet = Wallet.objects.get(pk=self.wallet.pk)
        return wallet.paid_minor, wallet.bonus_minor


def lines(**only: Any) -> list[tuple[str, int]]:
    named = Loss.objects.filter(dropped_at=None, **only).order_by("pk")
    return list(named.values_list("funding", "amount_minor"))


def test_the_holders_own_payments_cost_the_holder_nothing(scene: Scene) -> None:
    """What a thief left is taken back, whatever the holder paid in between."""
    history = History(scene)
    history.came(10_000)
    charge = history.came(30_000, "credit_card")
    lunch = history.went(2_000)
    goods = history.went(25_000)
    history.came(5_000)
    claim = history.claim(thief=[charge, goods], holder=[lunch])
    assert holding.plan_hold([claim]).amount_minor == 5_000
    history.confirm(claim)
    assert lines() == [("credit", 30_000)]
    assert history.balance() == (13_000, 0)
    assert not [each.code for each in invariants.known() if each.breaches()]


def test_a_payment_that_straddles_is_lost_only_in_its_own_part(scene: Scene) -> None:
    history = History(scene)
    cash = history.came(10_000)
    charge = history.came(30_000, "credit_card")
    goods = history.went(35_000)
    history.confirm(history.claim(thief=[charge, goods]))
    assert lines() == [("credit", 30_000), ("own_balance", 5_000)]
    own = Loss.objects.get(funding="own_balance")
    assert own.sources == [{"lot": f"top_up:{cash.pk}", "amount_minor": 5_000}]
    assert (own.tracing, own.terms) == ("lifo", None)
    assert history.balance() == (5_000, 0)
    assert not [each.code for each in invariants.known() if each.breaches()]


@pytest.mark.parametrize(
    ("tracing", "thief_left"), [("fifo", 20_000), ("lifo", 10_000), ("proportional", 15_000)]
)
def test_the_programme_decides_what_nobody_can_attribute(
    scene: Scene, tracing: str, thief_left: int
) -> None:
    ClaimTerms.objects.create(tracing=tracing, source="test", adopted_at=clock.now())
    history = History(scene)
    history.came(10_000)
    charge = history.came(30_000, "credit_card")
    history.went(20_000)
    claim = history.claim(thief=[charge])
    assert holding.plan_hold([claim]).amount_minor == thief_left
    history.confirm(claim)
    assert history.balance() == (20_000 - thief_left, 0)


def test_another_answer_replaces_who_paid_and_the_losses_follow(scene: Scene) -> None:
    history = History(scene)
    history.came(10_000)
    charge = history.came(30_000, "credit_card")
    goods = history.went(35_000)
    claim = history.claim(thief=[charge, goods])
    made = losses.name_payers([(claim, goods)], "holder", actor=scene.analyst, reason="receipt")
    assert made == []
    assert lines() == [("credit", 30_000)]
    assert losses.name_payers([(claim, goods)], "holder", actor=scene.analyst, reason="x") == []
    assert list(PaymentPayer.objects.order_by("pk").values_list("payer", "replaced_at")) == [
        ("thief", clock.now()),
        ("holder", None),
    ]


def test_bonus_value_comes_back_as_bonus(scene: Scene) -> None:
    history = History(scene)
    history.came(800, "bonus")
    history.came(2_000)
    goods = history.went(1_500)
    history.confirm(history.claim(thief=[goods]))
    assert sorted(lines()) == [("bonus", 800), ("own_balance", 700)]
    assert own_funds.recredit(actor=scene.supervisor, reason="test") == 1
    assert own_funds.recredit(actor=scene.supervisor, reason="test") == 0
    assert history.balance() == (1_300, 800)
    assert Remedy.objects.get(loss__funding="own_balance").kind == "compensation_payout"
    assert not [each.code for each in invariants.known() if each.breaches()]


def test_a_reversal_before_the_decision_sends_the_list_back(scene: Scene) -> None:
    history = History(scene)
    history.came(10_000)
    goods = history.went(4_000)
    claim = history.claim(thief=[goods, history.went(1_000)])
    said = deciding.propose([claim], verdict="confirm", actor=scene.analyst, reason="test")
    spending.reverse(goods, actor=SYSTEM, reason="the merchant took the goods back")
    with pytest.raises(GuardNotMet, match="moved money since it was proposed"):
        deciding.decide(said, actor=scene.supervisor, digest=said.digest, reason="test")
    deciding.decide(said, actor=scene.supervisor, digest=said.digest, reason="again", approve=False)
    history.confirm(claim)
    assert lines() == [("own_balance", 1_000)]


def test_what_a_merchant_gives_back_after_the_decision_is_not_kept_twice(scene: Scene) -> None:
    """The confirmed loss is made good, so the value that came back to the wallet is taken once."""
    history = History(scene)
    history.came(10_000)
    charge = history.came(30_000, "credit_card")
    goods = history.went(35_000)
    claim = history.claim(thief=[charge, goods])
    history.confirm(claim)
    spending.reverse(goods, actor=SYSTEM, reason="the merchant took the goods back")
    assert holding.claw_back([claim]) == 0
    assert history.balance() == (5_000, 0)


def test_the_database_refuses_losses_beyond_what_was_charged_and_spent(scene: Scene) -> None:
    history = History(scene)
    history.came(40_000)
    charge = history.came(30_000, "credit_card")
    goods = history.went(35_000)
    claim = history.claim(thief=[charge, goods])
    named = Loss.objects.get(funding="own_balance")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE refunds_loss SET dropped_at = winddown_now() WHERE id = %s", [named.pk]
        )
        with (
            pytest.raises(DatabaseError, match="cannot take this loss"),
            transaction.atomic(),
        ):
            _insert(claim, goods, amount=35_001)
        _insert(claim, goods, amount=35_000)
    rows = FraudClaim.objects.filter(pk=claim.pk)
    decision = deciding._proposed("confirm", rows, maker=scene.analyst)
    deciding._gather_evidence([claim.pk], [])
    rows.update(decision=decision)
    deciding.transition_set(rows, "propose_confirm", run=None, actor=scene.analyst, reason="x")
    signed = deciding._signed_list(decision, rows)
    signed.ask(maker=scene.analyst, reason="test")
    signed.decide(actor=scene.supervisor, digest=decision.digest, reason="test", approve=True)
    with (
        pytest.raises(DatabaseError, match="not what the thief charged and spent"),
        transaction.atomic(),
    ):
        deciding._confirm(
            decision, rows, at=clock.now(), actor=scene.supervisor, reason="past the verb"
        )


def _insert(claim: FraudClaim, payment: Payment, *, amount: int) -> None:
    Loss.objects.create(
        claim=claim,
        payment=payment,
        funding="own_balance",
        amount_minor=amount,
        sources=[{"lot": "made up", "amount_minor": amount}],
        added_at=clock.now(),
        hit_at=clock.now(),
    )
