"""Exclusion: only after the last day, after the law's efforts to reach the holder, and never while
something about the money is open.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import translation

from refunds.models import (
    BankFile,
    Entitlement,
    PaymentBlock,
    ReconciliationBreak,
    Reminder,
    ReminderSchedule,
    TracingEffort,
)
from refunds.payouts import tracing
from tests import factories
from tests.refunds.conftest import House, jst, person
from tests.signing_in import open_session
from wallets.movements import withholding
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import GuardNotMet, LoadRefused, NotPermitted
from winddown.programme.evidence_files import File
from winddown.sqlstates import SqlState, sqlstate_of

pytestmark = pytest.mark.django_db

AFTER = "2020-01-11T00:00"


def over() -> None:
    clock.travel(jst(AFTER), frozen=True)


def excluded_in_sql(owed: Entitlement) -> str:
    """Returns the code with which the database refuses, or nothing."""
    try:
        with transaction.atomic():
            factories.move(owed, "exclude", actor=SYSTEM)
            raise _Done
    except DatabaseError as refused:
        return sqlstate_of(refused)
    except _Done:
        return ""


class _Done(Exception):
    pass


def plan_of(house: House) -> dict[str, Any]:
    content: dict[str, Any] = house.run("exclude", traced=False).plans.get().content
    return content


def test_who_was_not_traced_is_not_excluded(house: House) -> None:
    (owed,) = house.entitled(1)
    over()
    assert excluded_in_sql(owed) == SqlState.NOT_TO_BE_EXCLUDED
    content = plan_of(house)
    assert (content["counts"], content["excluded"]["not_traced"]) == ({"excluded": 0}, 1)
    assert Entitlement.objects.get().state == "computed"

    assert house.trace(kinds=("letter",)).new == 1

    assert plan_of(house)["counts"] == {"excluded": 1}
    assert Entitlement.objects.get().state == "excluded"
    house.money_holds()


def test_a_larger_amount_takes_more_efforts(house: House) -> None:
    ids = [factories.make_wallet(paid_minor=paid).pk for paid in (9_999, 10_000)]
    house.close(ids)
    house.seal()
    house.run("entitle")
    small, large = Entitlement.objects.order_by("amount_minor")
    over()
    house.trace(kinds=("letter",))
    assert [excluded_in_sql(each) for each in (small, large)] == [
        "",
        SqlState.NOT_TO_BE_EXCLUDED,
    ]
    house.trace(kinds=("telephone",))
    assert excluded_in_sql(large) == ""


def test_a_reminder_that_was_sent_is_an_effort(house: House) -> None:
    (owed,) = house.entitled(1)
    schedule = ReminderSchedule.objects.create(
        last_day=dt.date(2020, 1, 10), begun_by=house.compliance
    )
    letter = Reminder.objects.create(
        schedule=schedule, days_before=7, holder=owed.wallet.account, channel="letter"
    )
    over()
    assert tracing.kept_from_exclusion()["not_traced"] == 1
    Reminder.objects.filter(pk=letter.pk).update(letter_file=1)
    assert tracing.kept_from_exclusion()["not_traced"] == 0
    assert excluded_in_sql(owed) == ""


def before_the_last_day(house: House, owed: Entitlement) -> None:
    clock.travel(jst("2020-01-10T23:59"), frozen=True)


def a_break_is_open(house: House, owed: Entitlement) -> None:
    file = BankFile.objects.create(
        kind="results", sha256="c" * 64, lines=1, sum_minor=5, at=clock.now()
    )
    ReconciliationBreak.objects.create(
        file=file,
        line=2,
        kind="unknown_reference",
        reference="1",
        amount_minor=5,
        answer="no_return",
        found_at=clock.now(),
    )


def a_payment_is_blocked(house: House, owed: Entitlement) -> None:
    PaymentBlock.objects.create(
        holder=owed.wallet.account,
        kind="dispute",
        evidence="file 1",
        begins_at=clock.now(),
        ends_at=clock.now() + dt.timedelta(days=9),
        entered_by=house.compliance,
    )


def the_notice_did_not_arrive(house: House, owed: Entitlement) -> None:
    Entitlement.objects.filter(pk=owed.pk).update(notice_undeliverable=True)


@pytest.mark.parametrize(
    "why",
    [
        before_the_last_day,
        a_break_is_open,
        a_payment_is_blocked,
        the_notice_did_not_arrive,
    ],
)
def test_the_database_excludes_nobody_while_something_is_open(
    house: House, why: Callable[[House, Entitlement], None]
) -> None:
    (owed,) = house.entitled(1)
    over()
    house.trace()
    assert excluded_in_sql(owed) == ""
    why(house, owed)
    assert excluded_in_sql(owed) == SqlState.NOT_TO_BE_EXCLUDED


def test_nobody_is_excluded_while_a_line_of_the_bank_is_open(house: House) -> None:
    (owed,) = house.entitled(1)
    over()
    a_break_is_open(house, owed)
    with translation.override("en"), pytest.raises(GuardNotMet, match="not cleared: 1 of 1"):
        house.run("exclude")


def test_while_a_part_of_the_balance_is_on_hold_the_rest_is_not_excluded(house: House) -> None:
    wallet = factories.make_wallet(paid_minor=700)
    taint = withholding.hold(wallet.pk, amount_minor=200, reason="suspicion", actor=SYSTEM)
    house.close([wallet.pk])
    house.seal()
    house.run("entitle")
    over()
    house.trace()
    assert excluded_in_sql(Entitlement.objects.get()) == SqlState.NOT_TO_BE_EXCLUDED
    assert plan_of(house)["excluded"]["open_hold"] == 1
    withholding.release(taint, actor=SYSTEM)
    house.run("entitle")
    assert plan_of(house)["counts"] == {"excluded": 2}
    house.money_holds()


# --- the efforts ----------------------------------------------------------------------------------


def test_a_file_of_efforts_is_kept_once_and_whole(house: House) -> None:
    house.entitled(2)
    ref = Entitlement.objects.first().wallet.wallet_ref  # type: ignore[union-attr]
    good = f"{','.join(tracing.COLUMNS)}\r\n{ref},letter,2019-11-04T10:00,not_reached\r\n"

    def load(content: str) -> tracing.Loaded:
        file = File(name="efforts.csv", content=content.encode())
        return tracing.load(file, evidence="list 1", actor=house.compliance, reason="test")

    assert load(good) == tracing.Loaded(rows=1, new=1)
    assert load(good) == tracing.Loaded(rows=1, new=0)
    for wrong, why in (
        ("nobody,letter,2019-11-04T10:00,reached", "line 3: there is no such wallet"),
        (f"{ref},pigeon,2019-11-04T10:00,reached", "line 3: the kind"),
        (f"{ref},letter,2019-11-06T10:00,reached", "line 3: the kind, the result or the instant"),
        (f"{ref},letter,yesterday,reached", "line 3: no instant"),
        (f"{ref},letter", "line 3: 4 cells"),
    ):
        with pytest.raises(LoadRefused, match=why):
            load(good.replace("10:00", "09:00") + wrong)
    assert TracingEffort.objects.count() == 1
    with pytest.raises(NotPermitted):
        tracing.load(
            File(name="e.csv", content=good.encode()),
            evidence="list 1",
            actor=person(),
            reason="test",
        )
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE refunds_tracingeffort SET result = 'reached'")
    house.money_holds()


def test_the_page_counts_who_fails_which_condition_and_records_an_effort(house: House) -> None:
    (owed,) = house.entitled(1)
    over()
    support = factories.make_staff("support")
    browser = Client(headers={"accept-language": "en"})
    open_session(browser, support)
    text = browser.get("/console/tracing/").content.decode()
    assert "Holders who were not traced enough</dt><dd>1" in text
    page = "/console/tracing/record/"
    answer = browser.post(
        page,
        {
            "account": f"account:{owed.wallet.account_id}",
            "kind": "telephone",
            "at": "2020-01-10T10:00",
            "result": "reached",
            "evidence": "call 12",
            "reason": "test",
        },
    )
    assert answer.status_code == 302
    made = TracingEffort.objects.get()
    assert (made.holder_id, made.kind, made.recorded_by_id) == (
        owed.wallet.account_id,
        "telephone",
        support.pk,
    )
    text = browser.get("/console/tracing/").content.decode()
    assert "Holders who were not traced enough</dt><dd>0" in text
