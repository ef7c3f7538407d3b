"""There is one clock, the database's, and each request itself enforces the deadline."""

from __future__ import annotations

import contextlib
import datetime as dt
import subprocess
import sys
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, connection, transaction

from tests.owning import as_owner
from tests.refused_sql import refusal
from wallets.models import Payment
from wallets.movements import spending
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import ClockRefused, PastDeadline
from winddown.models import Milestone

pytestmark = pytest.mark.usefixtures("database")
TOKYO = ZoneInfo("Asia/Tokyo")
LAST_DAY = "2019-09-30T24:00"
THE_END = dt.datetime(2019, 10, 1, tzinfo=TOKYO)
A_MICROSECOND = dt.timedelta(microseconds=1)


def sql_now():
    with connection.cursor() as cursor:
        cursor.execute("SELECT winddown_now()")
        return cursor.fetchone()[0]


def test_sql_and_python_tell_the_same_time(rehearsal_clock):
    rehearsal_clock.travel(THE_END, frozen=True)
    assert clock.now() == sql_now() == THE_END
    before = sql_now()
    rehearsal_clock.travel(THE_END)
    assert THE_END <= clock.now() <= sql_now()
    assert before == THE_END


def test_the_clock_runs_within_one_transaction():
    """A batch that waited for a lock must not write the time at which its wait began."""
    with transaction.atomic():
        assert clock.now() < clock.now()


def test_the_clock_of_a_real_database_cannot_be_moved():
    """Neither the verb nor the ORM nor SQL can move it."""
    with pytest.raises(ClockRefused):
        clock.travel(THE_END)
    for change in ("shift = '1 hour'", "frozen_at = now()"):
        with pytest.raises(DatabaseError, match="only_in_a_rehearsal"), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"UPDATE winddown_clock SET {change}")
    assert abs(clock.now() - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=5)


def test_a_second_row_of_the_clock_is_refused():
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO winddown_clock VALUES (2, true, '0', NULL)")


def test_a_rehearsal_cannot_become_a_real_database(rehearsal_clock):
    rehearsal_clock.mark_as_rehearsal()
    assert clock.is_rehearsal()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE winddown_clock SET rehearsal = false")


def test_a_real_programme_cannot_become_a_rehearsal(programme):
    """Neither the verb nor SQL nor a new row of the clock can make it one."""
    with pytest.raises(ClockRefused):
        clock.mark_as_rehearsal()
    mark = "UPDATE winddown_clock SET rehearsal = true"
    anew = "DELETE FROM winddown_clock; INSERT INTO winddown_clock VALUES (1, true, '0', NULL)"
    assert refusal(anew) == "42501"
    for sql, role in ((mark, contextlib.nullcontext()), (mark, as_owner()), (anew, as_owner())):
        with role, pytest.raises(DatabaseError, match="cannot be made a rehearsal"):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(sql)
    assert not clock.is_rehearsal()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2019-09-30T24:00", THE_END),
        ("2019-09-30 24:00:00", THE_END),
        ("2019-10-01T00:00", THE_END),
        ("2019-09-30T23:59:59", THE_END - dt.timedelta(seconds=1)),
        ("2019-12-31T24:00", dt.datetime(2020, 1, 1, tzinfo=TOKYO)),
        ("2020-02-29T24:00", dt.datetime(2020, 3, 1, tzinfo=TOKYO)),
    ],
)
def test_hour_24_is_the_next_days_midnight(text, meant):
    """Rule 30."""
    assert clock.instant(text, zone="Asia/Tokyo") == meant


