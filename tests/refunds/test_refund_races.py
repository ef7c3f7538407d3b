"""Submissions, workers, imports and approvals at the same time."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from refunds.applications import choosing, payees, review, submitting
from refunds.bankfiles.answers import ReturnReason
from refunds.invariants import without_a_door
from refunds.models import (
    BankFile,
    OtherEnd,
    Payee,
    Payout,
    PayoutBatch,
    ReconciliationBreak,
    RefundApplication,
    Voucher,
)
from refunds.payouts import breaks, payout_batches, results, voiding
from refunds.payouts.methods import vouchers
from tests import factories
from tests.refunds.closing.test_other_ends import agree, ask, the_list
from tests.refunds.conftest import House, jst, person
from tests.refunds.payouts.test_methods import (
    answer,
    book,
    issued,
    listed,
    priced,
    state_of,
    without_account,
)
from tests.refunds.payouts.test_one_inclusion import answer as of_the_bank
from tests.refunds.payouts.test_one_inclusion import on
from wallets.models import Journal
from winddown import clock
from winddown.errors import IdempotencyConflict, WinddownError
from winddown.runs import working

__all__ = ["priced"]


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Returns what each call returned or raised; all calls began together on their own connections."""

    def alone(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except WinddownError as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(alone, calls))


def test_many_submissions_at_once_make_one_application(own_database: Any, house: House) -> None:
    """P1: the same `op_id` gives one result; the same with another body is a conflict."""
    for owed in house.entitled(4):
        holder, account, op_id = owed.wallet.account, house.account(), uuid.uuid4()
        other = house.account()

        def send(holder: Any = holder, op_id: Any = op_id, account: Any = account) -> Any:
            return submitting.submit(
                holder,
                channel="app",
                op_id=op_id,
                actor=holder,
                account=account,
                confirmed_minor=1000,
            )

        outcomes = at_once(*[send] * 5, lambda send=send, other=other: send(account=other))
        taken = {row.pk for row in outcomes if isinstance(row, RefundApplication)}
        conflicts = [row for row in outcomes if isinstance(row, IdempotencyConflict)]
        assert len(taken) == 1
        assert len(conflicts) in (1, 5)
        assert len(conflicts) + sum(isinstance(r, RefundApplication) for r in outcomes) == 6
    assert RefundApplication.objects.count() == Payee.objects.count() == 4
    house.money_holds()


def test_many_entries_of_an_account_at_once_make_one_current_payee(
    own_database: Any, house: House, customer: Any
) -> None:
    holder = customer()
    accounts = [house.account() for _ in range(5)]
    at_once(*[lambda a=account: payees.enter(holder, a, actor=holder) for account in accounts])
    assert Payee.objects.filter(holder=holder, replaced_at=None).count() == 1
    assert sorted(Payee.objects.values_list("version", flat=True)) == [1, 2, 3, 4, 5]


def test_two_workers_at_once_pay_everybody_once(own_database: Any, house: House) -> None:
    """Rule 53, I2."""
    for owed in house.entitled(12):
        house.apply(owed)
    house.check_payees()
    run = factories.started_run(
        "refund-balances",
        maker=house.treasury,
        checker=house.approver,
        params={"part": "pay", "value_date": "2019-11-15"},
    )
    at_once(*[lambda: working.work(run.pk)] * 3)
    done = factories.worked_off(run)
    assert done.state == "succeeded"
    batch = PayoutBatch.objects.get(run=run)
    assert (batch.items, Payout.objects.count(), batch.sequence) == (12, 12, 1)
    house.money_holds()


@pytest.mark.loads_files
def test_an_answer_imported_twice_at_once_is_booked_once(own_database: Any, house: House) -> None:
    """I13."""
    for owed in house.entitled(3):
        house.apply(owed)
    house.check_payees()
    house.send(house.paid_batch())
    clock.travel(jst("2019-11-15T15:00"), frozen=True)
    (taken,) = house.bank.work(today=payout_batches.today())
    (path,) = taken.answers
    outcomes = at_once(
        *[lambda: results.import_file(path, actor=house.treasury, reason="test")] * 4
    )
    assert sorted(done.known_before for done in outcomes) == [False, True, True, True]
    assert BankFile.objects.filter(kind="results").count() == 1
    assert Journal.objects.filter(source="bank_file").count() == 1
    house.money_holds()


def test_one_of_many_approvers_at_once_decides(own_database: Any, house: House) -> None:
    """Rule 54: the maker is among them and never decides."""
    for owed in house.entitled(1):
        house.apply(owed)
    house.check_payees()
    batch = house.paid_batch()
    people = [person("refunds.approve_payout_batch") for _ in range(4)]
    outcomes = at_once(
        *[
            lambda p=somebody: payout_batches.approve_batch(
                batch, actor=p, digest=batch.digest, reason="test"
            )
            for somebody in people
        ]
    )
    assert sum(isinstance(outcome, PayoutBatch) for outcome in outcomes) == 1
    assert PayoutBatch.objects.get().state == "approved"
    house.money_holds()


