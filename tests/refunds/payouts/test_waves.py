"""Payout waves: planned by two, seen by each person, and respected by the plan and the forecast."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from refunds.applications import payees
from refunds.models import Entitlement, Payout, PayoutBatch, PayoutWave
from refunds.payouts import waves
from refunds.payouts.forecast import Route, project
from tests.config.test_every_door import browser_of
from tests.refunds.conftest import House, jst
from tests.refunds.payouts.test_payout_doors import IN_ENGLISH, decided, run, sent
from tests.refused_sql import refusal
from winddown import clock
from winddown.errors import GuardNotMet, WinddownError
from winddown.models import Approval, AuditEntry
from winddown.sqlstates import SqlState, sqlstate_of

pytestmark = pytest.mark.django_db


def plan(house: House, record: int, cut_off: int, pay: int, *, close: int = 0) -> PayoutWave:
    """A wave of these days of November 2019 was planned by two people."""
    house.agreed(
        waves.ask(
            record_on=dt.date(2019, 11, record),
            cut_off_on=dt.date(2019, 11, cut_off),
            pay_on=dt.date(2019, 11, pay),
            payees_close_days=close,
            actor=house.treasury,
            reason="test",
        )
    )
    return PayoutWave.objects.latest("pk")


def on(day: int, hour: int = 10) -> None:
    clock.travel(jst(f"2019-11-{day:02d}T{hour:02d}:00"), frozen=True)


def test_each_is_paid_by_the_first_wave_for_which_he_is_in_time(house: House) -> None:
    """Who applies after the record date, or lacks something at the cut-off, is in the next wave."""
    in_time, lacks, late, idle = house.entitled(4)
    first, second = plan(house, 6, 8, 15), plan(house, 20, 20, 29)
    house.apply(in_time)
    house.check_payees()
    house.apply(lacks)
    on(7)
    assert waves.for_entitlement(in_time) == waves.Standing(wave=first, missing=())
    missing = waves.for_entitlement(lacks)
    assert (missing.wave, missing.missing) == (first, ("payee_not_checked",))
    assert waves.for_entitlement(idle).missing == ("application_not_approved", "no_payee")
    assert waves.for_entitlement(idle).wave == second
    house.apply(late)
    on(9)
    assert waves.for_entitlement(lacks).wave == second
    house.check_payees()
    on(12)
    assert waves.for_entitlement(late) == waves.Standing(wave=second, missing=())
    with pytest.raises(GuardNotMet, match="no payout wave pays on that day"):
        house.run("pay", value_date="2019-11-18")
    batch = house.paid_batch("2019-11-15")
    assert list(Payout.objects.values_list("entitlement", flat=True)) == [in_time.pk]
    assert waves.for_entitlement(in_time) == waves.Standing(first, (), under_way=True)
    # A file that was voided is made anew for the same wave.
    house.void(batch)
    assert house.paid_batch("2019-11-15").items == 1
    on(21)
    house.paid_batch("2019-11-29")
    assert set(Payout.objects.filter(batch=PayoutBatch.objects.latest("pk")).values_list(
        "entitlement", flat=True)) == {lacks.pk, late.pk}  # fmt: skip
    house.money_holds()


def test_a_wave_is_planned_and_withdrawn_by_two_from_the_console(house: House) -> None:
    given = {
        "record_on": "2019-11-06",
        "cut_off_on": "2019-11-08",
        "pay_on": "2019-11-15",
        "payees_close_days": "2",
    }
    sent(house.treasury, "payout-waves/plan", **given)
    assert Approval.objects.filter(stage="plan_wave").count() == 1
    approver = browser_of(house.approver2, headers=IN_ENGLISH)
    page = approver.get("/console/payout-waves/").content.decode()
    assert "Record date 2019-11-06 · Cut-off 2019-11-08 · Day of payment 2019-11-15" in page
    asked = Approval.objects.latest("pk")
    seen = approver.get(f"/console/approvals/{asked.pk}/approve/").content.decode()
    assert "Record date 2019-11-06, cut-off 2019-11-08, payment 2019-11-15" in seen
    decided(house)
    wave = PayoutWave.objects.get()
    assert "Planned" in approver.get("/console/payout-waves/").content.decode()
    sent(house.treasury, "payout-waves/withdraw", number=wave.pk)
    decided(house)
    wave.refresh_from_db()
    assert wave.withdrawal is not None
    japanese = browser_of(house.approver2, headers={"accept-language": "ja"})
    assert "取下げ" in japanese.get("/console/payout-waves/").content.decode()
    for verb in ("plan", "withdraw"):
        answer = browser_of(house.support, headers=IN_ENGLISH).post(
            f"/console/payout-waves/{verb}/", {"reason": "test", "number": wave.pk, **given}
        )
        assert answer.status_code == 403
    words = [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]
    assert "A second person decides" in run(house.treasury, "plan_payout_wave", *words)
    decided(house)
    again = PayoutWave.objects.latest("pk")
    run(house.treasury, "withdraw_payout_wave", f"--number={again.pk}")
    assert AuditEntry.objects.filter(action="payout_wave.ask_withdraw_wave").count() == 2


@pytest.mark.parametrize(
    ("days", "why"),
    [
        ((8, 6, 15), "the record date comes first"),
        ((6, 15, 15), "the record date comes first"),
        ((1, 4, 15), "its cut-off has passed"),
        ((6, 8, 16), "2019-11-18"),
        ((6, 7, 22), "another wave pays on that day"),
    ],
)
def test_days_that_no_wave_can_have_are_refused(house: House, days: Any, why: str) -> None:
    """Rule 49 for the day of payment."""
    plan(house, 6, 8, 22)
    with pytest.raises(WinddownError, match=why):
        plan(house, *days)
    assert PayoutWave.objects.count() == 1


def test_one_person_plans_no_wave_past_the_verbs(house: House) -> None:
    wave = plan(house, 6, 8, 22)
    asked = waves.ask_withdrawal(wave, actor=house.treasury, reason="test")
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        PayoutWave.objects.filter(pk=wave.pk).update(withdrawal=asked)
    assert sqlstate_of(refused.value) == SqlState.NOT_APPROVED
    assert (
        refusal(
            "INSERT INTO refunds_payoutwave (record_on, cut_off_on, pay_on, payees_close_days,"
            f" approval_id) VALUES ('2019-11-06', '2019-11-08', '2019-11-29', 0, {asked.pk})"
        )
        == SqlState.NOT_APPROVED
    )


def test_accounts_that_a_wave_is_about_to_pay_cannot_be_changed(house: House) -> None:
    """The bank's refusal still lets the holder give another account."""
    paid, refused, idle = house.entitled(3)
    plan(house, 6, 8, 15, close=3)
    house.apply(paid)
    house.apply(refused, quality="no_such_account")
    house.check_payees()
    on(11)
    payees.enter(paid.wallet.account, house.account(), actor=paid.wallet.account)
    on(12)
    with pytest.raises(payees.PayeeRefused, match="before the payment of 2019-11-15"):
        payees.enter(paid.wallet.account, house.account(), actor=paid.wallet.account)
    for row in (refused, idle):
        payees.enter(row.wallet.account, house.account(), actor=row.wallet.account)
    on(18)
    payees.enter(paid.wallet.account, house.account(), actor=paid.wallet.account)
    assert Entitlement.objects.filter(state="approved").count() == 2


def test_the_forecast_ends_on_a_day_of_payment() -> None:
    """After the last wave that is planned it ends on any day."""
    routes = {"app": Route(waiting=30, applied=[0] * 5, paid=[10] * 5)}
    today = dt.date(2019, 11, 5)

    def ends(*days: int) -> dt.date | None:
        pays_on = [dt.date(2019, 11, day) for day in days]
        return project(
            routes, today=today, window_ends=None, not_applied=0, pays_on=pays_on
        ).whole.last

    assert (ends(), ends(6, 15), ends(6)) == (
        dt.date(2019, 11, 8),
        dt.date(2019, 11, 15),
        dt.date(2019, 11, 8),
    )
