"""Submissions, workers, imports and approvals at the same time."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from refunds.applications import payees, submitting
from refunds.models import BankFile, Payee, Payout, PayoutBatch, RefundApplication
from refunds.payouts import payout_batches, results
from tests import factories
from tests.refunds.conftest import House, jst, person
from wallets.models import Journal
from winddown import clock
from winddown.errors import IdempotencyConflict, WinddownError
from winddown.runs import working


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
