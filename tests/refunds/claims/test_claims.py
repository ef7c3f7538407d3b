"""One person works on a claim and another decides it; it can be appealed and reopened."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from refunds.claims import appeals, deciding, ending, holding, losses, reporting
from refunds.claims.invariants import released_by_the_holder
from refunds.models import FraudClaim, Issuer, Loss, Remedy
from refunds.remedies import own_funds, slots
from tests import factories
from tests.owning import as_owner
from tests.refunds.claims.scene import HIT_AT, Scene, balance, jst, kinds
from tests.unguarded import give_past_the_guards, past_the_guards
from wallets.models import Hold, TopUp, Wallet
from wallets.movements import charging, withholding
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import (
    GuardNotMet,
    NothingToDecide,
    NotPermitted,
    PlanChanged,
    PlanExpired,
    SamePerson,
    WalletNotUsable,
)
from winddown.evidence import invariants
from winddown.machines.move import transition_one
from winddown.models import AuditEntry

DISMISSED = "UPDATE refunds_fraudclaim SET state = 'expired'"


def breaches() -> dict[str, list[str]]:
    return {each.code: found for each in invariants.known() if (found := each.breaches())}


def test_a_confirmed_claim_moves_every_loss_to_the_operator(scene: Scene) -> None:
    wallet = scene.victim(30_000, 30_000, spent=60_000)
    scene.at(2019, 7, 5, 9)
    (claim,) = scene.confirmed(wallet)
    assert claim.state == FraudClaim.State.REMEDYING
    assert claim.hit_at == HIT_AT
    assert claim.confirmed_at == jst(2019, 7, 5, 9)
    assert claim.compromised_from == HIT_AT
    assert balance("fraud_loss") == -60_000
    assert balance("fraud_suspense") == 60_000
    assert kinds(wallet) == [("stop_debit", "proposed"), ("stop_debit", "proposed")]
    assert breaches() == {}


def test_the_maker_cannot_decide_their_own_list(scene: Scene) -> None:
    """Rule 23."""
    decision = scene.proposed(scene.victim(30_000))
    with as_owner():
        scene.analyst.groups.set(scene.supervisor.groups.all())
    person = type(scene.analyst).objects.get(pk=scene.analyst.pk)
    with pytest.raises(SamePerson):
        deciding.decide(decision, actor=person, digest=decision.digest, reason="mine")
    assert FraudClaim.objects.get().state == FraudClaim.State.PROPOSED_CONFIRM


def test_a_second_account_of_the_maker_cannot_decide_the_list(scene: Scene) -> None:
    """Rule 23."""
    decision = scene.proposed(scene.victim(30_000))
    other = factories.make_staff(staff_number=scene.analyst.staff_number)
    give_past_the_guards(other, "fraud_supervisor")
    with pytest.raises(SamePerson):
        deciding.decide(decision, actor=other, digest=decision.digest, reason="mine")


def test_a_person_who_worked_on_a_claim_cannot_decide_it(scene: Scene) -> None:
    """Rule 23: a delegate who made an edit is no second person."""
    (claim,) = reporting.report([scene.victim(30_000).pk], actor=SYSTEM, reason="test")
    reporting.take_up([claim], actor=scene.analyst, reason="test")
    losses.name_losses([(claim, TopUp.objects.get())], actor=scene.supervisor, reason="edit")
    decision = deciding.propose([claim], verdict="confirm", actor=scene.analyst, reason="test")
    with pytest.raises(SamePerson):
        deciding.decide(decision, actor=scene.supervisor, digest=decision.digest, reason="test")
    assert FraudClaim.objects.get().state == FraudClaim.State.PROPOSED_CONFIRM
    another = factories.make_staff("fraud_supervisor")
    assert deciding.decide(decision, actor=another, digest=decision.digest, reason="test") == 1


def test_an_analyst_cannot_decide(scene: Scene) -> None:
    decision = scene.proposed(scene.victim(30_000))
    another = factories.make_staff("fraud_analyst")
    with pytest.raises(NotPermitted):
        deciding.decide(decision, actor=another, digest=decision.digest, reason="test")


def test_a_state_set_by_sql_without_a_signature_is_refused(scene: Scene) -> None:
    """Rule 23, for every writer."""
    scene.proposed(scene.victim(30_000))
    with (
        pytest.raises(DatabaseError, match="no decision of a second person"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE refunds_fraudclaim SET state = 'confirmed', confirmed_at = winddown_now()"
        )


@pytest.mark.parametrize("verdict", ["confirm", "reject"])
def test_a_signature_under_another_verdict_decides_nothing(scene: Scene, verdict: str) -> None:
    """Rule 23: the request was changed, and the digest that two people signed was not."""
    decision = deciding.propose(
        scene.reported(scene.victim(30_000)),
        verdict=verdict,
        rejection="no_loss" if verdict == "reject" else "",
        actor=scene.analyst,
        reason="test",
    )
    past_the_guards('UPDATE winddown_approval SET summary = summary || \'{"verdict": "else"}\'')
    with pytest.raises(DatabaseError, match="no decision of a second person"):
        deciding.decide(decision, actor=scene.supervisor, digest=decision.digest, reason="test")


def test_one_signature_covers_only_the_claims_of_its_list(scene: Scene) -> None:
    """Rule 23."""
    decision = scene.proposed(scene.victim(30_000))
    foreign = scene.proposed(scene.victim(20_000))
    deciding.decide(decision, actor=scene.supervisor, digest=decision.digest, reason="test")
    with (
        pytest.raises(DatabaseError, match="no decision of a second person"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE refunds_fraudclaim SET state = 'confirmed', confirmed_at = winddown_now(),"
            " decision_id = %s"
            " WHERE decision_id = %s",
            [decision.pk, foreign.pk],
        )


def test_a_list_is_decided_once(scene: Scene) -> None:
    decision = scene.proposed(scene.victim(30_000))
    deciding.decide(decision, actor=scene.supervisor, digest=decision.digest, reason="test")
    another = factories.make_staff("fraud_supervisor")
    with pytest.raises(NothingToDecide):
        deciding.decide(decision, actor=another, digest=decision.digest, reason="again")
    assert balance("fraud_suspense") == 30_000


def test_a_decision_with_another_digest_or_an_old_request_is_refused(scene: Scene) -> None:
    scene.at(2019, 7, 5, 9)
    decision = scene.proposed(scene.victim(30_000))
    with pytest.raises(PlanChanged):
        deciding.decide(decision, actor=scene.supervisor, digest="0" * 64, reason="test")
    clock.travel(clock.now() + (jst(2019, 7, 6, 9) - jst(2019, 7, 5, 9)), frozen=True)
    with pytest.raises(PlanExpired):
        deciding.decide(decision, actor=scene.supervisor, digest=decision.digest, reason="test")
    deciding.ask_again(decision, actor=scene.analyst, reason="expired")
    assert (
        deciding.decide(decision, actor=scene.supervisor, digest=decision.digest, reason="test")
        == 1
    )


def test_a_request_about_a_changed_list_is_not_asked_again(scene: Scene) -> None:
    decision = scene.proposed(scene.victim(30_000))
    past_the_guards("UPDATE refunds_loss SET amount_minor = 1")
    with pytest.raises(PlanChanged):
        deciding.ask_again(decision, actor=scene.analyst, reason="expired")


def test_a_rejected_list_goes_back_to_the_analyst(scene: Scene) -> None:
    decision = scene.proposed(scene.victim(30_000))
    moved = deciding.decide(
        decision,
        actor=scene.supervisor,
        digest=decision.digest,
        reason="not convinced",
        approve=False,
    )
    assert moved == 1
    assert FraudClaim.objects.get().state == FraudClaim.State.INVESTIGATING
    assert balance("fraud_loss") == 0


def test_a_claim_without_a_loss_cannot_be_confirmed(scene: Scene) -> None:
    (claim,) = reporting.report([scene.victim(30_000).pk], actor=SYSTEM, reason="test")
    reporting.take_up([claim], actor=scene.analyst, reason="test")
    with pytest.raises(GuardNotMet):
        deciding.propose([claim], verdict="confirm", actor=scene.analyst, reason="test")
    assert FraudClaim.objects.get().state == FraudClaim.State.INVESTIGATING


def test_a_list_of_no_claim_is_not_proposed(scene: Scene) -> None:
    with pytest.raises(GuardNotMet, match="a list holds"):
        deciding.propose([], verdict="confirm", actor=scene.analyst, reason="test")


def test_losses_cannot_change_while_a_second_person_decides(scene: Scene) -> None:
    decision = scene.proposed(scene.victim(30_000, 20_000))
    loss = Loss.objects.order_by("pk").first()
    assert loss is not None
    with pytest.raises(GuardNotMet):
        losses.drop_loss(loss, actor=scene.analyst, reason="after all not")
    with pytest.raises(DatabaseError), transaction.atomic():
        Loss.objects.filter(pk=loss.pk).update(amount_minor=1)
    with pytest.raises(DatabaseError), transaction.atomic():
        Loss.objects.filter(pk=loss.pk).update(dropped_at=clock.now())
    with pytest.raises(DatabaseError), transaction.atomic():
        Loss.objects.filter(pk=loss.pk).update(confirmed_at=clock.now())
    with as_owner(), pytest.raises(DatabaseError), transaction.atomic():
        loss.delete()
    wallet = Wallet.objects.get()
    charging.top_up(wallet.pk, source="points", amount_minor=5_000, top_up_ref="late", actor=SYSTEM)
    late = TopUp.objects.get(top_up_ref="late")
    with pytest.raises(GuardNotMet, match="name losses"):
        losses.name_losses([(loss.claim, late)], actor=scene.analyst, reason="late")
    assert decision.amount_minor == 50_000


def test_a_movement_is_a_loss_of_only_one_claim(scene: Scene) -> None:
    wallet = scene.victim(30_000)
    (claim,) = scene.reported(wallet)
    again = losses.name_losses([(claim, TopUp.objects.get())], actor=scene.analyst, reason="again")
    assert again == []
    other = scene.victim(10_000)
    (second,) = reporting.report([other.pk], actor=SYSTEM, reason="test")
    unposted = charging.top_up(
        other.pk,
        source="points",
        amount_minor=1,
        top_up_ref="later",
        actor=SYSTEM,
        authorised_only=True,
    )
    for movement in (TopUp.objects.filter(wallet=wallet).get(), unposted):
        with pytest.raises(GuardNotMet, match="another wallet or was never posted"):
            losses.name_losses([(second, movement)], actor=scene.analyst, reason="test")


def test_a_bonus_and_a_card_of_an_unknown_issuer_are_no_loss(scene: Scene) -> None:
    wallet = scene.victim(30_000)
    (claim,) = scene.reported(wallet)
    charged = TopUp.objects.get()
    bonus = charging.top_up(
        wallet.pk, source="bonus", amount_minor=1, top_up_ref="bonus", actor=SYSTEM
    )
    Issuer.objects.update(code="ELSE")
    for movement, why in ((bonus, "it came from bonus"), (charged, "HOSHI is not configured")):
        with pytest.raises(GuardNotMet, match=why):
            losses.name_losses([(claim, movement)], actor=scene.analyst, reason="test")


def test_a_movement_stays_the_loss_of_an_ended_claim(scene: Scene) -> None:
    wallet = scene.victim(30_000)
    scene.reported(wallet)
    past_the_guards("UPDATE refunds_fraudclaim SET state = 'closed'")
    (second,) = reporting.report([wallet.pk], actor=SYSTEM, reason="test")
    reporting.take_up([second], actor=scene.analyst, reason="test")
    with pytest.raises(GuardNotMet, match="one of another claim"):
        losses.name_losses([(second, TopUp.objects.get())], actor=scene.analyst, reason="test")


def test_a_rejection_keeps_its_reason_and_can_be_appealed_until_its_deadline(
    scene: Scene, customer: Any
) -> None:
    """Rule 24."""
    wallet = scene.victim(30_000)
    scene.at(2019, 7, 5, 9)
    reported = scene.reported(wallet)
    with pytest.raises(GuardNotMet, match="its reason code"):
        deciding.propose(reported, verdict="reject", actor=scene.analyst, reason="test")
    decision = deciding.propose(
        reported,
        verdict="reject",
        rejection="own_transaction",
        note="charged at your own shop",
        actor=scene.analyst,
        reason="test",
    )
    deciding.decide(decision, actor=scene.supervisor, digest=decision.digest, reason="test")
    claim = FraudClaim.objects.get()
    assert (claim.state, claim.rejection) == ("rejected", "own_transaction")
    assert claim.evidence
    assert claim.appeal_until == jst(2019, 7, 5, 9) + deciding.APPEAL_FOR
    assert balance("fraud_loss") == 0
    with pytest.raises(NotPermitted):
        appeals.appeal(claim, actor=customer(), reason="not mine")
    appeals.appeal(claim, actor=wallet.account, reason="I did not do it")
    with pytest.raises(SamePerson):
        reporting.take_up([claim], actor=scene.analyst, reason="again me")
    another = factories.make_staff("fraud_analyst")
    assert reporting.take_up([claim], actor=another, reason="fresh eyes") == 1
    assert FraudClaim.objects.get().analyst == another


def test_an_appeal_after_the_deadline_is_refused(scene: Scene) -> None:
    """Rule 24, both sides of the deadline."""
    wallet = scene.victim(30_000)
    decision = deciding.propose(
        scene.reported(wallet),
        verdict="reject",
        rejection="no_loss",
        actor=scene.analyst,
        reason="test",
    )
    deciding.decide(decision, actor=scene.supervisor, digest=decision.digest, reason="test")
    claim = FraudClaim.objects.get()
    assert claim.appeal_until is not None
    clock.travel(claim.appeal_until, frozen=True)
    with pytest.raises(GuardNotMet):
        appeals.appeal(claim, actor=wallet.account, reason="late")
    clock.travel(claim.appeal_until - claim.appeal_until.resolution, frozen=True)
    assert appeals.close_after_appeal_time() == 0
    clock.travel(claim.appeal_until, frozen=True)
    assert appeals.close_after_appeal_time() == 1
    assert appeals.close_after_appeal_time() == 0
    assert AuditEntry.objects.filter(action="claims.let_rest").count() == 1


def test_the_unspent_part_of_a_fraudulent_charge_is_clawed_back(scene: Scene) -> None:
    """Rule 22: the clean value in the wallet stays."""
    wallet = scene.victim(30_000, 30_000, spent=45_000, own=700)
    scene.at(2019, 7, 5, 9)
    claimed = scene.confirmed(wallet)
    wallet = Wallet.objects.get()
    assert (wallet.paid_minor, wallet.held_minor) == (700, 0)
    assert balance("fraud_loss") == -45_000
    assert balance("fraud_suspense") == 60_000
    assert holding.claw_back(claimed) == 0
    assert AuditEntry.objects.filter(action="claims.claw_back").count() == 1
    for secured in (1, 0):
        assert holding.secure(at=clock.now(), actor=scene.analyst, reason="test") == secured
    assert AuditEntry.objects.get(action="claims.secure").facts["n"] == 1
    assert breaches() == {}


def test_clean_value_is_never_clawed_back(scene: Scene) -> None:
    """Rule 22: the thief spent more than was charged, and so the holder's own value too."""
    wallet = scene.victim(30_000, spent=30_500, own=700)
    scene.confirmed(wallet)
    assert Wallet.objects.get().paid_minor == 200
    assert not Hold.objects.exists()


