"""The incident page: its content and its number of queries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from tests import factories
from winddown import clock
from winddown.models import Capability, Programme, Run, Worker
from winddown.programme import capabilities, milestones
from winddown.runs import clockwork
from winddown.site import incident_page, money_table

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_figures")]


@pytest.fixture
def commander(staff: Callable[..., Any]) -> Any:
    return staff("incident_commander")


def look(person: Any) -> incident_page.Incident:
    with translation.override("en"):
        return incident_page.look(Programme.current(), actor=person)


# --- money --------------------------------------------------------------------------------------


def test_the_rows_of_the_money_table_add_up_on_the_screen(
    programme: Any, wallets: Callable[..., list[int]], commander: Any
) -> None:
    """Rule 60."""
    wallets(7, paid_minor=1_000, bonus_minor=30)

    money = look(commander).money

    assert money is not None
    rows = {row.code: row.amount_minor for row in money.came_in + money.went_out + money.left}
    assert rows["opening"] == 7 * 1_030
    assert rows["wallets_paid"] == 7_000
    assert rows["wallets_bonus"] == 210
    assert money.due_minor == money.left_minor == 7_210
    assert money.difference_minor == 0


def test_a_balance_that_differs_from_its_postings_is_shown_as_a_difference(
    programme: Any,
    wallets: Callable[..., list[int]],
    commander: Any,
    signed_in: Callable[..., Client],
) -> None:
    """Rule 60: a difference is red, raises an alarm, and links to the breaches."""
    ids = wallets(2, paid_minor=500)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE wallets_wallet SET paid_minor = 501 WHERE id = %s", [ids[0]])

    seen = look(commander)
    page = signed_in(commander).get("/console/").content.decode()

    assert seen.money is not None
    assert seen.money.difference_minor == -1
    assert any("does not add up" in alarm.sentence for alarm in seen.alarms)
    assert '<a class="bad" id="money-difference" href="/console/invariants/">−1</a>' in page


def test_a_poll_reads_no_movement(
    programme: Any,
    wallets: Callable[..., list[int]],
    commander: Any,
    signed_in: Callable[..., Client],
) -> None:
    wallets(3, paid_minor=100)
    browser = signed_in(commander)
    browser.get("/console/")

    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = browser.get("/console/", headers={"HX-Request": "true"})

    assert answer.status_code == 200
    assert "<html" not in answer.content.decode()
    assert not [each for each in queries if "wallets_" in each["sql"]]


def test_the_page_costs_the_same_queries_however_many_wallets_there_are(
    programme: Any,
    wallets: Callable[..., list[int]],
    commander: Any,
    signed_in: Callable[..., Client],
    django_assert_num_queries: Any,
) -> None:
    browser = signed_in(commander)
    wallets(10, paid_minor=100)
    browser.get("/console/")
    money_table.forget()
    with CaptureQueriesContext(connection) as few:
        browser.get("/console/")

    wallets(1_000, paid_minor=100)
    money_table.forget()

    with django_assert_num_queries(len(few)):
        browser.get("/console/")


def test_the_page_costs_the_same_queries_however_many_batches_a_run_has(
    programme: Any,
    wallets: Callable[..., list[int]],
    commander: Any,
    staff: Callable[..., Any],
    signed_in: Callable[..., Client],
    django_assert_num_queries: Any,
) -> None:
    wallets(5)
    run = factories.started_run(
        "freeze-charges", maker=commander, checker=staff("incident_commander")
    )
    browser = signed_in(commander)
    browser.get(f"/console/runs/{run.pk}/")
    with CaptureQueriesContext(connection) as few:
        browser.get(f"/console/runs/{run.pk}/")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO winddown_batch (run_id, step, first_id, last_id, rows_expected, state,"
            " token, attempts, worker, moved, failed, amount_minor)"
            " SELECT %s, 'freeze_wallets', 1000000 + n, 1000000 + n, 1, 'waiting', 0, 0, '', 0, 0, 0"
            " FROM generate_series(1, 500) n",
            [run.pk],
        )

    with django_assert_num_queries(len(few)):
        browser.get(f"/console/runs/{run.pk}/")


# --- switches -----------------------------------------------------------------------------------


def test_a_stopped_switch_shows_time_person_and_reason(
    programme: Any, commander: Any, signed_in: Callable[..., Client]
) -> None:
    capabilities.stop("spend", actor=commander, reason="money mules")

    row = next(each for each in look(commander).switches if each.switch.code == "spend")
    page = signed_in(commander).get("/console/").content.decode()

    assert row.standing.state == "disabled"
    assert row.leaks == 0
    assert not row.ratification_overdue
    assert "money mules" in page
    assert "Nobody can pay with the wallet." in page


def test_a_passed_deadline_is_shown_before_a_worker_changed_the_switch(
    programme: Any, commander: Any, rehearsal_clock: Any
) -> None:
    """Rule 30: the clock enforces it, and the page shows it."""
    ends_at = clock.now() + dt.timedelta(hours=1)
    milestones.set_milestone(
        "spend_ends", at=ends_at, actor=commander, reason="test", ends_capability="spend"
    )
    clock.travel(ends_at)

    row = next(each for each in look(commander).switches if each.switch.code == "spend")

    assert row.switch.state == Capability.State.ENABLED
    assert row.standing.state == "ended"
    assert row.standing.since == ends_at


def test_an_overdue_ratification_raises_an_alarm_and_the_switch_stays_stopped(
    programme: Any, commander: Any, rehearsal_clock: Any
) -> None:
    """Rule 3."""
    capabilities.stop("spend", actor=commander, reason="test")
    clock.travel(clock.now() + dt.timedelta(hours=24, seconds=1))

    seen = look(commander)

    assert [alarm.sentence for alarm in seen.alarms if "not ratified" in alarm.sentence]
    assert Capability.objects.get(code="spend").state == Capability.State.DISABLED


# --- clockwork, runs, deadlines -----------------------------------------------------------------


def test_a_silent_clockwork_is_shown(programme: Any, commander: Any) -> None:
    assert look(commander).clockwork.silent

    clockwork.tick()

    assert not look(commander).clockwork.silent

    long_ago = incident_page.now().real_at - dt.timedelta(minutes=5)
    Worker.objects.filter(name=clockwork.TICK).update(seen_at=long_ago)

    assert look(commander).clockwork.silent
    assert [each for each in look(commander).alarms if "No tick has come" in each.sentence]


def test_a_run_without_a_worker_raises_an_alarm(
    programme: Any,
    wallets: Callable[..., list[int]],
    commander: Any,
    staff: Callable[..., Any],
) -> None:
    wallets(5)
    run = factories.started_run(
        "freeze-charges", maker=commander, checker=staff("incident_commander")
    )

    assert [alarm for alarm in look(commander).alarms if "no worker" in alarm.sentence]

    Worker.objects.create(name="w", seen_at=incident_page.now().real_at, run_id=run.pk)
    assert not [alarm for alarm in look(commander).alarms if "no worker" in alarm.sentence]


def test_a_running_run_shows_its_step_and_an_ended_one_its_total(
    programme: Any,
    wallets: Callable[..., list[int]],
    commander: Any,
    staff: Callable[..., Any],
) -> None:
    wallets(5)
    run = factories.started_run(
        "freeze-charges", maker=commander, checker=staff("incident_commander")
    )
    row = next(each for each in look(commander).workflows if each.workflow == "freeze-charges")
    assert row.step is not None
    assert (row.place, len(row.steps)) == (1, 2)

    factories.worked_off(run)

    row = next(each for each in look(commander).workflows if each.workflow == "freeze-charges")
    assert row.state == Run.State.SUCCEEDED
    assert row.step is None
    assert (row.moved, row.expected) == (5, 5)


def test_a_near_deadline_without_an_approved_run_raises_an_alarm(
    programme: Any, commander: Any
) -> None:
    milestones.set_milestone(
        "spend_ends",
        at=clock.now() + dt.timedelta(days=3),
        actor=commander,
        reason="test",
        ends_capability="spend",
        workflow="shut-down-by-deadline",
    )

    found = [alarm for alarm in look(commander).alarms if "no approved run" in alarm.sentence]

    assert [alarm.url for alarm in found] == ["/console/workflows/shut-down-by-deadline/plan/"]


def test_a_check_of_the_invariants_is_recorded_and_its_breaches_are_shown(
    programme: Any,
    wallets: Callable[..., list[int]],
    commander: Any,
    signed_in: Callable[..., Client],
) -> None:
    ids = wallets(2, paid_minor=500)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE wallets_wallet SET paid_minor = 501 WHERE id = %s", [ids[0]])
    browser = signed_in(commander)
    assert look(commander).verification is None

    browser.post("/console/invariants/verify/")

    verification = look(commander).verification
    assert verification is not None
    assert "I4" in verification.breached
    assert f"wallet {ids[0]} caches 501" in browser.get("/console/invariants/").content.decode()


def test_the_pages_answer_without_a_programme(
    commander: Any, signed_in: Callable[..., Client], client: Client
) -> None:
    assert signed_in(commander).get("/console/").status_code == 200
    assert client.get("/").status_code == 200


def test_the_page_begins_with_what_needs_a_person(
    programme: Any, staff: Callable[..., Any], signed_in: Callable[..., Client]
) -> None:
    capabilities.stop("withdraw", actor=staff("incident_commander"), reason="an attack")
    reader = staff("compliance")

    text = signed_in(reader).get("/console/").content.decode()

    places = [text.index(f'id="{name}"') for name in ("exceptions", "approvals", "switches")]
    assert places == sorted(places)
    assert places[1] < text.index('class="tiles')
    seen = incident_page.look(programme, actor=reader)
    assert [row.switch.code for row in seen.switches if row.standing.off] == ["withdraw"]
    assert seen.switches[0].switch.code == "withdraw"
    assert [alarm.grave for alarm in seen.alarms] == sorted(
        (alarm.grave for alarm in seen.alarms), reverse=True
    )
