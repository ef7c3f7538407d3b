"""Did it arrive? A drawn sample is asked, answers are counted, and a no is traced to its end."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, transaction

from accounts import outbox
from accounts.models import Message, User
from refunds.alarms import trace_alarms
from refunds.models import ArrivalQuestion, ArrivalSample, Payout, TraceCase
from refunds.payouts import arrivals, recalls, traces
from tests.accounts.mail_server import mail_server, text_of
from tests.config.test_every_door import browser_of
from tests.refunds.conftest import House, jst
from tests.refunds.payouts.test_payout_doors import IN_ENGLISH, run, sent
from winddown import clock
from winddown.errors import GuardNotMet
from winddown.machines.move import transition_one
from winddown.models import AuditEntry
from winddown.programme.gates import GATES
from winddown.runs import clockwork
from winddown.sqlstates import SqlState, sqlstate_of

pytestmark = pytest.mark.django_db
STATUS = "/account/refund/status/"


@pytest.fixture
def paid(house: House) -> list[Payout]:
    """Seven refunds of one file arrived, as the bank says."""
    for owed in house.entitled(7):
        house.apply(owed)
    User.objects.customers().update(email="one@example.jp", email_verified_at=clock.now())
    house.check_payees()
    house.send(house.paid_batch())
    clock.travel(jst("2019-11-15T15:00"), frozen=True)
    house.answers()
    return list(Payout.objects.order_by("pk"))


def test_a_seeded_sample_is_asked_once_and_its_answers_are_counted(
    house: House, paid: list[Payout], settings: Any
) -> None:
    assert arrivals.follow_up() == 0  # three days after the value date, not before
    clock.travel(jst("2019-11-18T10:00"), frozen=True)
    clockwork.do_follow_ups()
    assert arrivals.follow_up() == 0
    sample = ArrivalSample.objects.get()
    numbers = [each.pk for each in paid]
    assert (sample.paid, sample.asked) == (7, 5)
    asked = set(ArrivalQuestion.objects.values_list("payout_id", flat=True))
    assert asked == set(arrivals.drawn(sample.seed, numbers))
    assert len({tuple(arrivals.drawn(f"{seed}", numbers)) for seed in range(20)}) > 15
    assert [len(arrivals.drawn("a", range(size))) for size in (3, 500, 700, 10_000)] == [
        3,
        5,
        7,
        50,
    ]
    with mail_server(settings) as mailbox:
        outbox.send_due()
        told = [text_of(mail) for mail in mailbox.mails if "着金" in mail["Subject"]]
    assert len(told) == 5
    assert "2019年11月15日" in told[0]

    first, second, *_rest = sorted(asked)
    yes, no = (Payout.objects.get(pk=number) for number in (first, second))
    happy = browser_of(yes.holder, headers=IN_ENGLISH)
    assert "Yes, it is there" in happy.get(STATUS).content.decode()
    for _ in range(2):
        happy.post("/account/refund/arrived/", {"payout": yes.pk, "answer": "yes"})
    # Nobody answers for somebody else, or for a payout that nobody asked about.
    for number in (no.pk, (set(numbers) - asked).pop(), "\0", "9" * 30):
        happy.post("/account/refund/arrived/", {"payout": number, "answer": "no"})
    happy.post("/account/refund/arrived/", {"payout": yes.pk, "answer": "no"})
    assert not TraceCase.objects.exists()
    sad = browser_of(no.holder, headers=IN_ENGLISH)
    for _ in range(2):
        sad.post("/account/refund/arrived/", {"payout": no.pk, "answer": "no"})
    trace = TraceCase.objects.get()
    assert "We look for your money" in sad.get(STATUS).content.decode()
    assert trace.account_end == no.payee.account_number[-4:]
    assert str(trace.due_on) == "2019-12-02"

    desk = browser_of(house.treasury, headers=IN_ENGLISH).get("/console/traces/").content.decode()
    assert f"…{trace.account_end}" in desk
    assert sample.seed in desk
    counted = arrivals.counted_of(sample.batch)
    assert counted is not None
    assert (counted.yes, counted.no, counted.silent) == (1, 1, 3)
    batch = browser_of(house.treasury, headers=IN_ENGLISH).get(f"/console/payouts/{no.batch_id}/")
    assert "Asked: 5. Yes: 1. No: 1. No answer: 3." in batch.content.decode()
    assert no.payee.account_number not in str(AuditEntry.objects.values_list("facts", flat=True))
    house.money_holds()


def test_two_people_close_a_trace_and_only_as_the_books_show(
    house: House, paid: list[Payout]
) -> None:
    one, two, *_rest = paid
    sent(house.support, "traces/open", number=one.pk)
    run(house.support, "trace_payout", f"--number={two.pk}")
    with pytest.raises(GuardNotMet, match="a trace of it is open"):
        traces.open_for(one, actor=house.support, reason="again")
    first, second = TraceCase.objects.order_by("pk")
    assert sum(each.missing for each in GATES["traces"].counts()) == 2
    run(house.treasury, "take_trace", f"--number={first.pk}")
    first.refresh_from_db()
    assert first.owner == house.treasury

    for outcome, why in (("came_back", "came back"), ("not_recovered", "no recall")):
        with pytest.raises(GuardNotMet, match=why):
            traces.ask_close(
                first, outcome=outcome, explanation="x", actor=house.treasury, reason="test"
            )
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        transition_one(
            first,
            "close",
            actor=house.treasury,
            reason="alone",
            outcome="arrived",
            resolution="alone",
            closed_at=clock.now(),
        )
    assert sqlstate_of(refused.value) == SqlState.NOT_APPROVED
    run(
        house.treasury,
        "close_trace",
        f"--number={first.pk}",
        "--outcome=arrived",
        "--explanation=call 9",
    )
    house.agree_as_second()
    first.refresh_from_db()
    assert (first.state, first.outcome, first.resolution) == ("closed", "arrived", "call 9")

    recall = recalls.ask(two, actor=house.treasury, reason="traced")
    recalls.fail(recall, answer="the payee refuses", actor=house.treasury, reason="letter")
    sent(
        house.treasury,
        "traces/close",
        number=second.pk,
        outcome="not_recovered",
        explanation="recall 1 failed",
    )
    house.agree_as_second()
    second.refresh_from_db()
    assert second.outcome == "not_recovered"
    assert not traces.open_ones().exists()
    # It may be traced again, and a person without the permission does none of it.
    sent(house.support, "traces/open", number=one.pk)
    for verb in ("take", "close"):
        answer = browser_of(house.support).post(
            f"/console/traces/{verb}/", {"number": first.pk, "reason": "x"}
        )
        assert answer.status_code == 403
    assert Message.objects.filter(kind="arrival_asked").count() == 0
    clock.travel(jst("2019-12-20T10:00"), frozen=True)
    assert traces.overdue().count() == 1
    assert [each.kind for each in trace_alarms(clock.now())] == ["trace_overdue"]
    house.money_holds()
