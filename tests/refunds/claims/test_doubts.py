"""What an issuer takes back or says too late, and what a holder has already, to the unit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction

from refunds.claims import holding
from refunds.models import (
    Doubt,
    Entitlement,
    FraudClaim,
    IssuerAction,
    Loss,
    Payout,
    Remedy,
)
from refunds.payouts import payable
from refunds.remedies import doubts, follow_up, own_funds
from tests.config.test_every_door import browser_of
from tests.refunds.claims.scene import HIT_AT, Scene, balance, jst, kinds
from tests.refunds.claims.test_issuers import SOUND_ARN
from tests.refunds.claims.test_losses import History
from tests.refunds.conftest import House
from tests.refunds.payouts.test_payable import now_planned
from winddown import clock
from winddown.authority import approvals
from winddown.errors import GuardNotMet
from winddown.evidence import invariants
from winddown.models import Approval

pytestmark = pytest.mark.django_db
ENGLISH = {"accept-language": "en"}


def agreed(person: Any, *, approve: bool = True) -> None:
    request = Approval.objects.latest("pk")
    approvals.carry_out(
        request, shown=request.digest, actor=person, reason="evidence seen", approve=approve
    )


def later(scene: Scene, **by: int) -> None:
    clock.travel(clock.now() + dt.timedelta(**by), frozen=True)


def test_an_issuer_that_takes_its_word_back(scene: Scene, staff: Callable[..., Any]) -> None:
    """History E, through the doors: stopped on Monday, too late on Tuesday."""
    wallet = scene.victim(30_000)
    scene.confirmed(wallet)
    file = scene.asked()
    scene.answer(file, "accepted_debit_stopped", statement_on=dt.date(2019, 8, 10))
    assert FraudClaim.objects.get().state == "remedied"
    later(scene, days=1)
    scene.answer(file, "too_late_cannot")
    assert kinds(wallet) == [("stop_debit", "contested"), ("compensation_payout", "asked")]
    assert FraudClaim.objects.get().state == "remedying"
    doubt = Doubt.objects.get()
    assert (doubt.kind, doubt.amount_minor, doubt.owner) == (
        "contradicted",
        30_000,
        scene.analyst,
    )
    # Nothing of it is paid, whoever tries.
    assert doubts.lost_in_doubt().exists()
    compensation = Remedy.objects.get(kind="compensation_payout")
    with (
        pytest.raises(DatabaseError, match="waits until two people decide"),
        transaction.atomic(),
    ):
        Payout.objects.create(
            remedy=compensation,
            holder=wallet.account,
            amount_minor=30_000,
            attempt=1,
            state="checked",
            live=True,
            booked_at=clock.now(),
        )
    with (
        pytest.raises(DatabaseError, match="contested until two people decide"),
        transaction.atomic(),
    ):
        Remedy.objects.filter(kind="stop_debit").update(state="failed", failure="too_late")
    with (
        pytest.raises(DatabaseError, match="settled once, by two people"),
        transaction.atomic(),
    ):
        Doubt.objects.update(verdict="last", settled_at=clock.now())
    # The statement's day does not make the word true.
    clock.travel(jst(2019, 8, 20), frozen=True)
    follow_up.verify_and_close()
    assert IssuerAction.objects.get().state == "debit_stopped"
    assert invariants.breached() == {}
    other = staff("fraud_analyst")
    page = browser_of(other, headers=ENGLISH).get("/console/issuers/").content.decode()
    assert "The issuer took its word back" in page
    assert FraudClaim.objects.get().reference in page
    call_command(
        "take_doubt",
        f"--doubt={doubt.pk}",
        f"--by={other.login_id}",
        "--reason=mine",
        stdout=StringIO(),
    )
    assert Doubt.objects.get().owner == other
    browser_of(other).post(
        "/console/issuers/settle-doubt/",
        {"doubt": doubt.pk, "verdict": "last", "reason": "a letter of the issuer"},
    )
    agreed(scene.supervisor)
    assert kinds(wallet) == [("stop_debit", "failed"), ("compensation_payout", "asked")]
    assert IssuerAction.objects.get().state == "fallback_opened"
    assert not doubts.lost_in_doubt().exists()
    assert balance("fraud_suspense") == 30_000
    assert invariants.breached() == {}


def test_the_earlier_word_stands(scene: Scene) -> None:
    wallet = scene.victim(30_000)
    scene.confirmed(wallet)
    file = scene.asked()
    scene.answer(file, "accepted_debit_stopped", statement_on=dt.date(2019, 8, 10))
    booked = balance("fraud_suspense")
    later(scene, days=1)
    scene.answer(file, "declined")
    assert balance("fraud_suspense") == booked + 30_000
    doubt = Doubt.objects.get()
    doubts.ask_settle(doubt, verdict="first", actor=scene.analyst, reason="they called")
    with pytest.raises(GuardNotMet, match="first, last expected"):
        doubts.ask_settle(doubt, verdict="waive", actor=scene.analyst, reason="no")
    agreed(scene.supervisor, approve=False)
    assert kinds(wallet)[0] == ("stop_debit", "contested")
    doubts.ask_settle(doubt, verdict="first", actor=scene.analyst, reason="the statement")
    agreed(scene.supervisor)
    assert kinds(wallet) == [("stop_debit", "remedied"), ("compensation_payout", "failed")]
    assert FraudClaim.objects.get().state == "remedied"
    assert balance("fraud_suspense") == booked
    with pytest.raises(GuardNotMet, match="settled already"):
        doubts.take_over(doubt, actor=scene.analyst, reason="late")
    assert invariants.breached() == {}


def test_a_late_yes_holds_our_own_payout(scene: Scene) -> None:
    """Too late on Monday, stopped on Tuesday: not both."""
    wallet = scene.victim(30_000)
    scene.confirmed(wallet)
    file = scene.asked()
    scene.answer(file, "too_late_cannot")
    assert own_funds.compensations().count() == 1
    later(scene, hours=5)
    scene.answer(file, "accepted_debit_stopped", statement_on=dt.date(2019, 8, 10))
    later(scene, hours=5)
    scene.answer(file, "declined")
    doubt = Doubt.objects.get()
    assert (doubt.kind, doubt.remedy.kind) == ("late", "compensation_payout")
    assert doubts.lost_in_doubt().exists()
    doubts.ask_settle(doubt, verdict="last", actor=scene.analyst, reason="on the statement")
    agreed(scene.supervisor)
    assert kinds(wallet) == [
        ("stop_debit", "failed"),
        ("compensation_payout", "failed"),
        ("stop_debit", "remedied"),
    ]
    assert FraudClaim.objects.get().state == "remedied"
    assert invariants.breached() == {}


@pytest.fixture
def robbed(scene: Scene) -> tuple[History, list[Any]]:
    history = History(scene)
    return history, [history.came(10_000, "credit_card"), history.went(5_942)]


@pytest.fixture
def refunded(scene: Scene, robbed: tuple[History, list[Any]], house: House) -> History:
    """History C up to the claim: the thief charges 10,000 and pays 5,942; 4,058 are sealed and paid
    to the holder before anybody knows.
    """
    history, stolen = robbed
    house.close([history.wallet.pk])
    house.seal()
    house.run("entitle")
    house.apply(Entitlement.objects.get())
    house.check_payees()
    house.send(house.paid_batch())
    clock.travel(jst(2019, 11, 15, 15), frozen=True)
    house.answers()
    assert Entitlement.objects.get().state == "paid"
    history.confirm(history.claim(thief=stolen))
    holding.secure(at=jst(2019, 7, 5), actor=scene.supervisor, reason="test")
    return history


def test_what_was_refunded_is_netted_against_the_compensation(
    scene: Scene, refunded: History, house: House
) -> None:
    """History C: 10,000 in all, never 14,058."""
    file = scene.asked()
    scene.answer(file, "declined")
    remedy = Remedy.objects.get(kind="compensation_payout")
    assert (remedy.amount_minor, remedy.netted_minor, remedy.payable_minor) == (
        10_000,
        4_058,
        5_942,
    )
    assert balance("fraud_loss") == -5_942
    later(scene, hours=1)
    scene.answer(file, "accepted_refunded", refund_arn=SOUND_ARN)
    later(scene, days=3)
    assert not payable.payable_remedies(now_planned()).exists()
    doubts.ask_settle(Doubt.objects.get(), verdict="first", actor=scene.analyst, reason="no ARN")
    agreed(scene.supervisor)
    assert payable.payable_remedies(now_planned()).get().to_pay == 5_942
    house.send(house.paid_batch("2019-11-20"))
    clock.travel(jst(2019, 11, 20, 15), frozen=True)
    house.answers()
    assert Payout.objects.get(remedy=remedy).amount_minor == 5_942
    paid = Payout.objects.filter(state="settled")
    assert sum(paid.values_list("amount_minor", flat=True)) == 10_000
    assert FraudClaim.objects.get().state == "remedied"
    assert balance("fraud_suspense") == 0
    assert invariants.breached() == {}


def test_what_the_issuer_stopped_whole_is_owed_back_if_two_people_say_so(
    scene: Scene, refunded: History
) -> None:
    """History C, the other end: the 4,058 are a receivable."""
    scene.answer(scene.asked(), "accepted_refunded", refund_arn=SOUND_ARN)
    doubt = Doubt.objects.get()
    assert (doubt.kind, doubt.amount_minor, doubt.verdict) == ("paid_twice", 4_058, "")
    doubts.ask_settle(doubt, verdict="waive", actor=scene.analyst, reason="an error of ours")
    agreed(scene.supervisor)
    assert Doubt.objects.get().verdict == "waive"
    assert invariants.breached() == {}


def test_no_more_is_netted_than_the_holder_had(scene: Scene, refunded: History) -> None:
    loss = Loss.objects.get()
    scene.answer(scene.asked(), "declined")
    with (
        pytest.raises(DatabaseError, match="did not have so much"),
        transaction.atomic(),
    ):
        Remedy.objects.create(
            loss=loss,
            kind="compensation_payout",
            amount_minor=10_000,
            netted_minor=4_059,
            proposed_at=HIT_AT,
        )