def test_suspicious_value_can_be_held_while_the_rest_is_spent(scene: Scene) -> None:
    """Rule 5, in part."""
    wallet = scene.victim(30_000, own=1_000)
    reported = scene.reported(wallet)
    assert holding.hold_candidates(reported, actor=scene.analyst, reason="suspect") == 1
    assert holding.hold_candidates(reported, actor=scene.analyst, reason="suspect") == 0
    assert AuditEntry.objects.get(action="claims.hold").facts["n"] == 1
    assert Wallet.objects.get().held_minor == 30_000
    scene.pay(wallet, 1_000)
    assert Wallet.objects.get().available_minor == 0


def test_a_held_wallet_pays_nothing_while_others_pay(scene: Scene) -> None:
    """Rule 5."""
    wallet, other = scene.victim(30_000), scene.victim(20_000)
    (claim,) = scene.reported(wallet)
    assert holding.plan_hold([claim], whole=True) == holding.HoldPlan(1, 1, 30_000)
    assert holding.hold_candidates([claim], actor=scene.analyst, reason="suspect", whole=True) == 1
    assert holding.plan_hold([claim], whole=True) == holding.HoldPlan(1, 0, 0)
    with pytest.raises(WalletNotUsable):
        scene.pay(wallet, 1)
    scene.pay(other, 1)
    past_the_guards(DISMISSED)
    for ended in (1, 0):
        assert holding.release([claim], actor=scene.supervisor, reason="cleared") == ended
    assert AuditEntry.objects.get(action="claims.release").facts["n"] == 1
    scene.pay(wallet, 1)
    with pytest.raises(NotPermitted):
        holding.release([claim], actor=scene.analyst, reason="not mine to release")


