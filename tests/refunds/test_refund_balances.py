"""A refund from the sealed balance to the bank's evidence."""

from __future__ import annotations

import pytest

from refunds.applications import review
from refunds.models import Entitlement, Payout, PayoutBatch
from refunds.payouts import payout_batches
from tests.refunds.conftest import House, jst
from tests.refunds.payouts.test_payable import forget
from winddown import clock
from winddown.models import Programme

pytestmark = pytest.mark.django_db


def test_every_part_moves_the_money_to_its_bucket(house: House) -> None:
    """Rule 60: after each part the buckets add up."""
    owed = house.entitled(6, paid_minor=1000, bonus_minor=7)
    house.money_holds()
    good, bad, closed, always, _, web = owed
    house.apply(good)
    house.apply(bad, quality="no_such_account")
    house.apply(closed, quality="closed_once")
    house.apply(always, quality="always_bad")
    house.apply(web, channel="web")
    house.check_payees()
    house.money_holds()
    batch = house.paid_batch()
    assert (batch.items, batch.total_minor, batch.state) == (3, 3000, "submitted_for_approval")
    house.money_holds()
    batch = house.send(batch)
    house.money_holds()
    clock.travel(jst("2019-11-15T15:00"), frozen=True)
    (done,) = house.answers()
    assert (done.settled, done.returned, done.breaks) == (1, 2, 0)
    house.money_holds()
    assert PayoutBatch.objects.get(pk=batch.pk).state == "reconciled"
    states = {row.pk: row.state for row in Entitlement.objects.all()}
    assert [states[row.pk] for row in owed] == [
        "paid", "approved", "returned", "returned", "computed", "applied",
    ]  # fmt: skip
    for row in (bad, closed):
        holder = row.wallet.account
        review.correct_payee(holder, house.account(), actor=holder)
    house.check_payees()
    clock.travel(jst("2019-11-18T15:00"), frozen=True)
    second = house.send(house.paid_batch("2019-11-22"))
    assert (second.items, second.sequence) == (2, 2)
    clock.travel(jst("2019-11-22T15:00"), frozen=True)
    (done,) = house.answers()
    assert done.settled == 2
    house.money_holds()
    assert Payout.objects.get(entitlement=closed, live=True).attempt == 2
    clock.travel(jst("2020-01-11T00:00"), frozen=True)
    assert house.run("exclude").state == "succeeded"
    house.money_holds()
    states = {row.pk: row.state for row in Entitlement.objects.all()}
    assert [states[row.pk] for row in owed] == [
        "paid", "paid", "paid", "returned", "excluded", "applied",
    ]  # fmt: skip
    assert Programme.current().state == "settling"
    assert payout_batches.execute_due() == []


def test_what_a_forgotten_file_pays_stays_owed_at_the_end_of_the_window(house: House) -> None:
    sent, unclaimed = house.entitled(2)
    forget(sent)
    clock.travel(jst("2020-01-11T00:00"), frozen=True)
    plan = house.run("exclude").plans.get().content
    assert (plan["counts"], plan["estimates"]) == (
        {"excluded": 1},
        {"in_process_returned_or_held": 1},
    )
    states = [Entitlement.objects.get(pk=row.pk).state for row in (sent, unclaimed)]
    assert states == ["computed", "excluded"]
    house.money_holds()
