"""The caps of a transfer, a file and a value date, and the grace in which a release is stopped."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from refunds.models import Payout, PayoutBatch
from refunds.payouts import payout_batches, refund_limits
from tests.config.test_every_door import browser_of
from tests.refunds.conftest import House, person
from tests.refunds.payouts.test_one_inclusion import waiting  # noqa: F401
from tests.refunds.payouts.test_payout_doors import IN_ENGLISH, offered, run, sent
from winddown import clock
from winddown.errors import GuardNotMet, TransitionRefused
from winddown.machines.move import transition_one
from winddown.models import AuditEntry
from winddown.sqlstates import SqlState, sqlstate_of

pytestmark = pytest.mark.django_db


def adopt(**limits: Any) -> None:
    refund_limits.adopt(
        actor=person("refunds.adopt_terms"), reason="test", source="the board", **limits
    )


def refused_past_python(house: House, batch: PayoutBatch) -> str:
    """Returns the state of SQL with which the database alone refuses that the file leaves."""
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        transition_one(batch, "export", actor=house.treasury, exported_at=clock.now())
    return sqlstate_of(refused.value)


@pytest.mark.parametrize(
    ("caps", "said"),
    [
        ({"line_max_minor": 999}, "a transfer of the file would come to 1000"),
        ({"line_max_minor": 999, "batch_max_minor": 1_999}, "a transfer of the file"),
        ({"line_max_minor": 1_000, "batch_max_minor": 1_999}, "the file would come to 2000"),
        (
            {"line_max_minor": 1_000, "batch_max_minor": 1_999, "day_max_minor": 1_999},
            "the file would come to 2000",
        ),
    ],
)
def test_a_file_above_a_cap_is_refused_at_approval_and_at_release(
    house: House,
    waiting: PayoutBatch,  # noqa: F811
    caps: dict[str, int],
    said: str,
) -> None:
    """I11b: a cap that is adopted later binds a file that has not left."""
    adopt(**caps)
    with pytest.raises(GuardNotMet, match=said):
        house.approve(waiting)
    assert PayoutBatch.objects.get().state == "submitted_for_approval"
    adopt(line_max_minor=1_000, batch_max_minor=2_000, day_max_minor=2_000)
    house.approve(waiting)
    adopt(**({"line_max_minor": 1_000, "batch_max_minor": 2_000, "day_max_minor": 2_000} | caps))
    page = browser_of(house.treasury, headers=IN_ENGLISH)
    given = {"number": waiting.pk, "reason": "test"}
    assert said in page.post("/console/payouts/export/", given, follow=True).content.decode()
    assert PayoutBatch.objects.get().state == "approved"


def test_the_database_counts_the_caps_again(house: House, waiting: PayoutBatch) -> None:  # noqa: F811
    """I11b: a writer that passes by the check is refused by the trigger."""
    house.approve(waiting)
    payout_batches.release(waiting, actor=house.treasury, reason="test")
    adopt(line_max_minor=1_000, batch_max_minor=1_000, day_max_minor=1_000)
    assert refused_past_python(house, waiting) == SqlState.CAP_EXCEEDED


def test_the_files_of_a_day_count_together(house: House) -> None:
    """I11b: the second file of the value date is refused, and goes out on another one."""
    rows = house.entitled(4)
    for row in rows[:2]:
        house.apply(row)
    house.check_payees()
    first = house.paid_batch()
    for row in rows[2:]:
        house.apply(row)
    house.check_payees()
    clock.travel(clock.now() + dt.timedelta(hours=25), frozen=True)
    adopt(line_max_minor=1_000, batch_max_minor=2_000, day_max_minor=3_999)
    house.approve(first)
    second = house.paid_batch()
    # Its plan says by how much the day is above its cap.
    assert second.run.plans.get().content["estimates"] == {"above_day_cap_minor": 1}
    with pytest.raises(GuardNotMet, match="all files of its value date would come to 4000"):
        house.approve(second)
    house.void(second)
    house.approve(house.paid_batch("2019-11-18"))
    house.money_holds()


def test_a_refund_above_the_cap_is_left_out_of_the_plan(house: House) -> None:
    """I11b: nothing is booked that could not leave; with another cap it is."""
    house.apply(house.entitled(1)[0])
    house.check_payees()
    adopt(line_max_minor=999)
    assert house.run("pay", value_date="2019-11-15").state == "succeeded"
    assert not Payout.objects.exists()
    adopt(line_max_minor=1_000)
    assert house.paid_batch().items == 1


@pytest.mark.parametrize("caps", [{"line_max_minor": 2_000, "batch_max_minor": 1_999},
                                  {"batch_max_minor": 10**12, "day_max_minor": 10**11}])  # fmt: skip
def test_a_cap_that_a_smaller_one_exceeds_is_not_adopted(house: House, caps: Any) -> None:
    """So no payout is too large for every file, and no file for every day."""
    with pytest.raises(GuardNotMet, match="the cap of a day is at least that of a file"):
        adopt(**caps)


def test_a_release_is_stopped_in_its_grace_and_leaves_after_it(
    house: House,
    waiting: PayoutBatch,  # noqa: F811
) -> None:
    """Nobody gets the bytes before the grace is over; one person stops the release."""
    adopt(release_grace_minutes=10)
    house.approve(waiting)
    browser = browser_of(house.treasury, headers=IN_ENGLISH)
    page = f"/console/payouts/{waiting.pk}/"
    given = {"number": waiting.pk, "reason": "to the bank"}
    assert offered(browser.get(page).content.decode()) == {"release", "void", "lines"}
    early = browser.post("/console/payouts/export/", given, follow=True).content.decode()
    assert "for 10 minutes it can be stopped" in early
    sent(house.treasury, "payouts/release", number=waiting.pk)
    seen = browser.get(page).content.decode()
    assert "Point of no return" in seen
    assert "It can still be stopped." in seen
    early = browser.post("/console/payouts/export/", given, follow=True).content.decode()
    assert "it can still be stopped" in early
    guard = person("refunds.stop_release")
    run(guard, "stop_payout_release", f"--number={waiting.pk}")
    assert PayoutBatch.objects.get().state == "approved"
    run(house.treasury, "release_payout_batch", f"--number={waiting.pk}")
    sent(guard, "payouts/stop", number=waiting.pk)
    sent(house.treasury, "payouts/release", number=waiting.pk)
    assert AuditEntry.objects.filter(action="payout_batch.release").count() == 3
    assert refused_past_python(house, waiting) == SqlState.NOT_YET_OPEN
    assert not Payout.objects.exclude(state="batched").exists()
    clock.travel(clock.now() + dt.timedelta(minutes=10), frozen=True)
    file = browser.post("/console/payouts/export/", given)
    assert file.content == b"".join(payout_batches.content(waiting))
    with pytest.raises(TransitionRefused):
        payout_batches.stop_release(waiting, actor=guard, reason="too late")
    assert PayoutBatch.objects.get().state == "exported"
