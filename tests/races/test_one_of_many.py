"""Several people, tickers or workers do the same thing at one moment, and it happens once."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import connection, transaction
from django.test import Client

from accounts import staff_adding
from accounts.models import RecoveryCase
from tests import factories
from tests.races.crowd import at_once, outcome, wait_until_somebody_waits_for_the_switch
from tests.winddown import freeze_and_hold
from wallets.models import Journal, Payment, TopUp, Wallet, WalletTransition
from wallets.movements import charging, spending, withholding
from winddown import alarm_kinds, clock
from winddown.actors import SYSTEM
from winddown.alarms import duty_addresses, notices, sounding
from winddown.authority import approvals
from winddown.evidence import audit, invariants
from winddown.machines.move import transition_one
from winddown.models import (
    Alarm,
    AlarmNotice,
    AuditEntry,
    Batch,
    Capability,
    DutyAddress,
    Milestone,
    Run,
    RunTransition,
    Signature,
)
from winddown.programme import capabilities, milestones
from winddown.runs import clockwork, planning, progress

pytestmark = pytest.mark.usefixtures("own_database", "programme")


def balance(pk):
    return Wallet.objects.get(pk=pk).paid_minor


# --- people -------------------------------------------------------------------------------------


def test_one_of_six_approvers_decides_and_never_the_maker(staff):
    """Rule 23, P10: one of the six is the maker, one another account of the maker."""
    maker = staff("incident_commander")
    alias = staff("compliance", staff_number=maker.staff_number)
    others = [staff("compliance") for _ in range(4)]
    for _ in range(6):
        run = planning.plan("freeze-charges", actor=maker, reason="incident")
        answers = at_once(
            *(
                lambda person=person: planning.approve(
                    Run.objects.get(pk=run.pk), actor=person, digest=run.plan_digest, reason="seen"
                )
                for person in (maker, alias, *others)
            )
        )
        assert outcome(answers)["done"] == 1, outcome(answers)
        signed = Signature.objects.get(subject=run.subject, part="approved")
        assert signed.signer in others
        assert Run.objects.get(pk=run.pk).state == "approved"
        factories.move(Run.objects.get(pk=run.pk), "abort", actor=maker)


def test_one_of_six_people_who_stop_at_once_stops(staff):
    people = [staff("incident_commander") for _ in range(6)]
    answers = at_once(
        *(lambda p=p: capabilities.stop("spend", actor=p, reason="attack") for p in people)
    )
    assert sorted(answers) == [False] * 5 + [True]
    assert Capability.objects.get(code="spend").version == 2
    assert AuditEntry.objects.filter(action="capability.stop").count() == 1


def test_one_of_six_people_who_ratify_at_once_ratifies(staff):
    first = staff("incident_commander")
    capabilities.stop("spend", actor=first, reason="attack")
    people = [first, *(staff("compliance") for _ in range(5))]
    answers = at_once(*(lambda p=p: capabilities.ratify("spend", actor=p) for p in people))
    assert outcome(answers)["done"] == 1
    assert Capability.objects.get(code="spend").ratified_by in people[1:]


def test_one_of_six_plans_made_at_once_is_stored(staff):
    people = [staff("incident_commander") for _ in range(6)]
    answers = at_once(
        *(lambda p=p: planning.plan("freeze-charges", actor=p, reason="incident") for p in people)
    )
    assert outcome(answers)["done"] == 1
    assert Run.objects.count() == 1
    assert len(approvals.open_requests()) == 1


def test_one_of_six_starts_at_once_starts_the_run(staff, wallets):
    wallets(30)
    maker, checker = staff("incident_commander"), staff("compliance")
    with freeze_and_hold.registered():
        run = factories.approved_run("test-freeze-and-hold", maker=maker, checker=checker)
        answers = at_once(*(lambda: planning.start(run, actor=maker) for _ in range(6)))
        assert outcome(answers)["done"] == 1
        assert Batch.objects.filter(run=run).count() == 3
        assert RunTransition.objects.filter(subject_id=run.pk, transition="start").count() == 1


# --- the clockwork ------------------------------------------------------------------------------


def test_sixteen_tickers_at_once_fire_a_late_deadline_once(rehearsal_clock):
    """Rules 36 and I16."""
    at = rehearsal_clock.now()
    Milestone.objects.create(kind="spend_ends", at=at, ends_capability="spend")
    rehearsal_clock.travel(at + dt.timedelta(hours=9), frozen=True)
    answers = at_once(*(milestones.fire_due for _ in range(16)))
    assert sum(len(fired) for fired in answers) == 1
    assert Milestone.objects.get().late_by == dt.timedelta(hours=9)
    assert AuditEntry.objects.filter(action="milestone.fire").count() == 1


def test_sixteen_ticks_start_the_run_of_a_deadline_once(staff, wallets, rehearsal_clock):
    """Rule 36: the run starts exactly once."""
    wallets(20, paid_minor=5)
    maker, checker = staff("incident_commander"), staff("compliance")
    factories.bring_to(factories.make_programme(), "announced")
    at = clock.now() + dt.timedelta(days=2)
    milestones.set_milestone(
        "spend_ends",
        at=at,
        actor=maker,
        reason="the end",
        ends_capability="spend",
        workflow="shut-down-by-deadline",
    )
    run = factories.approved_run("shut-down-by-deadline", maker=maker, checker=checker)
    rehearsal_clock.travel(at + dt.timedelta(hours=9), frozen=True)
    assert outcome(at_once(*(clockwork.tick for _ in range(16)))) == {"done": 16}
    assert RunTransition.objects.filter(subject_id=run.pk, transition="start").count() == 1
    assert factories.worked_off(run).state == "succeeded"
    assert invariants.breached() == {}


# --- money --------------------------------------------------------------------------------------


def test_payments_at_once_never_exceed_the_balance(wallet):
    """I4: eight times a thousand is asked of three thousand."""
    one = wallet(paid_minor=3_000)
    for turn in range(5):
        factories.make_wallets(1)
        before = balance(one.pk)
        answers = at_once(
            *(
                lambda n=n: spending.pay(
                    one.pk,
                    amount_minor=1_000,
                    merchant_ref="m",
                    payment_ref=f"{turn}-{n}",
                    actor=SYSTEM,
                )
                for n in range(8)
            )
        )
        assert outcome(answers).get("done", 0) == before // 1_000
        assert balance(one.pk) == before % 1_000
        charging.top_up(
            one.pk, source="points", amount_minor=3_000, top_up_ref=f"{turn}", actor=SYSTEM
        )
    assert invariants.breached() == {}


def test_eight_settlements_at_once_settle_a_reservation_once(wallet):
    """P2: four capture, four void; one of them wins, and only one journal says so."""
    one = wallet(paid_minor=1_000)
    for turn in range(5):
        before = balance(one.pk)
        held = spending.reserve(
            one.pk, amount_minor=10, merchant_ref="m", payment_ref=f"r{turn}", actor=SYSTEM
        )
        answers = at_once(
            *(
                lambda n=n: spending.settle(held, captured=n % 2 == 0, actor=SYSTEM)
                for n in range(8)
            )
        )
        assert outcome(answers) == {"TransitionRefused": 7, "done": 1}
        state = Payment.objects.get(pk=held.pk).state
        assert balance(one.pk) == before - (10 if state == "posted" else 0)
        assert Journal.objects.filter(source_id=held.pk, kind="settle").count() == 1
    assert invariants.breached() == {}


def test_eight_reversals_at_once_reverse_a_payment_once(wallet):
    one = wallet(paid_minor=100)
    paid = spending.pay(one.pk, amount_minor=60, merchant_ref="m", payment_ref="p", actor=SYSTEM)
    answers = at_once(
        *(lambda: spending.reverse(paid, actor=SYSTEM, reason="back") for _ in range(8))
    )
    assert outcome(answers) == {"TransitionRefused": 7, "done": 1}
    assert balance(one.pk) == 100
    assert invariants.breached() == {}


def test_eight_submissions_at_once_make_one_charge(wallet):
    """P1: the eight get one answer; altered ones and other wallets get a conflict."""
    one, other = wallet(), wallet()
    for turn in range(10):
        at_same_time = [
            (one.pk, 5),
            (one.pk, 5),
            (one.pk, 5),
            (one.pk, 5),
            (one.pk, 6),
            (one.pk, 6),
            (other.pk, 5),
            (other.pk, 5),
        ]
        answers = at_once(
            *(
                lambda pk=pk, amount=amount: charging.top_up(
                    pk,
                    source="points",
                    amount_minor=amount,
                    top_up_ref=f"t{turn}",
                    actor=SYSTEM,
                )
                for pk, amount in at_same_time
            )
        )
        stands = TopUp.objects.get(top_up_ref=f"t{turn}")
        same = at_same_time.count((stands.wallet_id, stands.amount_minor))
        assert outcome(answers) == {"IdempotencyConflict": 8 - same, "done": same}
        assert {a.pk for a in answers if isinstance(a, TopUp)} == {stands.pk}
    assert invariants.breached() == {}


def test_a_hold_and_a_payment_at_once_never_take_the_same_value(wallet):
    for _ in range(10):
        one = wallet(paid_minor=100)
        answers = at_once(
            lambda one=one: withholding.hold(one.pk, amount_minor=80, reason="taint", actor=SYSTEM),
            lambda one=one: spending.pay(
                one.pk, amount_minor=80, merchant_ref="m", payment_ref=f"p{one.pk}", actor=SYSTEM
            ),
        )
        assert outcome(answers) == {"InsufficientBalance": 1, "done": 1}
    assert invariants.breached() == {}


# --- the journal of everything ------------------------------------------------------------------


def test_the_audit_chain_never_forks():
    """I14: eight writers, two hundred entries, one chain."""

    def write(name):
        for number in range(25):
            with transaction.atomic():
                audit.append("test", f"{name}:{number}", actor=SYSTEM)

    assert outcome(at_once(*(lambda n=n: write(n) for n in range(8)))) == {"done": 8}
    assert AuditEntry.objects.count() == 200
    assert AuditEntry.objects.values("previous").distinct().count() == 200
    assert audit.broken_links() == []


def test_eight_seals_at_once_cover_each_movement_once(wallet):
    one = wallet(paid_minor=100)
    for number in range(5):
        spending.pay(
            one.pk, amount_minor=1, merchant_ref="m", payment_ref=f"p{number}", actor=SYSTEM
        )
    assert outcome(at_once(*(audit.seal for _ in range(8)))) == {"done": 8}
    assert audit.rows_that_differ() == []


# --- work ---------------------------------------------------------------------------------------


def test_six_workers_move_every_row_once(staff, wallets):
    ids = wallets(400)
    maker, checker = staff("incident_commander"), staff("compliance")
    with freeze_and_hold.registered():
        run = factories.started_run("test-freeze-and-hold", maker=maker, checker=checker)
        answers = at_once(*(lambda: factories.worked_off(run).pk for _ in range(6)))
        assert outcome(answers) == {"done": 6}
        assert factories.worked_off(run).state == "succeeded"
        assert progress.moved(run) == {"freeze": 400, "hold": 400}
    logged = WalletTransition.objects.filter(subject_id__in=ids)
    assert logged.count() == logged.values("subject_id", "transition").distinct().count() == 800
    assert RunTransition.objects.filter(subject_id=run.pk, transition="succeed").count() == 1
    assert invariants.breached() == {}


def test_wallets_can_pay_while_batches_freeze_them(staff, wallets):
    """A payment and a batch want the same rows: both are done, and neither fails."""
    ids = wallets(200, paid_minor=100)
    maker, checker = staff("incident_commander"), staff("compliance")
    run = factories.started_run("freeze-charges", maker=maker, checker=checker)

    def shop(name):
        for pk in ids[name::4]:
            spending.pay(pk, amount_minor=7, merchant_ref="m", payment_ref=f"p{pk}", actor=SYSTEM)

    answers = at_once(
        *(lambda n=n: shop(n) for n in range(4)), *(lambda: factories.worked_off(run).pk,) * 2
    )
    assert outcome(answers) == {"done": 6}
    assert factories.worked_off(run).state == "succeeded"
    assert set(Wallet.objects.values_list("paid_minor", "state")) == {(93, "charge_frozen")}
    assert invariants.breached() == {}


def test_a_freeze_does_not_deadlock_with_a_charge_and_a_batch(staff, wallets):
    """Rule 2: the start of a freeze, a charge and a batch wait for each other in no circle.

    The charge has passed a later switch and will want the wallet; the batch has the wallet and will
    want the audit journal; the start has flipped the first switch and waits for the later one.
    """
    (one,) = wallets(1)
    maker, checker = staff("incident_commander"), staff("compliance")
    run = factories.approved_run("freeze-charges", maker=maker, checker=checker)
    passed, has_wallet, start_waits = (threading.Event() for _ in range(3))

    def charge():
        with transaction.atomic():
            capabilities.passed("top_up:register_cash")
            passed.set()
            assert start_waits.wait(60)
            Wallet.objects.select_for_update(no_key=True).get(pk=one)

    def batch():
        with transaction.atomic():
            transition_one(Wallet.objects.get(pk=one), "hold", actor=SYSTEM)
            has_wallet.set()
            assert start_waits.wait(60)
            audit.append("test", "test", actor=SYSTEM)

    def start():
        assert passed.wait(60)
        assert has_wallet.wait(60)
        planning.start(run, actor=maker)

    def look():
        wait_until_somebody_waits_for_the_switch()
        start_waits.set()

    assert outcome(at_once(charge, batch, start, look)) == {"done": 4}
    assert Run.objects.get(pk=run.pk).state == "running"


def test_a_help_form_sent_twice_at_once_opens_one_case():
    wrote = {"name": "Hanako", "who": "reached@example.com", "story": "the telephone is lost"}

    def send():
        return Client().post("/recovery/help/", wrote)

    answers = at_once(send, send)

    assert [answer.status_code for answer in answers] == [302, 302]
    assert RecoveryCase.objects.count() == 1
    Client().post("/recovery/help/", {**wrote, "story": "and my mailbox is gone too"})
    assert RecoveryCase.objects.count() == 2


def test_a_member_of_staff_added_twice_at_once_has_one_account(staff):
    one, other = staff("incident_commander"), staff("incident_commander")

    def add(by):
        return staff_adding.add(
            login_id="mei", name="Mei", email="mei@example.com", staff_number="1003",
            actor=by, reason="joins",
        )  # fmt: skip

    answers = at_once(lambda: add(one), lambda: add(other))

    assert outcome(answers) == {"GuardNotMet": 1, "done": 1}


# --- alarms -------------------------------------------------------------------------------------


def test_of_duty_addresses_set_at_once_one_is_left(staff):
    officer = staff("compliance")

    def set_to(address):
        return duty_addresses.set_address(
            role="compliance",
            channel="mail",
            address=address,
            language="en",
            actor=officer,
            reason="test",
        )

    acts = [lambda to=f"d{number}@example.com": set_to(to) for number in range(6)]
    assert outcome(at_once(*acts)) == {"done": 6}
    assert DutyAddress.objects.filter(ended_at=None).count() == 1
    duty_addresses.forget_ended(clock.now() + duty_addresses.TOLD_FOR)
    assert not DutyAddress.objects.exclude(ended_at=None).exclude(target_sealed=None).exists()


def test_an_alarm_that_is_acknowledged_during_the_watch_is_told_to_nobody(staff, monkeypatch):
    officer = staff("incident_commander")
    duty_addresses.set_address(
        role="incident_commander",
        channel="mail",
        address="duty@example.com",
        language="en",
        actor=officer,
        reason="test",
    )
    found = alarm_kinds.Found(
        [alarm_kinds.AlarmCondition("tick_silent", "clockwork", "No tick.", "/console/")]
    )
    sounding.sound(alarm_kinds.Found([]))
    with transaction.atomic():
        sounding._raise(found.conditions[0], clock.now())
    alarm, queue, queued = Alarm.objects.get(), notices._queue, threading.Event()

    def answer():
        sounding.acknowledge(alarm, actor=officer, reason="I look")
        connection.close()
        queued.set()

    def queue_late(*args):
        """The watch has read the alarm; then somebody acknowledges it, or waits for the watch."""
        threading.Thread(target=answer).start()
        queued.wait(1)
        queue(*args)

    monkeypatch.setattr(notices, "_queue", queue_late)
    sounding.sound(found)
    assert queued.wait(60)

    alarm.refresh_from_db()
    assert alarm.state == "acknowledged"
    assert not AlarmNotice.objects.filter(sent_at=None, given_up_at=None).exists()