@pytest.mark.parametrize("whole", [False, True])
def test_a_person_who_held_a_wallet_cannot_release_it(scene: Scene, *, whole: bool) -> None:
    (claim,) = scene.reported(scene.victim(30_000))
    holding.hold_candidates([claim], actor=scene.supervisor, reason="suspect", whole=whole)
    same_person = factories.make_staff(
        "fraud_supervisor", staff_number=scene.supervisor.staff_number
    )
    before = (Wallet.objects.get().state, Wallet.objects.get().held_minor)
    past_the_guards(DISMISSED)
    for actor in (scene.supervisor, same_person):
        with pytest.raises(SamePerson, match=f"wallet:{claim.wallet_id}"):
            holding.release([claim], actor=actor, reason="cleared")
    assert (Wallet.objects.get().state, Wallet.objects.get().held_minor) == before
    assert released_by_the_holder() == []

    other = factories.make_staff("fraud_supervisor")
    assert holding.release([claim], actor=other, reason="cleared") == 1
    assert (Wallet.objects.get().state, Wallet.objects.get().held_minor) == ("active", 0)
    assert released_by_the_holder() == []


def test_a_release_by_the_person_who_held_is_found(scene: Scene) -> None:
    wallet = scene.victim(30_000, own=500)
    part = withholding.hold(wallet.pk, amount_minor=500, reason="claim:1", actor=scene.supervisor)
    withholding.release(part, actor=scene.supervisor, reason="psql")
    with transaction.atomic():
        for name in ("hold", "release"):
            transition_one(Wallet.objects.get(), name, actor=scene.supervisor, reason="psql")
    assert released_by_the_holder() == [
        f"hold {part.pk} was released by the person who held it",
        f"wallet {wallet.pk} was released by the person who held it",
    ]


