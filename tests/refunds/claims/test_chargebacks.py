"""Chargebacks and remedies know each other: no loss is made good by both, and two people decide."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import translation

from refunds.claims import holding
from refunds.models import Chargeback, IssuerAction, Remedy
from refunds.remedies import (
    chargeback_answers,
    chargebacks,
    follow_up,
    own_funds,
    requests,
    scheme_clocks,
    slots,
)
from tests import factories
from tests.refunds.claims.scene import Scene, balance, jst, kinds
from tests.refunds.claims.test_claims import breaches
from tests.refunds.claims.test_issuers import SOUND_ARN
from tests.unguarded import give_past_the_guards
from wallets.models import TopUp, Wallet
from winddown import clock
from winddown.authority import approvals
from winddown.errors import GuardNotMet, IdempotencyConflict, SamePerson
from winddown.evidence import audit
from winddown.machines.move import move_rows
from winddown.models import Approval
from winddown.programme import gates
from winddown.set_up.sections import SECTIONS

pytestmark = pytest.mark.django_db
OWN_LOSS = -30_000
"""What a confirmed loss of a card is in the ledger before any remedy."""


def charged(scene: Scene, *, funding: str = "credit", confirm: bool = True) -> Wallet:
    """A thief charged 30,000 by card under the ARN, and spent it."""
    wallet = scene.victim(30_000, funding=funding, spent=30_000)
    TopUp.objects.filter(wallet=wallet).update(rrn="918315000001", arn=SOUND_ARN)
    scene.at(2019, 7, 5)
    if confirm:
        scene.confirmed(wallet)
    return wallet


def register(scene: Scene, *, amount_minor: int = 30_000, **named: Any) -> Chargeback:
    given = {"chargeback_ref": "CB1", "arn": SOUND_ARN, "due_at": jst(2019, 8, 5)} | named
    return chargebacks.register(
        scene.issuer,
        scheme=given.pop("scheme", "visa"),
        scheme_reason="10.4",
        amount_minor=amount_minor,
        actor=scene.analyst,
        reason="test",
        **given,
    )


def ask(scene: Scene, case: Chargeback, verb: str, **given: Any) -> Approval:
    return chargeback_answers.ask(case, verb, actor=scene.analyst, reason="test", **given)


def decide(
    scene: Scene, request: Approval, *, approve: bool = True, actor: Any = None
) -> Chargeback:
    approvals.carry_out(
        request,
        shown=request.digest,
        actor=actor or scene.supervisor,
        reason="test",
        approve=approve,
    )
    return Chargeback.objects.get()


def outcome(scene: Scene, case: Chargeback, said: str) -> Chargeback:
    return chargeback_answers.record_outcome(case, said, actor=scene.analyst, reason="test")


def represented(scene: Scene, case: Chargeback) -> Chargeback:
    return decide(scene, ask(scene, case, "represent", note="3DS"))


def test_a_chargeback_takes_the_slot_of_its_loss_from_a_request_that_is_out(scene: Scene) -> None:
    wallet = charged(scene)
    file = scene.asked()
    case = register(scene)
    assert (case.state, case.remedy and case.remedy.state) == ("received", "asked")
    assert kinds(wallet) == [("stop_debit", "failed"), ("chargeback_accepted", "asked")]
    assert IssuerAction.objects.get().state == "closed"
    assert scene.answer(file, "accepted_debit_stopped").applied == 0
    assert balance("fraud_suspense") == 30_000
    assert breaches() == {}


def test_another_route_beside_a_chargeback_is_refused_with_the_reason(scene: Scene) -> None:
    charged(scene)
    case = register(scene)
    with pytest.raises(slots.RemedyTaken, match="a chargeback took the charge back"):
        own_funds.pay_instead([case.remedy], actor=scene.supervisor, reason="now")
    with pytest.raises(DatabaseError, match="took the charge back"), transaction.atomic():
        move_rows(
            Remedy,
            "fail",
            [case.remedy_id],
            actor=scene.analyst,
            failed_at=clock.now(),
            failure="declined",
        )
        Remedy.objects.create(
            loss_id=case.remedy.loss_id,
            kind="issuer_refund",
            amount_minor=30_000,
            proposed_at=clock.now(),
        )


def test_a_chargeback_before_the_claim_has_the_first_route_of_its_loss(scene: Scene) -> None:
    wallet = charged(scene, confirm=False)
    case = register(scene)
    with pytest.raises(GuardNotMet, match="no confirmed loss"):
        ask(scene, case, "accept")
    scene.confirmed(wallet)
    assert kinds(wallet) == [("chargeback_accepted", "asked")]
    assert not IssuerAction.objects.exists()
    decide(scene, ask(scene, case, "accept"))
    assert kinds(wallet) == [("chargeback_accepted", "remedied")]
    assert breaches() == {}


def test_two_people_accept_a_chargeback_and_the_loss_is_made_good(scene: Scene) -> None:
    wallet = charged(scene)
    case = register(scene)
    request = ask(scene, case, "accept")
    with pytest.raises(DatabaseError, match="two people have not agreed"), transaction.atomic():
        Chargeback.objects.filter(pk=case.pk).update(state="accepted")
    same = factories.make_staff(staff_number=scene.analyst.staff_number)
    give_past_the_guards(same, "fraud_supervisor")
    with pytest.raises(SamePerson):
        decide(scene, request, actor=same)
    assert decide(scene, request).state == "accepted"
    assert kinds(wallet)[-1] == ("chargeback_accepted", "remedied")
    assert (balance("fraud_suspense"), balance("funding_credit_card")) == (0, 0)
    assert balance("fraud_loss") == OWN_LOSS
    assert follow_up.follow_up()["chargebacks_closed"] == 1


def test_what_was_signed_cannot_change(scene: Scene) -> None:
    charged(scene)
    case = register(scene)
    ask(scene, case, "accept")
    for change in ({"amount_minor": 1}, {"arn": "12345678"}, {"top_up": None}):
        with pytest.raises(DatabaseError, match="cannot change"), transaction.atomic():
            Chargeback.objects.filter(pk=case.pk).update(**change)


def test_a_rejected_or_expired_proposal_waits_for_an_analyst_again(scene: Scene) -> None:
    charged(scene)
    case = register(scene)
    assert decide(scene, ask(scene, case, "accept"), approve=False).state == "received"
    request = ask(scene, case, "accept")
    scene.at(2019, 7, 6, 1)
    assert follow_up.follow_up()["taken_back"] == 1
    assert Chargeback.objects.get().state == "received"
    with pytest.raises(Exception, match="expired"), transaction.atomic():
        decide(scene, request)
    decide(scene, ask(scene, case, "accept"))


def test_a_chargeback_after_our_refund_is_represented_with_its_reference(scene: Scene) -> None:
    """Rule 21, and history F: 500 less than the refund, with the same ARN."""
    wallet = charged(scene, funding="debit")
    scene.answer(scene.asked(), "accepted_refunded", refund_arn=SOUND_ARN)
    case = register(scene, amount_minor=29_500)
    assert (case.state, case.refund_arn, case.difference_minor) == (
        "representing",
        SOUND_ARN,
        500,
    )
    assert register(scene, amount_minor=29_500).pk == case.pk
    with pytest.raises(IdempotencyConflict, match="amount_minor"):
        register(scene, amount_minor=30_000)
    with pytest.raises(GuardNotMet, match="not open"):
        ask(scene, case, "accept")
    request = ask(scene, case, "represent")
    assert request.summary["difference_minor"] == 500
    assert request.summary["refund_arn"] == SOUND_ARN
    case = outcome(scene, decide(scene, request), "win")
    assert kinds(wallet) == [("debit_reimbursement", "remedied")]
    assert case.beyond_minor == 0
    assert follow_up.follow_up()["chargebacks_closed"] == 1
    assert breaches() == {}


def test_a_chargeback_of_the_refunds_own_arn_is_matched(scene: Scene) -> None:
    charged(scene, funding="debit")
    own = "7498750218"
    scene.answer(scene.asked(), "accepted_refunded", refund_arn=own)
    case = register(scene, arn=own)
    assert (case.state, case.refund_arn) == ("representing", own)


def test_a_chargeback_of_a_remedied_charge_cannot_be_accepted(scene: Scene) -> None:
    """Rule 21, for every writer."""
    charged(scene, funding="debit")
    scene.answer(scene.asked(), "accepted_refunded", refund_arn=SOUND_ARN)
    case = register(scene)
    with transaction.atomic():
        move_rows(Chargeback, "send_back", [case.pk], actor=scene.supervisor, reason="test")
        audit.append("test.back", case.subject, actor=scene.supervisor)
    with pytest.raises(DatabaseError), transaction.atomic():
        Chargeback.objects.filter(pk=case.pk).update(state="accepting")
    remedy = Remedy.objects.get()
    with pytest.raises(DatabaseError), transaction.atomic():
        Chargeback.objects.filter(pk=case.pk).update(
            state="accepting", remedy=remedy, credited_by=None
        )
        Chargeback.objects.filter(pk=case.pk).update(state="accepted")


@pytest.mark.parametrize("end", ["lose", "lapse"])
def test_a_lost_chargeback_beside_a_credit_is_the_operators_loss_until_two_settle_it(
    scene: Scene, end: str
) -> None:
    charged(scene, funding="debit")
    scene.answer(scene.asked(), "accepted_refunded", refund_arn=SOUND_ARN)
    case = register(scene, amount_minor=29_500)
    if end == "lose":
        outcome(scene, represented(scene, case), "lose")
    else:
        scene.at(2019, 8, 5)
        assert follow_up.follow_up()["lapsed"] == 1
        assert follow_up.follow_up()["lapsed"] == 0
    case = Chargeback.objects.get()
    assert case.beyond_minor == 29_500
    assert balance("fraud_loss") == OWN_LOSS - 29_500
    assert balance("funding_debit_card") == 29_500
    assert follow_up.follow_up()["chargebacks_closed"] == 0
    with pytest.raises(DatabaseError, match="two people have not agreed"), transaction.atomic():
        Chargeback.objects.filter(pk=case.pk).update(state="closed")
    with pytest.raises(GuardNotMet, match="in whose hands"):
        ask(scene, case, "settle")
    assert decide(scene, ask(scene, case, "settle", note="cardholder has both")).state == "closed"
    assert breaches() == {}


def test_a_chargeback_that_nobody_answers_counts_as_accepted(scene: Scene) -> None:
    wallet = charged(scene)
    case = register(scene)
    request = ask(scene, case, "represent", note="3DS")
    scene.at(2019, 8, 4, 23, 59)
    assert follow_up.follow_up()["lapsed"] == 0
    scene.at(2019, 8, 5)
    with pytest.raises(GuardNotMet, match="time for an answer is over"):
        ask(scene, case, "represent", note="late")
    assert follow_up.follow_up()["lapsed"] == 1
    assert kinds(wallet)[-1] == ("chargeback_accepted", "remedied")
    assert (balance("fraud_suspense"), balance("fraud_loss")) == (0, OWN_LOSS)
    with pytest.raises(Exception, match="expired"), transaction.atomic():
        decide(scene, request)
    assert breaches() == {}


def test_less_than_the_loss_makes_nothing_good_before_two_people_say_so(scene: Scene) -> None:
    wallet = charged(scene)
    case = register(scene, amount_minor=29_500, foreign_amount="271.40 USD")
    with pytest.raises(GuardNotMet, match="less than the loss"):
        ask(scene, case, "accept")
    scene.at(2019, 8, 5)
    follow_up.follow_up()
    assert kinds(wallet)[-1] == ("chargeback_accepted", "asked")
    assert [each.pk for each in chargebacks.open_cases()] == [case.pk]
    decide(scene, ask(scene, case, "settle", note="the issuer credited 30,000"))
    assert kinds(wallet)[-1] == ("chargeback_accepted", "remedied")
    assert balance("fraud_suspense") == 0
    assert breaches() == {}


def test_a_chargeback_that_was_won_frees_the_loss_for_its_next_route(scene: Scene) -> None:
    wallet = charged(scene)
    case = represented(scene, register(scene))
    case = outcome(scene, case, "contest")
    assert case.due_at == jst(2019, 8, 5)
    case = decide(scene, ask(scene, case, "arbitrate"))
    outcome(scene, case, "win")
    assert kinds(wallet)[-2:] == [
        ("chargeback_accepted", "failed"),
        ("compensation_payout", "asked"),
    ]
    assert follow_up.follow_up()["chargebacks_closed"] == 1
    assert breaches() == {}


def test_a_lapsed_chargeback_without_a_claim_makes_good_the_loss_that_is_confirmed_later(
    scene: Scene,
) -> None:
    wallet = charged(scene, confirm=False)
    register(scene)
    scene.at(2019, 8, 5)
    follow_up.follow_up()
    assert balance("fraud_loss") == -30_000
    scene.confirmed(wallet)
    assert kinds(wallet) == [("chargeback_accepted", "remedied")]
    assert Chargeback.objects.get().beyond_minor == 0
    assert (balance("fraud_loss"), balance("fraud_suspense")) == (OWN_LOSS, 0)
    assert breaches() == {}


def test_a_charge_is_matched_by_hand_with_a_second_person(scene: Scene) -> None:
    wallet = charged(scene)
    case = register(scene, arn="12345678", rrn="999999999999")
    assert case.top_up is None
    scene.at(2019, 8, 5)
    follow_up.follow_up()
    assert Chargeback.objects.get().beyond_minor == 0
    charge = TopUp.objects.get()
    with pytest.raises(DatabaseError, match="two people have not agreed"), transaction.atomic():
        Chargeback.objects.filter(pk=case.pk).update(top_up=charge)
    decide(scene, ask(scene, case, "match", top_up=charge))
    assert kinds(wallet)[-1] == ("chargeback_accepted", "remedied")
    assert breaches() == {}


def test_an_rrn_matches_only_with_the_amount(scene: Scene) -> None:
    """Rule 21."""
    charged(scene)
    assert register(scene, arn="", rrn="918315000001", amount_minor=29_999).top_up is None
    matched = register(scene, arn="", rrn="918315000001", chargeback_ref="CB2")
    assert matched.top_up == TopUp.objects.get()


def test_a_second_chargeback_of_one_charge_is_answered_with_the_first(scene: Scene) -> None:
    charged(scene)
    first = register(scene)
    second = register(scene, chargeback_ref="CB2")
    assert (second.credited_by, second.state) == (first.remedy, "representing")
    assert breaches() == {}


def test_an_issuers_word_that_it_charged_back_is_the_chargeback_that_comes_later(
    scene: Scene,
) -> None:
    wallet = charged(scene)
    scene.answer(scene.asked(), "already_charged_back")
    case = register(scene)
    assert case.remedy == Remedy.objects.get(state="remedied")
    with pytest.raises(GuardNotMet, match="made the loss good already"):
        ask(scene, case, "represent", note="no")
    assert decide(scene, ask(scene, case, "accept")).state == "accepted"
    assert kinds(wallet)[-1] == ("chargeback_accepted", "remedied")
    assert balance("fraud_suspense") == 0
    assert breaches() == {}


def test_a_chargeback_takes_the_slot_that_a_contested_word_left(scene: Scene) -> None:
    wallet = charged(scene)
    file = scene.asked()
    scene.answer(file, "accepted_debit_stopped")
    scene.at(2019, 7, 6)
    scene.answer(file, "too_late_cannot")
    assert kinds(wallet)[0] == ("stop_debit", "contested")
    assert register(scene).state == "received"
    assert kinds(wallet)[-1] == ("chargeback_accepted", "asked")


def test_the_clock_of_the_scheme_counts_where_the_notice_says_nothing(scene: Scene) -> None:
    charged(scene)
    assert register(scene, due_at=None, scheme="mastercard").due_at == jst(2019, 8, 20)
    with pytest.raises(GuardNotMet, match="no clock of this scheme"):
        register(scene, due_at=None, scheme="jcb", chargeback_ref="CB2")


def test_a_clock_of_the_set_up_file_takes_the_place_of_the_one_that_comes_along(
    scene: Scene,
) -> None:
    row = {
        "code": "visa_answer",
        "scheme": "visa",
        "stage": "answer",
        "days": 20,
        "source": "letter of the acquirer",
        "valid_from": dt.date(2019, 7, 6),
    }
    section = SECTIONS["scheme_clocks"]
    for _ in range(2):
        section.adopt([row], scene.supervisor, "test")
    assert section.present is not None
    assert list(section.present()) == [row]
    charged(scene)
    assert register(scene, due_at=None).due_at == jst(2019, 8, 5)
    scene.at(2019, 7, 6)
    assert register(scene, due_at=None, chargeback_ref="CB2").due_at == jst(2019, 7, 27)
    known = {
        (each.scheme, each.stage): each.source for each in scheme_clocks.in_force(row["valid_from"])
    }
    assert known["visa", "answer"] == "letter of the acquirer"
    assert known["mastercard", "collaboration"].startswith("ServiceNow")


def test_the_end_waits_for_the_chargebacks(scene: Scene) -> None:
    charged(scene)
    case = register(scene)
    assert "Chargebacks not ended: 1 of 1" in said_by_the_gate()
    decide(scene, ask(scene, case, "accept"))
    follow_up.follow_up()
    assert "Chargebacks not ended: 0 of 1" in said_by_the_gate()


def said_by_the_gate() -> list[str]:
    with translation.override("en"):
        return [str(count) for count in gates.measured("claims")]


def test_requests_of_a_list_that_a_chargeback_left_are_decided_anew(scene: Scene) -> None:
    charged(scene)
    listed = requests.submit(IssuerAction.objects.all(), actor=scene.analyst, reason="test")
    register(scene)
    with pytest.raises(Exception, match="changed"), transaction.atomic():
        requests.decide(listed, actor=scene.supervisor, digest=listed.digest, reason="test")


def test_the_days_of_a_scheme_end_at_midnight_of_the_last_one(scene: Scene) -> None:
    holding.secure(at=jst(2019, 7, 5), actor=scene.supervisor, reason="test")
    charged(scene)
    assert register(scene, due_at=None).due_at - jst(2019, 7, 5) == dt.timedelta(days=31)
