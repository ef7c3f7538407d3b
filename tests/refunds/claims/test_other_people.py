"""Who worked on a claim does not decide it, and an appeal is for other people than before."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from refunds.claims import appeals, deciding, ending, holding, losses, reporting
from refunds.models import ClaimDecision, FraudClaim, Loss, Remedy
from refunds.remedies import own_funds
from tests import factories
from tests.refunds.claims.scene import Scene
from tests.unguarded import past_the_guards
from wallets.models import Payment, TopUp, Wallet
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import GuardNotMet, SamePerson
from winddown.evidence import invariants

pytestmark = pytest.mark.django_db


def decide(decision: ClaimDecision, actor: Any, *, approve: bool = True) -> int:
    return deciding.decide(
        decision, actor=actor, digest=decision.digest, reason="test", approve=approve
    )


def rejected(scene: Scene, wallet: Wallet) -> FraudClaim:
    decision = reject_again(scene.reported(wallet), scene.analyst)
    decide(decision, scene.supervisor)
    return FraudClaim.objects.get()


def reject_again(claims: list[FraudClaim], analyst: Any) -> ClaimDecision:
    return deciding.propose(
        claims, verdict="reject", rejection="no_loss", actor=analyst, reason="test"
    )


def test_who_dropped_a_loss_or_named_a_payer_does_not_decide(scene: Scene) -> None:
    """Rule 23: a delegate who made an edit is no second person."""
    wallet = scene.victim(30_000, 20_000, spent=10_000)
    (claim,) = scene.reported(wallet)
    dropper, namer, reporter = (factories.make_staff("fraud_supervisor") for _ in range(3))
    losses.drop_loss(Loss.objects.get(amount_minor=20_000), actor=dropper, reason="edit")
    payment = Payment.objects.get()
    losses.name_payers([(claim, payment)], "holder", actor=namer, reason="edit")
    losses.name_payers([(claim, payment)], "thief", actor=scene.analyst, reason="after all")
    past_the_guards(
        f'UPDATE refunds_fraudclaim SET evidence = \'[{{"kind": "report", "by": {reporter.pk}}}]\''
    )
    decision = deciding.propose([claim], verdict="confirm", actor=scene.analyst, reason="test")
    for maker in (dropper, namer, reporter):
        with pytest.raises(SamePerson):
            decide(decision, maker)
    assert FraudClaim.objects.get().state == FraudClaim.State.PROPOSED_CONFIRM
    assert decide(decision, scene.supervisor) == 1


def test_an_appeal_is_worked_and_decided_by_other_people(scene: Scene) -> None:
    """Rule 24: by staff number, in each verb and in the database."""
    wallet = scene.victim(30_000)
    scene.at(2019, 7, 5, 9)
    claim = rejected(scene, wallet)
    scene.at(2019, 7, 6, 9)
    appeals.appeal(claim, actor=wallet.account, reason="I did not do it")
    scene.at(2019, 7, 7, 9)
    same = factories.make_staff("fraud_analyst", staff_number=scene.analyst.staff_number)
    for first in (scene.analyst, same, scene.supervisor):
        with pytest.raises(SamePerson):
            reporting.take_up([claim], actor=first, reason="again me")
    other = factories.make_staff("fraud_analyst")
    reporting.take_up([claim], actor=other, reason="fresh eyes")
    charge = [(claim, TopUp.objects.get())]
    for attempt in (
        lambda: losses.name_losses(charge, actor=same, reason="mine"),
        lambda: reporting.move([claim], "ask_customer", actor=same, reason="mine"),
        lambda: reject_again([claim], same),
    ):
        with pytest.raises(SamePerson):
            attempt()
    with pytest.raises(DatabaseError, match="needs other people"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('winddown.actor', %s, true)", [str(same.pk)])
            cursor.execute("UPDATE refunds_fraudclaim SET state = 'awaiting_customer'")
    decision = reject_again([claim], other)
    same_supervisor = factories.make_staff(
        "fraud_supervisor", staff_number=scene.supervisor.staff_number
    )
    for first in (scene.supervisor, same_supervisor):
        with pytest.raises(SamePerson):
            decide(decision, first)
    assert decide(decision, factories.make_staff("fraud_supervisor")) == 1


def test_a_rejection_is_appealed_once_and_is_then_final(scene: Scene) -> None:
    """Rule 24."""
    wallet = scene.victim(30_000)
    claim = appeals.appeal(rejected(scene, wallet), actor=wallet.account, reason="mine")
    scene.at(2019, 7, 7, 9)
    other = factories.make_staff("fraud_analyst")
    reporting.take_up([claim], actor=other, reason="fresh eyes")
    decide(reject_again([claim], other), factories.make_staff("fraud_supervisor"))
    claim = FraudClaim.objects.get()
    with pytest.raises(GuardNotMet, match="appealed once"):
        appeals.appeal(claim, actor=wallet.account, reason="once more")
    with pytest.raises(DatabaseError, match="appealed once"), transaction.atomic():
        FraudClaim.objects.update(state="appealed", appealed_at=clock.now())
    assert appeals.close_after_appeal_time() == 1


def test_a_new_report_of_a_rejected_wallet_is_the_appeal(scene: Scene) -> None:
    wallet = scene.victim(30_000)
    claim = rejected(scene, wallet)
    assert reporting.report([wallet.pk], actor=wallet.account, reason="it was fraud") == []
    claim.refresh_from_db()
    assert claim.state == FraudClaim.State.APPEALED
    assert reporting.report([wallet.pk], actor=wallet.account, reason="again") == []
    assert FraudClaim.objects.count() == 1


def test_a_report_after_the_appeal_time_is_a_new_claim(scene: Scene) -> None:
    wallet = scene.victim(30_000)
    claim = rejected(scene, wallet)
    assert claim.appeal_until is not None
    clock.travel(claim.appeal_until, frozen=True)
    assert len(reporting.report([wallet.pk], actor=wallet.account, reason="late")) == 1


def test_what_a_remedy_is_and_of_how_much_never_changes(scene: Scene) -> None:
    scene.confirmed(scene.victim(30_000))
    for change in ({"amount_minor": 1}, {"kind": "compensation_payout"}):
        with pytest.raises(DatabaseError, match="cannot change any more"), transaction.atomic():
            Remedy.objects.update(**change)


def test_only_a_confirmed_loss_has_a_remedy(scene: Scene) -> None:
    scene.reported(scene.victim(30_000))
    with pytest.raises(DatabaseError, match="is not confirmed"), transaction.atomic():
        Remedy.objects.create(
            loss=Loss.objects.get(), kind="stop_debit", amount_minor=30_000, proposed_at=clock.now()
        )


def reopened(scene: Scene) -> FraudClaim:
    wallet = scene.victim(30_000, spent=30_000, funding="points")
    (claim,) = scene.confirmed(wallet)
    own_funds.recredit(actor=scene.supervisor, reason="test")
    asked = ending.request_reopening(claim, actor=scene.supervisor, reason="more to it")
    claim = ending.reopen(asked, actor=factories.make_staff("compliance"), reason="agreed")
    reporting.take_up([claim], actor=scene.analyst, reason="again")
    return claim


def test_a_reopened_claim_without_new_losses_is_confirmed_and_over(scene: Scene) -> None:
    claim = reopened(scene)
    with pytest.raises(GuardNotMet, match="were confirmed"):
        reject_again([claim], scene.analyst)
    with pytest.raises(DatabaseError, match="has confirmed losses"), transaction.atomic():
        FraudClaim.objects.update(state="proposed_reject", rejection="no_loss")
    decision = deciding.propose([claim], verdict="confirm", actor=scene.analyst, reason="test")
    decide(decision, scene.supervisor)
    assert FraudClaim.objects.get().state == FraudClaim.State.REMEDIED
    assert invariants.INVARIANTS["I6e"].breaches() == []


@pytest.mark.parametrize("state", ["remedying", "rejected"])
def test_a_claim_that_waits_for_nothing_is_found_and_moves_on(scene: Scene, state: str) -> None:
    claim = reopened(scene)
    past_the_guards(
        f"UPDATE refunds_fraudclaim SET state = '{state}', rejection = 'no_loss',"
        " rejected_at = now(), appeal_until = now() + interval '1 day'"
    )
    assert invariants.INVARIANTS["I6e"].breaches()
    assert ending.move_on() > 0
    assert ending.move_on() == 0
    claim.refresh_from_db()
    assert claim.state == FraudClaim.State.REMEDIED
    assert invariants.INVARIANTS["I6e"].breaches() == []


def test_only_what_was_held_for_a_dismissed_claim_is_released(scene: Scene) -> None:
    wallet = scene.victim(30_000)
    (claim,) = scene.reported(wallet)
    holding.hold_candidates([claim], actor=scene.analyst, reason="suspect")
    with pytest.raises(GuardNotMet, match="neither rejected nor let drop"):
        holding.release([claim], actor=scene.supervisor, reason="kind")
    assert Wallet.objects.get().held_minor == 30_000
    decide(reject_again([claim], scene.analyst), scene.supervisor)
    claim.refresh_from_db()
    clock.travel(claim.appeal_until, frozen=True)  # type: ignore[arg-type]
    appeals.close_after_appeal_time(actor=SYSTEM)
    assert holding.release([claim], actor=scene.supervisor, reason="cleared") == 1
