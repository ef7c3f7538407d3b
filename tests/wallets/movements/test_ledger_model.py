"""The ledger agrees with a model of thirty lines after any history of movements."""

from __future__ import annotations

import pytest
from django.db import transaction
from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from tests import factories
from wallets.models import Hold, Payment, Posting, Wallet
from wallets.movements import charging, spending, withholding
from winddown.actors import SYSTEM
from winddown.errors import InsufficientBalance, TransitionRefused
from winddown.evidence import invariants

AMOUNTS = st.integers(min_value=1, max_value=120)
WALLETS = st.integers(min_value=0, max_value=1)


class Ledger(RuleBasedStateMachine):
    """Two wallets; `paid`, `bonus` and `held` are what the model says they hold."""

    payments = Bundle("payments")
    holds = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.wallets = factories.make_wallets(2)
        self.paid, self.bonus, self.held = [0, 0], [0, 0], [0, 0]
        self.merchants = self.taken = 0
        self.number = 0

    def teardown(self) -> None:
        try:
            for code in ("I1", "I4", "I4b", "I4c", "I18"):
                (each,) = (known for known in invariants.known() if known.code == code)
                assert each.breaches() == [], each.statement
        finally:
            # Also when one does not hold: the next example begins with what this one began with.
            transaction.set_rollback(True)
            self.undo.__exit__(None, None, None)

    def reference(self) -> str:
        self.number += 1
        return f"m{self.number}"

    @rule(w=WALLETS, amount=AMOUNTS, free=st.booleans(), twice=st.booleans())
    def top_up(self, w: int, amount: int, free: bool, twice: bool) -> None:
        reference = self.reference()
        for _ in range(1 + twice):
            charging.top_up(
                self.wallets[w],
                source="bonus" if free else "points",
                amount_minor=amount,
                top_up_ref=reference,
                actor=SYSTEM,
            )
        (self.bonus if free else self.paid)[w] += amount

    @rule(target=payments, w=WALLETS, amount=AMOUNTS, later=st.booleans(), twice=st.booleans())
    def spend(self, w: int, amount: int, later: bool, twice: bool):
        verb = spending.reserve if later else spending.pay
        asked = {
            "amount_minor": amount,
            "merchant_ref": "m",
            "payment_ref": self.reference(),
            "actor": SYSTEM,
        }
        if amount > self.paid[w] + self.bonus[w] - self.held[w]:
            with pytest.raises(InsufficientBalance):
                verb(self.wallets[w], **asked)
            return multiple()
        for _ in range(1 + twice):
            done = verb(self.wallets[w], **asked)
        bonus = min(amount, self.bonus[w])
        assert (done.bonus_part_minor, done.paid_part_minor) == (bonus, amount - bonus)
        self.bonus[w] -= bonus
        self.paid[w] -= amount - bonus
        self.merchants += 0 if later else amount
        return {"pk": done.pk, "w": w, "bonus": bonus, "amount": amount, "state": done.state}

    @rule(payment=payments, captured=st.booleans())
    def settle(self, payment: dict, captured: bool) -> None:
        row = Payment.objects.get(pk=payment["pk"])
        if payment["state"] != "authorised":
            with pytest.raises(TransitionRefused):
                spending.settle(row, captured=captured, actor=SYSTEM)
            return
        payment["state"] = spending.settle(row, captured=captured, actor=SYSTEM).state
        if captured:
            self.merchants += payment["amount"]
        else:
            self._give_back(payment)

    @rule(payment=payments)
    def reverse(self, payment: dict) -> None:
        row = Payment.objects.get(pk=payment["pk"])
        if payment["state"] != "posted":
            with pytest.raises(TransitionRefused):
                spending.reverse(row, actor=SYSTEM, reason="r")
            return
        payment["state"] = spending.reverse(row, actor=SYSTEM, reason="r").state
        self.merchants -= payment["amount"]
        self._give_back(payment)

    def _give_back(self, payment: dict) -> None:
        self.bonus[payment["w"]] += payment["bonus"]
        self.paid[payment["w"]] += payment["amount"] - payment["bonus"]

    @rule(target=holds, w=WALLETS, amount=AMOUNTS)
    def hold(self, w: int, amount: int):
        if amount > self.paid[w] - self.held[w]:
            with pytest.raises(InsufficientBalance):
                withholding.hold(self.wallets[w], amount_minor=amount, reason="r", actor=SYSTEM)
            return multiple()
        held = withholding.hold(self.wallets[w], amount_minor=amount, reason="r", actor=SYSTEM)
        self.held[w] += amount
        return {"pk": held.pk, "w": w, "amount": amount, "open": True}

    @rule(held=holds, taken=st.booleans())
    def end_hold(self, held: dict, taken: bool) -> None:
        row = Hold.objects.get(pk=held["pk"])
        verb = withholding.claw_back if taken else withholding.release
        if not held["open"]:
            with pytest.raises(TransitionRefused):
                verb(row, actor=SYSTEM)
            return
        assume(held["open"])
        verb(row, actor=SYSTEM)
        held["open"] = False
        self.held[held["w"]] -= held["amount"]
        if taken:
            self.paid[held["w"]] -= held["amount"]
            self.taken += held["amount"]

    @invariant()
    def they_agree(self) -> None:
        rows = Wallet.objects.filter(pk__in=self.wallets).order_by("pk")
        assert [(row.paid_minor, row.bonus_minor, row.held_minor) for row in rows] == list(
            zip(self.paid, self.bonus, self.held, strict=True)
        )
        for account, expected in (("merchants", self.merchants), ("fraud_loss", self.taken)):
            posted = Posting.objects.filter(account=account).values_list("amount_minor", flat=True)
            assert sum(posted) == expected


def test_the_ledger_agrees_with_its_model(programme):
    """P2: reservations and holds end exactly once, and nothing is lost."""
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=settings.default.max_examples // 4,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
