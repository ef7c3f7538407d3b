"""The gates of refunds count what is not paid, not settled and not set aside."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from winddown.models import Programme
from winddown.programme import gates, stages

pytestmark = pytest.mark.django_db


def said(name: str) -> list[str]:
    with translation.override("en"):
        return [str(count) for count in gates.measured(name)]


def test_the_gates_say_by_how_much_they_fail(house: Any) -> None:
    first, *_ = house.entitled(3, paid_minor=1_000)
    assert said("holders_paid") == [
        "Refunds not paid: 3 of 3",
        "Amount not paid: JPY 3,000 of JPY 3,000",
    ]
    assert said("claims") == ["Claims not settled: 0 of 0"]
    house.apply(first)
    house.check_payees()
    house.paid_batch()
    assert said("payouts") == [
        "Payouts under way: 1 of 1",
        "Payout files that are not closed: 1 of 1",
    ]

    # In Japan a sum this small needs no deposit; under the EU pack all of it is set aside.
    Programme.objects.update(safeguarded_minor=1_200)
    assert gates.failing(gates.measured("funds")) == []
    Programme.objects.update(jurisdiction="eu")
    assert said("funds") == [
        "Funds set aside, of what the law asks for and what is disputed: JPY 1,200 of JPY 3,000, JPY 1,800 missing"
    ]


def test_everything_that_is_needed_at_the_end_can_be_shown(programme: Any) -> None:
    with translation.override("en"):
        open_things = [str(each) for each in stages.open_things()]
    assert [each for each in open_things if "nothing here can show" in each] == []
    assert "No closing proof was taken" in open_things
