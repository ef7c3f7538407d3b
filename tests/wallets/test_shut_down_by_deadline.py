"""shut-down-by-deadline is started by the clock; it settles, closes and seals every wallet."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import DatabaseError, transaction

from tests import factories
from tests.owning import as_owner
from wallets.models import Payment, Snapshot, SnapshotLine, Wallet
from wallets.movements import spending
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import GuardNotMet, PastDeadline
from winddown.evidence import invariants
from winddown.models import AuditEntry, Milestone, Programme, Run
from winddown.programme import milestones
from winddown.runs import clockwork, planning

pytestmark = pytest.mark.usefixtures("programme")
THE_END = clock.instant("2019-09-30T24:00", zone="Asia/Tokyo")


@pytest.fixture
def maker(staff):
    return staff("incident_commander")


@pytest.fixture
def checker(staff):
    return staff("compliance")


@pytest.fixture
def september(programme, rehearsal_clock, maker):
    """The end is announced and its milestone set."""
    rehearsal_clock.travel(dt.datetime(2019, 9, 1, tzinfo=dt.UTC), frozen=True)
    factories.bring_to(programme, "announced")
    return milestones.set_milestone(
        "spend_ends",
        at=THE_END,
        actor=maker,
        reason="announced on 1 August",
        ends_capability="spend",
        workflow="shut-down-by-deadline",
    )


@pytest.fixture
def shut_down(september, rehearsal_clock, maker, checker):
    """`shut_down(in_flight="void")` is what the tick makes of the approved run, nine hours late."""

    def run(**params):
        approved = factories.approved_run(
            "shut-down-by-deadline", maker=maker, checker=checker, params=params
        )
        rehearsal_clock.travel(THE_END + dt.timedelta(hours=9), frozen=True)
        clockwork.tick()
        return factories.worked_off(approved)

    return run


def reserve(wallet, amount, ref):
    return spending.reserve(
        wallet.pk, amount_minor=amount, merchant_ref="m", payment_ref=ref, actor=SYSTEM
    )


def test_every_wallet_is_closed_and_sealed_after_a_late_tick(wallets, wallet, shut_down):
    """Rules 32, 35 and 36."""
    wallets(7, paid_minor=100, bonus_minor=5)
    wallet(paid_minor=1, state="charge_frozen")
    wallet()
    run = shut_down()
    assert run.state == "succeeded"
    assert set(Wallet.objects.values_list("state", flat=True)) == {"closed"}
    sealed = Snapshot.objects.get()
    assert (sealed.wallets, sealed.paid_minor, sealed.bonus_minor) == (9, 701, 35)
    assert sealed.as_of == THE_END
    assert Programme.current().state == "balance_fixed"
    assert Milestone.objects.get().late_by == dt.timedelta(hours=9)
    assert invariants.breached() == {}


def test_a_held_wallet_keeps_its_flag_when_it_is_closed(wallet, shut_down):
    held = wallet(paid_minor=80, state="held")
    shut_down()
    assert Wallet.objects.get(pk=held.pk).state == "held_closed"
    line = SnapshotLine.objects.get(wallet_id=held.pk)
    assert (line.paid_minor, line.held_minor) == (80, 80)


@pytest.mark.parametrize(("in_flight", "left"), [("capture", 70), ("void", 100)])
def test_payments_authorised_in_time_are_settled_before_the_seal(
    wallet, shut_down, in_flight, left
):
    """Rule 31."""
    one = wallet(paid_minor=100)
    reserve(one, 30, "in flight")
    shut_down(in_flight=in_flight)
    assert Payment.objects.get().state == ("posted" if in_flight == "capture" else "voided")
    assert SnapshotLine.objects.get(wallet_id=one.pk).paid_minor == left
    assert invariants.breached() == {}


def test_a_shut_down_before_its_time_is_refused(september, rehearsal_clock, maker, checker, wallet):
    """Rule 30: one microsecond before, refused."""
    one = wallet(paid_minor=10)
    run = factories.approved_run("shut-down-by-deadline", maker=maker, checker=checker)
    rehearsal_clock.travel(THE_END - dt.timedelta(microseconds=1), frozen=True)
    with pytest.raises(GuardNotMet, match="spending lasts until"):
        planning.start(run, actor=maker)
    clockwork.tick()
    assert Run.objects.get().state == "approved"
    assert Wallet.objects.get(pk=one.pk).state == "active"
    rehearsal_clock.travel(THE_END, frozen=True)
    clockwork.tick()
    assert Run.objects.get().state == "running"


def test_an_approval_is_valid_until_a_day_after_the_deadline(
    september, maker, checker, rehearsal_clock
):
    """The plan is approved weeks before; the deadline must not find it expired."""
    run = factories.approved_run("shut-down-by-deadline", maker=maker, checker=checker)
    rehearsal_clock.travel(THE_END + dt.timedelta(hours=23), frozen=True)
    assert planning.start(run, actor=SYSTEM).state == "running"


def test_the_deadline_ends_spending_without_an_approved_run(september, rehearsal_clock, wallet):
    """Rule 36: spending ends, the milestone fires, and the missing run is an alarm in the journal."""
    one = wallet(paid_minor=10)
    rehearsal_clock.travel(THE_END, frozen=True)
    clockwork.tick()
    fired = AuditEntry.objects.get(action="milestone.fire")
    assert fired.facts["outcome"] == "alarm: shut-down-by-deadline has no approved run"
    with pytest.raises(PastDeadline):
        spending.pay(one.pk, amount_minor=1, merchant_ref="m", payment_ref="p", actor=SYSTEM)


def test_customers_can_spend_between_approval_and_deadline(
    september, rehearsal_clock, maker, checker, wallet
):
    """Balances are estimates of the plan: a payment does not undo its approval."""
    one = wallet(paid_minor=10)
    run = factories.approved_run("shut-down-by-deadline", maker=maker, checker=checker)
    spending.pay(one.pk, amount_minor=4, merchant_ref="m", payment_ref="p", actor=SYSTEM)
    rehearsal_clock.travel(THE_END, frozen=True)
    clockwork.tick()
    assert factories.worked_off(run).state == "succeeded"
    assert Snapshot.objects.get().paid_minor == 6


def test_the_sealed_balances_cannot_be_changed(wallet, shut_down):
    """Rule 33."""
    wallet(paid_minor=10)
    shut_down()
    for change in (
        lambda: SnapshotLine.objects.update(paid_minor=0),
        lambda: Snapshot.objects.update(paid_minor=0),
        lambda: Snapshot.objects.all().delete(),
    ):
        with (
            as_owner(),
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
        ):
            change()
    with pytest.raises(DatabaseError), transaction.atomic():
        Snapshot.objects.create(
            as_of=THE_END,
            wallets=1,
            paid_minor=9,
            bonus_minor=0,
            held_minor=0,
            digest="0" * 64,
            run_id=1,
            sealed_at=clock.now(),
        )


def test_the_digest_can_be_computed_from_the_lines(wallet, shut_down):
    """Rule 33: it can be computed again by anybody who has the lines."""
    import hashlib

    for paid in (10, 20, 30):
        wallet(paid_minor=paid)
    shut_down()
    slices: dict[int, list[str]] = {}
    for line in SnapshotLine.objects.order_by("wallet_id"):
        slices.setdefault(line.wallet_id // 10_000, []).append(
            f"{line.wallet_id}:{line.paid_minor}:{line.bonus_minor}:{line.held_minor}"
        )
    digests = [hashlib.sha256(",".join(slices[n]).encode()).hexdigest() for n in sorted(slices)]
    assert Snapshot.objects.get().digest == hashlib.sha256(",".join(digests).encode()).hexdigest()


def test_a_shut_down_without_a_milestone_cannot_be_planned(maker):
    with pytest.raises(GuardNotMet, match="spend_ends is not set"):
        planning.plan("shut-down-by-deadline", actor=maker, reason="r")


@pytest.mark.parametrize("params", [{"in_flight": "keep"}, {"inflight": "void"}])
def test_a_plan_that_is_not_understood_is_refused(september, maker, params):
    with pytest.raises(GuardNotMet, match="capture or void"):
        planning.plan("shut-down-by-deadline", actor=maker, reason="r", params=params)