def test_a_hold_becomes_the_clawback_of_the_confirmed_loss(scene: Scene) -> None:
    """Rule 22."""
    wallet = scene.victim(30_000, 20_000)
    (claim,) = scene.reported(wallet)
    holding.hold_candidates([claim], actor=scene.analyst, reason="suspect")
    own = Loss.objects.get(amount_minor=20_000)
    losses.drop_loss(own, actor=scene.analyst, reason="the holder made it")
    decision = deciding.propose([claim], verdict="confirm", actor=scene.analyst, reason="test")
    deciding.decide(decision, actor=scene.supervisor, digest=decision.digest, reason="test")
    wallet = Wallet.objects.get()
    assert (wallet.paid_minor, wallet.held_minor) == (20_000, 0)


def test_a_second_report_of_the_same_wallet_adds_no_claim(scene: Scene) -> None:
    wallet = scene.victim(30_000)
    assert len(reporting.report([wallet.pk], actor=wallet.account, reason="mine")) == 1
    assert reporting.report([wallet.pk], actor=wallet.account, reason="mine") == []
    with pytest.raises(NotPermitted):
        reporting.report([scene.victim(1_000).pk], actor=wallet.account, reason="not mine")


def test_a_reopened_claim_pays_only_what_is_new(scene: Scene) -> None:
    """Rule 27."""
    wallet = scene.victim(30_000, spent=30_000, funding="points")
    scene.at(2019, 7, 5, 9)
    (claim,) = scene.confirmed(wallet)
    own_funds.recredit(actor=scene.supervisor, reason="test")
    claim.refresh_from_db(fields=["confirmed_at"])
    claim = FraudClaim.objects.get()
    assert claim.state == FraudClaim.State.REMEDIED
    asked = ending.request_reopening(claim, actor=scene.supervisor, reason="more to it")
    with pytest.raises(SamePerson):
        ending.reopen(asked, actor=scene.supervisor, reason="me too")
    ending.reopen(asked, actor=factories.make_staff("compliance"), reason="agreed")
    reporting.take_up([claim], actor=scene.analyst, reason="again")
    charging.top_up(wallet.pk, source="points", amount_minor=5_000, top_up_ref="late", actor=SYSTEM)
    fresh = TopUp.objects.get(top_up_ref="late")
    losses.name_losses([(claim, fresh)], actor=scene.analyst, reason="overlooked")
    decision = deciding.propose([claim], verdict="confirm", actor=scene.analyst, reason="test")
    assert decision.amount_minor == 35_000
    deciding.decide(decision, actor=scene.supervisor, digest=decision.digest, reason="test")
    own_funds.recredit(actor=scene.supervisor, reason="test")
    assert kinds(wallet) == [("points_recredit", "remedied"), ("points_recredit", "remedied")]
    assert balance("fraud_suspense") == 0
    assert balance("funding_points") == 0
    assert FraudClaim.objects.get().state == FraudClaim.State.REMEDIED
    assert breaches() == {}


def test_a_claim_is_remedied_only_when_every_loss_is(scene: Scene) -> None:
    """I6, for every writer."""
    scene.confirmed(scene.victim(30_000, 20_000, funding="points"))
    first = Remedy.objects.order_by("pk").first()
    assert first is not None
    with transaction.atomic():
        slots.finish([first.pk], at=clock.now(), actor=scene.supervisor)
    assert FraudClaim.objects.get().state == FraudClaim.State.REMEDYING
    with (
        pytest.raises(DatabaseError, match="without its remedy"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE refunds_fraudclaim SET state = 'remedied'")


def test_every_act_on_claims_is_in_the_audit_journal(scene: Scene) -> None:
    scene.confirmed(scene.victim(30_000, spent=10_000))
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {
        "claims.report",
        "claims.take_up",
        "claims.name_losses",
        "claims.propose",
        "claims.claw_back",
        "claims.decide",
    } <= actions
