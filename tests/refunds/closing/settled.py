"""A wind-down at its end: refunds were paid, and who did not apply is excluded."""

from __future__ import annotations

from refunds.models import Entitlement
from refunds.payouts import bank_days, payout_batches, refund_limits, results
from tests import factories
from tests.refunds.conftest import House, jst
from winddown import clock
from winddown.models import Programme
from winddown.programme import gates


def settle(house: House, *, wallets: int = 3) -> list[Entitlement]:
    """So many wallets of JPY 1,000 are entitled. The first is paid, the others are excluded, and a
    further wallet was empty at the close.
    """
    house.bank.states_the_account = True
    house.close([factories.make_wallet(paid_minor=0).pk])
    owed = house.entitled(wallets)
    house.apply(owed[0])
    house.check_payees()
    batch = house.send(house.paid_batch())
    clock.travel(jst("2019-11-15T15:00"), frozen=True)
    house.answers()
    factories.bring_to(Programme.current(), "refunding")
    clock.travel(jst("2020-01-11T09:00"), frozen=True)
    done = house.run("exclude")
    assert (done.state, Programme.current().state) == ("succeeded", "settling")
    payout_batches.close_batch(batch, actor=house.treasury, reason="test")
    assert not gates.failing(gates.measured("holders_paid"))
    return owed


def state(house: House) -> None:
    """The bank has stated the account until now, and the last bank day is tied."""
    path = house.bank.statement(
        account=refund_limits.current().account_number, last_on=bank_days.ended()
    )
    results.import_file(path, actor=house.treasury, reason="test")
    bank_days.tie(actor=house.treasury, reason="test")