def refused(outcomes: list[Any]) -> list[Any]:
    return [each for each in outcomes if isinstance(each, WinddownError)]


@pytest.mark.loads_files
def test_a_voucher_ends_once_however_many_act_at_once(own_database: Any, priced: House) -> None:
    """Its code is shown once; cashed and expired at once, it is paid or owed, and never both."""
    one, other = priced.entitled(2)
    for owed in (one, other):
        without_account(owed)
    batch = issued(priced, "2019-11-15")
    first, second = Voucher.objects.order_by("pk")
    shown = at_once(
        *[lambda: vouchers.reveal(first, actor=first.payout.holder)] * 4,
    )
    assert len(refused(shown)) == 3
    paid, late = (row["reference"] for row in listed(batch)[:2])
    said = at_once(
        lambda: book(priced, answer((paid, "cashed"))),
        lambda: book(priced, answer((paid, "expired"))),
        lambda: book(priced, answer((late, "expired"))),
    )
    assert refused(said) == []
    first.refresh_from_db()
    assert (first.state, state_of(one)[0]) in (("cashed", "paid"), ("expired", "returned"))
    assert state_of(other) == ("returned", "expired")
    # The holder chooses a new code while two people void the answer that told of the expiry.
    file = BankFile.objects.get(pk=Payout.objects.get(pk=second.payout_id).result_file_id or 0)
    asked = voiding.ask_void(file, actor=priced.treasury, reason="of another customer")
    application = RefundApplication.objects.get(entitlement=other, live=True)
    acted = at_once(
        lambda: priced.agree_as_second(asked),
        lambda: choosing.choose(
            application,
            method="claim_code",
            fallback_consent=False,
            actor=other.wallet.account,
        ),
    )
    assert len(refused(acted)) == 1
    assert state_of(other)[0] in ("paying", "approved")
    priced.money_holds()


def test_a_release_is_stopped_or_its_file_leaves(own_database: Any, house: House) -> None:
    """At the point of no return one of both happens, whoever comes first."""
    for owed in house.entitled(1):
        house.apply(owed)
    house.check_payees()
    batch = house.approve(house.paid_batch())
    stopper = person("refunds.stop_release")
    for _ in range(4):
        payout_batches.release(batch, actor=house.treasury, reason="test")
        outcomes = at_once(
            lambda: payout_batches.stop_release(batch, actor=stopper, reason="wait"),
            lambda: payout_batches.hand_out(batch, actor=house.treasury, reason="test"),
        )
        state = PayoutBatch.objects.get().state
        left = not isinstance(outcomes[1], WinddownError)
        assert (state == "exported") == left
        assert set(Payout.objects.values_list("state", flat=True)) == {
            "exported" if left else "batched"
        }
        if left:
            break
    house.money_holds()


def test_a_refund_is_deposited_or_applied_for(own_database: Any, house: House) -> None:
    """Two lists and an application at once: the money goes one way."""
    (owed,) = house.entitled(1)
    officer, second = person("winddown.post_exclusion"), person("winddown.post_exclusion")
    asked = [ask(officer, the_list(owed), reference=f"R-{number}") for number in (1, 2)]
    outcomes = at_once(
        *[lambda request=request: agree(request, second) for request in asked],
        lambda: house.apply(owed),
    )
    assert len(refused(outcomes)) == 2
    owed.refresh_from_db()
    assert owed.state in ("deposited", "approved")
    assert OtherEnd.objects.count() == (owed.state == "deposited")
    assert without_a_door() == []
    house.money_holds()


@pytest.mark.loads_files
def test_a_second_payment_is_cancelled_or_sent_and_never_both(
    own_database: Any, house: House
) -> None:
    """Two people clear "paid after all" while a run takes the second payment into a batch."""
    (owed,) = house.entitled(1)
    house.apply(owed)
    house.check_payees()
    first = house.send(house.paid_batch())
    on(15)
    book(house, of_the_bank(first, ReturnReason.ACCOUNT_CLOSED))
    review.correct_payee(owed.wallet.account, house.account(), actor=owed.wallet.account)
    for path in house.bank.inbox.glob("*"):
        path.unlink()
    house.check_payees()
    on(18)
    house.void(house.paid_batch("2019-11-22"))
    book(house, of_the_bank(first, None, day=18))
    (found,) = ReconciliationBreak.objects.filter(state="open")
    request = breaks.ask_clear(found, explanation="it arrived", actor=house.treasury, reason="test")
    run = factories.started_run(
        "refund-balances",
        maker=house.treasury,
        checker=house.approver,
        params={"part": "pay", "value_date": "2019-11-25"},
    )
    at_once(
        lambda: house.agree_as_second(request),
        lambda: working.work(run.pk),
    )
    factories.worked_off(run)
    states = list(Payout.objects.order_by("pk").values_list("state", flat=True))
    assert states in (["settled", "cancelled"], ["returned", "batched"])
    house.money_holds()
