"""freeze-charges works per source and in stages; it is planned, approved and verified."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from tests import factories
from tests.signing_in import code_typed
from wallets.models import TopUp, Wallet
from wallets.movements import charging
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import CapabilityStopped, GuardNotMet, NothingToDecide, PlanChanged
from winddown.evidence import invariants
from winddown.models import Capability, Plan, Programme, Run
from winddown.programme import capabilities
from winddown.runs import planning, progress

pytestmark = pytest.mark.usefixtures("programme")
CARDS = {"sources": ["credit_card", "debit_card"]}


@pytest.fixture
def maker(staff):
    return staff("incident_commander")


@pytest.fixture
def checker(staff):
    return staff("compliance")


@pytest.fixture
def freeze(maker, checker):
    """`freeze(sources=[...])` is a finished run."""

    def run(**params):
        return factories.worked_off(
            factories.started_run("freeze-charges", maker=maker, checker=checker, params=params)
        )

    return run


def charge(wallet, source="points", ref="t", **more):
    return charging.top_up(
        wallet.pk, source=source, amount_minor=10, top_up_ref=ref, actor=SYSTEM, **more
    )


def stopped():
    return set(Capability.objects.filter(state="disabled").values_list("code", flat=True))


def test_all_sources_and_registration_stop_and_every_wallet_is_frozen(wallets, freeze):
    """Rules 1 and 2."""
    wallets(12)
    run = freeze()
    assert run.state == "succeeded"
    assert stopped() == {f"top_up:{s}" for s in factories.SOURCES} | {"register"}
    assert set(Wallet.objects.values_list("state", flat=True)) == {"charge_frozen"}
    assert capabilities.leaks("top_up:points") == 0
    assert invariants.breached() == {}


def test_a_stage_stops_its_sources_only_and_leaves_the_wallets(wallet, freeze):
    """Rule 1: cards first; the wallets are frozen when the last source is off."""
    one = wallet()
    run = freeze(**CARDS)
    assert stopped() == {"top_up:credit_card", "top_up:debit_card"}
    charge(one, source="atm_cash")
    with pytest.raises(CapabilityStopped):
        charge(one, source="credit_card", ref="u")
    assert progress.moved(run) == {}
    assert Wallet.objects.get(pk=one.pk).state == "active"
    rest = [s for s in factories.SOURCES if s not in CARDS["sources"]]
    freeze(sources=rest)
    assert Wallet.objects.get(pk=one.pk).state == "charge_frozen"
    assert Capability.objects.get(code="register").state == "enabled"


def test_charges_are_refused_from_the_start_of_the_run(wallets, wallet, maker, checker):
    """No batch has run, and nobody can charge any more."""
    wallets(5)
    one = wallet()
    factories.started_run("freeze-charges", maker=maker, checker=checker)
    with pytest.raises(CapabilityStopped):
        charge(one)
    assert Wallet.objects.get(pk=one.pk).state == "active"


def test_a_planned_or_approved_freeze_stops_nothing(wallet, maker, checker):
    factories.approved_run("freeze-charges", maker=maker, checker=checker)
    charge(wallet())
    assert stopped() == set()


def test_the_approver_of_the_plan_ratifies_the_stop(maker, checker, freeze):
    freeze()
    switch = Capability.objects.get(code="top_up:points")
    assert (switch.stopped_by, switch.ratified_by) == (maker, checker)
    assert capabilities.overdue(clock.now()) == ([], [])
    with pytest.raises(NothingToDecide):
        capabilities.ratify("top_up:points", actor=checker)


def test_an_authorised_charge_waits_for_its_reversal(wallet, freeze):
    """Rule 3: of the stopped sources only."""
    one = wallet()
    card = charge(one, source="credit_card", ref="card", authorised_only=True)
    cash = charge(one, source="atm_cash", ref="cash", authorised_only=True)
    run = freeze(**CARDS)
    assert TopUp.objects.get(pk=card.pk).state == "pending_reversal"
    assert TopUp.objects.get(pk=cash.pk).state == "authorised"
    assert charging.post_authorised(cash, actor=SYSTEM).state == "posted"
    assert progress.moved(run) == {"withhold_authorised_top_ups": 1}


def test_the_plan_counts_what_the_run_does(wallet, wallets, maker):
    """Rule 61."""
    wallets(7)
    held = wallet(state="held")
    charge(wallet(), authorised_only=True)
    run = planning.plan("freeze-charges", actor=maker, reason="r")
    content = Plan.objects.get(run=run).content
    assert content["counts"] == {"wallets": 8, "authorised_top_ups": 1}
    assert content["sums_minor"] == {"authorised_top_ups": 10}
    assert content["excluded"] == {"wallets_in_other_states": 1}
    assert len(content["terms"]["switches"]) == 7
    assert held.state == "held"


def test_a_held_wallet_stays_held(wallet, freeze):
    one = wallet(state="held")
    assert freeze().state == "succeeded"
    assert Wallet.objects.get(pk=one.pk).state == "held"


def test_a_second_freeze_changes_nothing_and_reports_it(wallets, freeze):
    """Rule 4."""
    wallets(5)
    freeze()
    versions = list(Capability.objects.values_list("code", "version", "since"))
    again = freeze()
    assert (again.state, progress.moved(again)) == ("succeeded", {})
    assert list(Capability.objects.values_list("code", "version", "since")) == versions


def test_the_programme_is_restricted_after_an_incident(programme, maker, freeze):
    factories.move(programme, "declare_incident", actor=maker)
    freeze(**CARDS)
    assert Programme.current().state == "restricted"


@pytest.mark.parametrize("params", [{"sources": ["banknotes"]}, {"source": ["points"]}])
def test_a_plan_that_is_not_understood_is_refused(maker, params):
    """An unknown value is an error, never "none"."""
    with pytest.raises(GuardNotMet, match="not understood"):
        planning.plan("freeze-charges", actor=maker, reason="r", params=params)
    assert not Run.objects.exists()


def test_a_leaked_charge_ends_the_run_with_a_gap(wallet, maker, checker):
    """The verification must be able to find something."""
    one = wallet()
    run = factories.started_run("freeze-charges", maker=maker, checker=checker)
    TopUp.objects.create(
        top_up_ref="late",
        wallet=one,
        source="points",
        amount_minor=1,
        occurred_at=Capability.objects.get(code="top_up:points").since,
        switch_version=1,
        state="posted",
    )
    assert factories.worked_off(run).state == "partially_failed"


def test_the_command_plans_runs_and_reports(wallets, maker, checker, capsys):
    wallets(5)
    by = {"by": maker.login_id, "reason": "incident"}
    call_command("freeze_charges", "--plan", **by)
    run = Run.objects.get()
    assert run.plan_digest in capsys.readouterr().out
    with pytest.raises(SystemExit) as refused:
        call_command("freeze_charges", "--run", **by)
    assert refused.value.code == 1
    with code_typed(checker):
        call_command(
            "approve", run.subject, by=checker.login_id, reason="seen", digest=run.plan_digest
        )
    call_command("freeze_charges", "--run", **by)
    assert Run.objects.get().state == "succeeded"
    assert "freeze_wallets 5" in capsys.readouterr().out


def test_a_started_run_is_left_to_the_workers(wallets, maker, checker, capsys):
    wallets(2)
    run = factories.approved_run("freeze-charges", maker=maker, checker=checker)
    by = {"by": maker.login_id, "reason": "incident"}

    call_command("freeze_charges", "--start", **by)

    assert f"{run} is started." in capsys.readouterr().out
    assert Run.objects.get().state == "running"
    assert not Wallet.objects.exclude(state="active").exists()
    with pytest.raises(SystemExit) as refused:
        call_command("freeze_charges", "--start", **by)
    assert refused.value.code == 1


def test_a_wallet_opened_between_approval_and_start_requires_a_new_plan(wallets, maker, checker):
    wallets(2)
    run = factories.approved_run("freeze-charges", maker=maker, checker=checker)
    wallets(1)
    with pytest.raises(PlanChanged):
        planning.start(run, actor=maker)
    assert stopped() == set()
