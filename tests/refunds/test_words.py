"""What a customer reads about the refund says no more than what happened."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from refunds.applications import submitting
from refunds.panels import customers
from refunds.payouts import payout_batches
from tests.refunds.conftest import House, jst, person
from winddown import clock
from winddown.programme import capabilities

pytestmark = pytest.mark.django_db


def refund(house: House, owed: Any) -> dict[str, Any]:
    panel = customers.entitlement(owed.wallet.account)
    assert panel is not None
    (shown,) = panel.shown["refunds"]
    return dict(shown)


def sent(shown: dict[str, Any]) -> bool:
    """Whether the page says that the bank has the transfer."""
    with translation.override("en"):
        status = shown["status"]
        stage = next(s for s in status.stages if str(s.title) == "Sent to the bank")
        assert (stage.at is not None) == stage.present
        assert str(status.now).startswith(
            "We have sent the transfer" if stage.present else "We are preparing the transfer"
        )
    return bool(stage.present)


def test_sent_to_the_bank_is_said_from_the_transmission_on(house: House) -> None:
    (owed,) = house.entitled(1)
    house.apply(owed)
    house.check_payees()
    batch = house.paid_batch()
    assert not sent(refund(house, owed))
    house.approve(batch)
    payout_batches.export_batch(
        batch, directory=house.bank.inbox, actor=house.treasury, reason="test"
    )
    assert not sent(refund(house, owed)), "a file that was written is not with the bank"
    payout_batches.mark_transmitted(batch, actor=house.sender, reason="test")
    assert sent(refund(house, owed))


def test_a_draft_that_the_end_of_the_window_ended_has_words(house: House) -> None:
    (owed,) = house.entitled(1)
    holder = owed.wallet.account
    submitting.save_draft(holder, channel="web", step=2, answers={}, actor=holder)
    assert not refund(house, owed)["draft_ended"]
    # The hourly duty also works while applications are stopped.
    capabilities.stop("refund_apply", actor=person("winddown.stop_capability"), reason="test")
    assert submitting.expire_drafts() == 0
    clock.travel(jst("2020-01-14T00:00"), frozen=True)
    assert submitting.expire_drafts() == 1
    with translation.override("en"):
        assert "ended before you sent" in str(refund(house, owed)["draft_ended"])
