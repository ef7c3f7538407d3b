"""A compensation that the bank sends back is owed again, and is paid once."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction

from refunds.applications import compensations, standing
from refunds.applications.standing import What
from refunds.bankfiles.answers import ReturnReason
from refunds.bankfiles.zengin_result import AnswerKind
from refunds.claims import ending, holding, reporting
from refunds.models import (
    BankFile,
    Chargeback,
    FraudClaim,
    Payee,
    Payout,
    PayoutBatch,
    Remedy,
)
from refunds.payouts import voiding
from refunds.remedies import chargebacks, follow_up, own_funds, slots
from tests import factories
from tests.config.test_every_door import browser_of
from tests.refunds.claims.scene import Scene, jst
from tests.refunds.claims.test_issuers import SOUND_ARN
from tests.refunds.conftest import House, person
from tests.refunds.payouts.test_one_inclusion import answer, book, kinds, on, on_the_account
from wallets.models import TopUp, Wallet
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import GuardNotMet, NotPermitted
from winddown.evidence import audit
from winddown.machines.move import move_rows
from winddown.sqlstates import SqlState, sqlstate_of

pytestmark = [pytest.mark.django_db, pytest.mark.loads_files]
CLOSED = ReturnReason.ACCOUNT_CLOSED


@pytest.fixture
def victim(scene: Scene) -> Wallet:
    """A thief spent the 500 of the wallet: a compensation is owed, and no refund."""
    wallet = scene.victim(own=500, spent=500)
    scene.confirmed(wallet)
    holding.secure(at=jst(2019, 7, 5), actor=scene.supervisor, reason="test")
    return wallet


@pytest.fixture
def sent(victim: Wallet, house: House) -> PayoutBatch:
    """The compensation is with the bank, for the account that the victim gave."""
    return house.send(in_a_batch(victim, house))


def in_a_batch(victim: Wallet, house: House) -> PayoutBatch:
    house.close([victim.pk])
    house.seal()
    house.run("entitle")
    holder = victim.account
    compensations.give(holder, house.account(), actor=holder)
    house.check_payees()
    return house.paid_batch()


@pytest.fixture
def declined(scene: Scene) -> Wallet:
    """The issuer does not refund the 500 that the thief charged: a compensation is owed."""
    wallet = scene.victim(500, spent=500)
    TopUp.objects.filter(wallet=wallet).update(arn=SOUND_ARN)
    scene.confirmed(wallet)
    scene.answer(scene.asked(), "declined")
    holding.secure(at=jst(2019, 7, 5), actor=scene.supervisor, reason="test")
    return wallet


def charge_back(scene: Scene) -> Chargeback:
    return chargebacks.register(
        scene.issuer,
        chargeback_ref="CB1",
        scheme="visa",
        scheme_reason="10.4",
        amount_minor=500,
        arn=SOUND_ARN,
        actor=scene.analyst,
        reason="test",
    )


@pytest.fixture
def paid(sent: PayoutBatch, house: House) -> PayoutBatch:
    on(15)
    book(house, answer(sent, None))
    return sent


def states() -> tuple[str, str, list[str]]:
    payouts = Payout.objects.order_by("pk").values_list("state", flat=True)
    return FraudClaim.objects.get().state, Remedy.objects.get().state, list(payouts)


def check_payee(house: House) -> None:
    """The bank is asked about the account. It has answered about the transfers in its own words."""
    for path in house.bank.inbox.glob("*"):
        path.unlink()
    house.check_payees()


def come_back(house: House, batch: PayoutBatch, day: int = 18) -> None:
    on(day)
    book(house, answer(batch, CLOSED, day=day, kind=AnswerKind.RETURNED))


def test_a_compensation_that_came_back_is_owed_and_paid_to_another_account(
    paid: PayoutBatch, victim: Wallet, house: House
) -> None:
    assert states() == ("remedied", "remedied", ["settled"])
    closer = person("refunds.decide_claim")
    assert ending.close(FraudClaim.objects.all(), actor=closer, reason="test") == 1
    come_back(house, paid)
    assert (*states(), on_the_account("fraud_suspense")) == (
        "remedying",
        "asked",
        ["returned"],
        500,
    )
    house.money_holds()
    # The victim is asked for another account; until then nothing is planned.
    holder = victim.account
    assert standing.of(holder).what == What.COMPENSATION
    idle = house.run("pay", value_date="2019-11-22")
    content = idle.plans.get().content
    assert sum(content["counts"].values()) == 0
    assert content["estimates"] == {"compensations_without_account": 1}
    compensations.give(holder, house.account(), actor=holder)
    check_payee(house)
    on(20)
    second = house.send(house.paid_batch("2019-11-22"))
    again = house.run("pay", value_date="2019-11-22").plans.get().content
    assert again["counts"]["compensations"] == 0
    on(22)
    book(house, answer(second, None, day=22))
    assert states() == ("remedied", "remedied", ["returned", "settled"])
    assert on_the_account("bank") == 500
    house.money_holds()
    assert standing.of(holder).what == What.NOTHING


def test_a_return_that_was_none_stops_the_second_payment(
    paid: PayoutBatch, victim: Wallet, house: House
) -> None:
    come_back(house, paid)
    on(19)
    book(house, answer(paid, None, day=19))
    assert (*states(), kinds()) == ("remedied", "remedied", ["settled"], [])
    house.money_holds()
    assert not own_funds.waiting().exists()


def test_a_second_payment_that_is_not_sent_is_cancelled_by_two(
    paid: PayoutBatch, victim: Wallet, house: House
) -> None:
    come_back(house, paid)
    compensations.give(victim.account, house.account(), actor=victim.account)
    check_payee(house)
    on(20)
    second = house.paid_batch("2019-11-22")
    book(house, answer(paid, None, day=20))
    assert (*states(), kinds()) == (
        "remedying",
        "asked",
        ["returned", "batched"],
        ["paid_after_all"],
    )
    house.void(second)
    house.clear_all()
    assert states() == ("remedied", "remedied", ["settled", "cancelled"])
    house.money_holds()
    again = house.run("pay", value_date="2019-11-25")
    assert set(again.plans.get().content["counts"].values()) == {0}


def test_a_void_file_leaves_a_compensation_as_it_was(
    sent: PayoutBatch, victim: Wallet, house: House
) -> None:
    on(15)
    book(house, answer(sent, None))
    void(house)
    assert states() == ("remedying", "asked", ["executed"])
    house.money_holds()
    book(house, answer(sent, None, line_end=b""))
    come_back(house, sent)
    void(house)
    assert states() == ("remedied", "remedied", ["settled"])
    house.money_holds()
    assert standing.of(victim.account).what == What.NOTHING


def void(house: House) -> None:
    request = voiding.ask_void(
        BankFile.objects.latest("pk"), actor=house.treasury, reason="of another customer"
    )
    house.agree_as_second(request)


def test_the_database_keeps_a_paid_compensation_paid(paid: PayoutBatch) -> None:
    """The bank alone says that it came back."""
    remedy = Remedy.objects.get()
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        audit.append("test.try", "remedy", actor=SYSTEM)
        slots.owe_again([remedy.pk], actor=SYSTEM)
    assert sqlstate_of(refused.value) == SqlState.LOSS_WITHOUT_REMEDY


def test_the_database_makes_no_compensation_good_without_the_bank(sent: PayoutBatch) -> None:
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        audit.append("test.try", "remedy", actor=SYSTEM)
        move_rows(
            Remedy, "remedy", [Remedy.objects.get().pk], actor=SYSTEM, remedied_at=clock.now()
        )
    assert sqlstate_of(refused.value) == SqlState.LOSS_WITHOUT_REMEDY


def test_a_compensation_goes_on_beside_the_next_claim_of_the_wallet(
    paid: PayoutBatch, victim: Wallet, house: House
) -> None:
    reporting.report([victim.pk], actor=SYSTEM, reason="again")
    come_back(house, paid)
    states_now = FraudClaim.objects.order_by("pk").values_list("state", flat=True)
    assert list(states_now) == ["remedying", "reported"]
    house.money_holds()


def test_the_victim_gives_another_account_on_the_portal(
    paid: PayoutBatch, victim: Wallet, house: House
) -> None:
    come_back(house, paid)
    browser = browser_of(victim.account, headers={"accept-language": "en"})
    assert "Your compensation" in browser.get("/").content.decode()
    start = browser.get("/account/refund/").content.decode()
    assert "Your bank account for the compensation" in start
    assert "Give us another one." in start


def test_a_chargeback_that_a_compensation_answered_is_judged_anew_when_that_returns(
    scene: Scene, declined: Wallet, house: House
) -> None:
    """The victim is not paid a second time beside what the issuer took."""
    batch = house.send(in_a_batch(declined, house))
    case = charge_back(scene)
    assert (case.state, case.refund_arn) == ("representing", Payout.objects.get().reference)
    on(15)
    book(house, answer(batch, None))
    come_back(house, batch)
    assert not own_funds.waiting().exists()
    assert follow_up.follow_up()["judged_anew"] == 1
    assert follow_up.follow_up()["judged_anew"] == 0
    case.refresh_from_db()
    assert (case.state, case.refund_arn, case.remedy and case.remedy.state) == (
        "received",
        "",
        "asked",
    )
    assert on_the_account("fraud_suspense") == 500
    house.money_holds()
    clock.travel(case.due_at, frozen=True)
    assert follow_up.follow_up()["lapsed"] == 1
    assert FraudClaim.objects.get().state == "remedied"
    assert on_the_account("fraud_suspense") == 0
    house.money_holds()


def test_a_compensation_in_a_batch_does_not_leave_beside_a_chargeback(
    scene: Scene, declined: Wallet, house: House
) -> None:
    batch = in_a_batch(declined, house)
    case = charge_back(scene)
    with pytest.raises(GuardNotMet, match="pays what chargeback"):
        house.send(batch)
    house.void(batch)
    follow_up.follow_up()
    case.refresh_from_db()
    assert (case.state, case.credited_by) == ("received", None)
    assert list(Payout.objects.values_list("state", flat=True)) == ["cancelled"]
    assert on_the_account("fraud_suspense") == 500
    house.money_holds()


def test_only_support_and_the_victim_give_the_account(
    paid: PayoutBatch, victim: Wallet, house: House
) -> None:
    holder = victim.account
    with pytest.raises(GuardNotMet, match="no compensation of the customer waits"):
        compensations.give(holder, house.account(), actor=house.support)
    come_back(house, paid)
    with pytest.raises(NotPermitted):
        compensations.give(holder, house.account(), actor=house.treasury)
    with pytest.raises(NotPermitted):
        compensations.give(holder, house.account(), actor=factories.make_customer())
    compensations.give(holder, house.account(), actor=house.support, reason="letter")
    assert Payee.objects.filter(holder=holder, replaced_at=None).get().state == "entered"
