"""Before a bank file is exported, every invariant about money, victims and approvals is checked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from refunds.claims import reporting
from refunds.models import Payout, PayoutBatch
from refunds.payouts import payout_batches
from tests.refunds.conftest import House
from winddown.actors import SYSTEM
from winddown.errors import GuardNotMet
from winddown.evidence import invariants
from winddown.evidence.invariants import About

pytestmark = pytest.mark.django_db

GUARDS = [each for each in invariants.known() if each.guards_release]


@pytest.fixture
def approved(house: House) -> PayoutBatch:
    """Two refunds in a batch that may be exported."""
    for row in house.entitled(2):
        house.apply(row)
    house.check_payees()
    return house.approve(house.paid_batch())


def refused(house: House, batch: PayoutBatch, code: str) -> None:
    with pytest.raises(GuardNotMet, match=f"invariant {code} is breached"):
        payout_batches.export_batch(batch, directory=house.bank.inbox, actor=house.treasury)
    assert PayoutBatch.objects.get().state == PayoutBatch.State.APPROVED
    assert not list(house.bank.inbox.glob("transfer*"))


def test_each_breach_about_money_victims_or_approvals_stops_the_file(
    house: House, approved: PayoutBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P4: a check belongs to the gate by its subject, and so does each new one."""
    assert {each.about for each in GUARDS} == {About.MONEY, About.VICTIMS, About.APPROVAL}
    known = invariants.INVARIANTS.entries
    for each in GUARDS:
        with monkeypatch.context() as patch:
            patch.setitem(known, each.code, replace(each, breaches=lambda: ["planted"]))
            refused(house, approved, each.code)
    new = invariants.Invariant("I999", "a new one", About.VICTIMS, lambda: ["planted"])
    with monkeypatch.context() as patch:
        patch.setitem(known, new.code, new)
        refused(house, approved, new.code)


def test_a_breach_about_something_else_does_not_stop_the_file(
    house: House, approved: PayoutBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in invariants.known():
        if not each.guards_release:
            planted = replace(each, breaches=lambda: ["planted"])
            monkeypatch.setitem(invariants.INVARIANTS.entries, each.code, planted)
    path = payout_batches.export_batch(approved, directory=house.bank.inbox, actor=house.treasury)
    assert path.exists()


def test_a_refund_of_a_wallet_with_a_reported_theft_is_not_exported(
    house: House, approved: PayoutBatch
) -> None:
    """I5: the theft was reported after the file was approved."""
    payout = Payout.objects.select_related("entitlement").earliest("pk")
    assert payout.entitlement is not None
    reporting.report([payout.entitlement.wallet_id], actor=SYSTEM, reason="test")
    refused(house, approved, "I5")