def test_hour_24_is_stored_as_utc():
    """Rule 30."""
    Milestone.objects.create(kind="spend_ends", at=clock.instant(LAST_DAY, zone="Asia/Tokyo"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT at AT TIME ZONE 'UTC' FROM winddown_milestone")
        assert cursor.fetchone()[0] == dt.datetime(2019, 9, 30, 15)  # noqa: DTZ001


def test_hour_24_in_a_zone_with_summer_time_is_the_local_midnight():
    ended = clock.instant("2019-10-27T24:00", zone="Europe/Berlin")
    assert ended == dt.datetime(2019, 10, 27, 23, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2019-09-30T24:01",
        "2019-09-30T24:00:01",
        "2019-09-30T25:00",
        "2019-09-31T24:00",
        "2019-09-30T23:60",
        "30 September 24:00",
        "2019-09-30",
        "2019-09-30T24:00Z",
        "",
    ],
)
def test_a_text_that_is_no_instant_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011
        clock.instant(text, zone="Asia/Tokyo")


# --- both sides of midnight ---------------------------------------------------------------------


@pytest.fixture
def last_day(programme, rehearsal_clock, wallet):
    """Spending ends at 30 September 24:00 JST; no worker, beat or run exists."""
    Milestone.objects.create(
        kind="spend_ends",
        at=clock.instant(LAST_DAY, zone="Asia/Tokyo"),
        ends_capability="spend",
        workflow="shut-down-by-deadline",
    )
    return wallet(paid_minor=1_000)


def pay(wallet, reference):
    return spending.pay(
        wallet.pk, amount_minor=1, merchant_ref="m", payment_ref=reference, actor=SYSTEM
    )


def test_a_payment_passes_in_the_last_microsecond_and_not_at_midnight(last_day, rehearsal_clock):
    """Rules 30 and 36: no worker is needed."""
    rehearsal_clock.travel(THE_END - A_MICROSECOND, frozen=True)
    passed = pay(last_day, "in time")
    assert passed.occurred_at == THE_END - A_MICROSECOND
    rehearsal_clock.travel(THE_END, frozen=True)
    with pytest.raises(PastDeadline, match="2019-09-30T15:00:00Z"):
        pay(last_day, "late")
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles", "Pacific/Kiritimati"])
def test_the_deadline_is_the_same_in_every_session_zone(last_day, rehearsal_clock, zone):
    """Rule 30: the database itself is asked, by a session in that zone."""
    answers = []
    for at in (THE_END - A_MICROSECOND, THE_END):
        rehearsal_clock.travel(at, frozen=True)
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT set_config('TimeZone', %s, true)", [zone])
                cursor.execute("SELECT extract(epoch FROM (winddown_pass('spend')).at)")
                answers.append(cursor.fetchone()[0])
                cursor.execute("SET LOCAL TimeZone = 'UTC'")
        except DatabaseError as refusal:
            answers.append(refusal.__cause__.sqlstate)
    last = THE_END - A_MICROSECOND
    assert answers == [Decimal(f"{last.timestamp():.6f}"), "WD002"]


def test_a_reservation_after_the_deadline_is_refused(last_day, rehearsal_clock):
    rehearsal_clock.travel(THE_END, frozen=True)
    with pytest.raises(PastDeadline):
        spending.reserve(
            last_day.pk, amount_minor=1, merchant_ref="m", payment_ref="r", actor=SYSTEM
        )


def test_a_fired_deadline_stays_fired_when_the_clock_goes_back(last_day, rehearsal_clock):
    from winddown.programme import milestones

    rehearsal_clock.travel(THE_END + dt.timedelta(hours=9), frozen=True)
    (fired,) = milestones.fire_due()
    assert fired.late_by == dt.timedelta(hours=9)
    rehearsal_clock.travel(THE_END - dt.timedelta(hours=1), frozen=True)
    assert milestones.fire_due() == []
    assert Milestone.objects.get().fired_at == THE_END + dt.timedelta(hours=9)


PAY = """
import datetime as dt, sys
import django; django.setup()
from wallets.movements import spending
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import PastDeadline
for at in sys.argv[2:]:
    clock.travel(dt.datetime.fromisoformat(at), frozen=True)
    try:
        done = spending.pay(int(sys.argv[1]), amount_minor=1, merchant_ref="m", payment_ref=at, actor=SYSTEM)
        print(done.occurred_at.timestamp())
    except PastDeadline:
        print("refused")
"""


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles"])
def test_the_deadline_ignores_the_time_zones_of_process_and_database(own_database, last_day, zone):
    """Rule 30."""
    with own_database.connect("none") as psql:
        psql.execute(f"ALTER DATABASE \"{own_database.name}\" SET TimeZone = '{zone}'")
    last = THE_END - A_MICROSECOND
    process = subprocess.run(
        [sys.executable, "-c", PAY, str(last_day.pk), last.isoformat(), THE_END.isoformat()],
        env=own_database.environment
        | {"TZ": zone, "PGTZ": zone, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout.split() == [str(last.timestamp()), "refused"]
    assert Payment.objects.get().occurred_at == last
