"""Decisions about runs and switches on the console use the same verbs and give the same refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from tests import factories
from tests.signing_in import open_session
from tests.told import told
from wallets.movements import spending
from winddown import clock
from winddown.actors import SYSTEM
from winddown.authority import approvals
from winddown.models import Approval, AuditEntry, Capability, Failure, Probe, Run
from winddown.programme import capabilities
from winddown.runs import control, planning, registry, working
from winddown.site import approval_page
from winddown.site.forms import plan_form
from winddown.site.programme_acts import FundsForm

pytestmark = pytest.mark.django_db


@pytest.fixture
def maker(staff: Callable[..., Any]) -> Any:
    return staff("incident_commander")


@pytest.fixture
def checker(staff: Callable[..., Any]) -> Any:
    return staff("incident_commander")


@pytest.fixture
def waiting(programme: Any, wallets: Callable[..., list[int]], maker: Any) -> Run:
    wallets(4)
    return planning.plan("freeze-charges", actor=maker, reason="an attack")


# --- runs ---------------------------------------------------------------------------------------


def test_a_plan_can_be_made_on_the_console(
    programme: Any, maker: Any, signed_in: Callable[..., Client]
) -> None:
    browser = signed_in(maker)
    offered = browser.get("/console/workflows/freeze-charges/plan/").context["form"]

    answer = browser.post(
        "/console/workflows/freeze-charges/plan/",
        {"sources": offered["sources"].value(), "register": "on", "reason": "an attack"},
    )

    run = Run.objects.get()
    assert run.params == {"sources": list(factories.SOURCES), "register": True}
    assert answer["Location"] == f"/console/runs/{run.pk}/"
    assert (run.state, run.maker, run.reason) == ("awaiting_approval", maker, "an attack")


@pytest.mark.parametrize("params", [{}, {"sources": ["gold"]}, {"sources": "gold"}], ids=str)
def test_unknown_parameters_are_refused_beside_their_field(
    programme: Any, maker: Any, signed_in: Callable[..., Client], params: dict[str, Any]
) -> None:
    answer = signed_in(maker).post(
        "/console/workflows/freeze-charges/plan/", params | {"reason": "an attack"}
    )

    assert answer.status_code == 200
    assert "There is a problem" in answer.content.decode()
    assert "<title>Error:" in answer.content.decode()
    assert "an attack" in answer.content.decode()
    assert not Run.objects.exists()


# workflow -> what is typed, and the parameters of the plan.
TYPED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "freeze-charges": (
        {"sources": ["points", "credit_card"]},
        {"sources": ["points", "credit_card"], "register": False},
    ),
    "reset-all-passwords": (
        {"mail": "file", "bounced_percent": "2.5", "source": "our carrier"},
        {"mail": "file", "limits": {"bounced_percent": 2.5, "source": "our carrier"}},
    ),
    "suspend-external-login": (
        {"providers": ["line"], "restore": "on"},
        {"providers": ["line"], "restore": True},
    ),
    "shut-down-by-deadline": ({"in_flight": "void"}, {"in_flight": "void"}),
    "refund-balances": (
        {"part": "pay", "value_date": "2019-11-15"},
        {"part": "pay", "value_date": "2019-11-15"},
    ),
    "shred-personal-data": (
        {"contact": "400", "backups_until": "2036-12-31"},
        {"keep_days": {"contact": 400}, "backups_until": "2036-12-31"},
    ),
}


@pytest.mark.parametrize("workflow", registry.names())
def test_the_form_of_each_workflow_gives_its_parameters(switches: None, workflow: str) -> None:
    typed, params = TYPED[workflow]
    form = plan_form(registry.get(workflow).form)({**typed, "reason": "r"})
    assert form.is_valid(), form.errors
    assert form.params() == params


@pytest.mark.parametrize(
    ("workflow", "typed", "missing"),
    [
        ("freeze-charges", {}, "sources"),
        ("reset-all-passwords", {"mail": "smtp", "counted_from": "0"}, "source"),
        ("reset-all-passwords", {"mail": "smtp", "complained_percent": "1"}, "source"),
        (
            "reset-all-passwords",
            {"mail": "smtp", "counted_from": "9" * 30, "source": "x"},
            "counted_from",
        ),
        ("suspend-external-login", {}, "providers"),
        ("refund-balances", {"part": "pay"}, "value_date"),
        ("shred-personal-data", {"identity": "3653"}, "backups_until"),
    ],
)
def test_what_is_missing_is_said_beside_its_field(
    workflow: str, typed: dict[str, str], missing: str
) -> None:
    form = plan_form(registry.get(workflow).form)({**typed, "reason": "r"})
    assert list(form.errors) == [missing]


@pytest.mark.parametrize(
    "workflow", sorted(set(registry.names()) - {"refund-balances", "shred-personal-data"})
)
def test_the_form_as_it_is_offered_gives_the_usual_parameters(
    switches: None, workflow: str
) -> None:
    kind = registry.get(workflow)
    offered = kind.form()
    usual = {
        name: offered.get_initial_for_field(field, name)
        or next(iter(getattr(field, "choices", [])), [""])[0]
        for name, field in offered.fields.items()
    }
    form = plan_form(kind.form)({**usual, "reason": "r"})
    assert form.is_valid(), form.errors
    assert kind.check_params(form.params()) == kind.check_params({})


def test_a_second_person_approves_exactly_what_the_page_showed(
    waiting: Run, checker: Any, signed_in: Callable[..., Client]
) -> None:
    """Rule 61."""
    browser = signed_in(checker)
    address = f"/console/runs/{waiting.pk}/approve/"
    shown = browser.get(address).context["form"]["digest"].value()

    browser.post(address, {"digest": shown, "reason": "counted"})

    assert Run.objects.get(pk=waiting.pk).state == Run.State.APPROVED


def test_a_plan_that_changed_after_the_page_was_shown_is_not_approved(
    waiting: Run,
    maker: Any,
    checker: Any,
    signed_in: Callable[..., Client],
    wallets: Callable[..., list[int]],
) -> None:
    """Rule 61: the signature covers the digest on the page, not the one at its arrival."""
    browser = signed_in(checker)
    address = f"/console/runs/{waiting.pk}/approve/"
    shown = browser.get(address).context["form"]["digest"].value()
    wallets(1)
    planning.replan(waiting, actor=maker, reason="more wallets")

    answer = browser.post(address, {"digest": shown, "reason": "counted"})

    assert "Plan again" in told(answer)
    assert Run.objects.get(pk=waiting.pk).state == Run.State.AWAITING_APPROVAL


def test_the_maker_sees_their_request_disabled_with_the_reason_and_cannot_approve_it(
    waiting: Run, maker: Any, signed_in: Callable[..., Client]
) -> None:
    browser = signed_in(maker)

    assert "Your own request: a second person decides." in browser.get("/console/").content.decode()
    page = browser.get(f"/console/runs/{waiting.pk}/").content.decode()
    assert "You have signed this already: a second person decides." in page
    assert f'href="/console/runs/{waiting.pk}/approve/"' not in page

    answer = browser.post(
        f"/console/runs/{waiting.pk}/approve/",
        {"digest": waiting.plan_digest, "reason": "I agree with myself"},
    )

    assert "A second person must decide" in told(answer)
    assert Run.objects.get(pk=waiting.pk).state == Run.State.AWAITING_APPROVAL


def test_a_person_without_the_permission_reads_the_refusal(
    waiting: Run, staff: Callable[..., Any], signed_in: Callable[..., Client]
) -> None:
    browser = signed_in(staff("support"))
    assert (
        "Only these roles may do this: "
        in browser.get(f"/console/runs/{waiting.pk}/").content.decode()
    )

    answer = browser.post(
        f"/console/runs/{waiting.pk}/approve/",
        {"digest": waiting.plan_digest, "reason": "fine"},
    )

    assert answer.status_code == 403
    assert "Roles that have it: Incident commander" in answer.content.decode()
    assert Run.objects.get(pk=waiting.pk).state == Run.State.AWAITING_APPROVAL


def test_a_rejection_ends_the_run(
    waiting: Run, checker: Any, signed_in: Callable[..., Client]
) -> None:
    signed_in(checker).post(
        f"/console/runs/{waiting.pk}/reject/",
        {"digest": waiting.plan_digest, "reason": "the wrong sources"},
    )

    assert Run.objects.get(pk=waiting.pk).state == Run.State.ABORTED


def test_a_run_is_started_paused_resumed_and_aborted(
    waiting: Run, maker: Any, checker: Any, signed_in: Callable[..., Client]
) -> None:
    """Rule 62."""
    planning.approve(waiting, actor=checker, digest=waiting.plan_digest, reason="counted")
    browser = signed_in(maker)
    for verb, state in (
        ("start", "running"),
        ("pause", "paused"),
        ("resume", "running"),
        ("abort", "aborted"),
    ):
        address = f"/console/runs/{waiting.pk}/{verb}/"
        assert browser.get(address).status_code == 200
        browser.post(address, {"reason": f"{verb} now"})
        assert Run.objects.get(pk=waiting.pk).state == state

    reasons = AuditEntry.objects.filter(subject=waiting.subject, actor=maker)
    assert reasons.filter(reason="abort now").exists()


def test_a_retry_names_its_run_and_one_class_of_its_failures(
    waiting: Run, maker: Any, checker: Any, signed_in: Callable[..., Client]
) -> None:
    planning.approve(waiting, actor=checker, digest=waiting.plan_digest, reason="counted")
    started = planning.start(Run.objects.get(pk=waiting.pk), actor=maker)
    for number, code in enumerate(("first_class", "second_class")):
        Failure.objects.create(
            run=started, step=started.step, subject_id=number, reason_code=code, at=clock.now()
        )
    working.work(started.pk)
    browser = signed_in(maker)
    address = f"/console/runs/{waiting.pk}/retry/"

    shown = browser.get(address).content.decode()
    assert f"The failed rows of one class of run {waiting.pk} are tried again" in shown
    assert "first_class" in shown

    browser.post(address, {"reason": "mended", "reason_code": "unheard_of"})
    assert not Failure.objects.exclude(retried_at=None).exists()
    browser.post(address, {"reason": "mended", "reason_code": "first_class"})
    assert Failure.objects.exclude(retried_at=None).get().reason_code == "first_class"
    assert Run.objects.get(pk=waiting.pk).state == Run.State.RUNNING


def test_a_decision_without_a_reason_is_refused(
    waiting: Run, checker: Any, signed_in: Callable[..., Client]
) -> None:
    answer = signed_in(checker).post(
        f"/console/runs/{waiting.pk}/approve/", {"digest": waiting.plan_digest, "reason": " "}
    )

    assert answer.status_code == 200
    assert "it goes into the audit journal" in answer.content.decode()
    assert Run.objects.get(pk=waiting.pk).state == Run.State.AWAITING_APPROVAL


def test_a_get_request_changes_nothing(
    waiting: Run, checker: Any, signed_in: Callable[..., Client]
) -> None:
    browser = signed_in(checker)
    for verb in ("approve", "reject", "plan-again", "abort", "start", "pause", "nonsense"):
        browser.get(f"/console/runs/{waiting.pk}/{verb}/")

    assert Run.objects.get(pk=waiting.pk).state == Run.State.AWAITING_APPROVAL


def test_a_form_of_another_site_is_refused(waiting: Run, checker: Any) -> None:
    browser = Client(enforce_csrf_checks=True)
    open_session(browser, checker)

    answer = browser.post(
        f"/console/runs/{waiting.pk}/approve/",
        {"digest": waiting.plan_digest, "reason": "forged"},
    )

    assert answer.status_code == 403
    assert Run.objects.get(pk=waiting.pk).state == Run.State.AWAITING_APPROVAL


@pytest.mark.parametrize(
    ("typed", "rate"), [("250", 250), ("", None), ("0", 9), ("-1", 9), ("many", 9)]
)
def test_the_rate_of_a_run_is_set_on_the_console(
    waiting: Run,
    maker: Any,
    checker: Any,
    signed_in: Callable[..., Client],
    typed: str,
    rate: int | None,
) -> None:
    planning.approve(waiting, actor=checker, digest=waiting.plan_digest, reason="counted")
    planning.start(waiting, actor=maker)
    Run.objects.filter(pk=waiting.pk).update(rate_rows_s_max=9)
    address = f"/console/runs/{waiting.pk}/rate/"
    assert signed_in(maker).get(address).context["form"]["rows_s_max"].value() == 9

    signed_in(maker).post(address, {"rows_s_max": typed, "reason": "the database is busy"})

    assert Run.objects.get(pk=waiting.pk).rate_rows_s_max == rate
    assert AuditEntry.objects.filter(action="run.rate").exists() is (rate != 9)


def test_the_rate_takes_its_permission(
    waiting: Run,
    maker: Any,
    checker: Any,
    staff: Callable[..., Any],
    signed_in: Callable[..., Client],
) -> None:
    planning.approve(waiting, actor=checker, digest=waiting.plan_digest, reason="counted")
    planning.start(waiting, actor=maker)
    signed_in(staff("support")).post(
        f"/console/runs/{waiting.pk}/rate/", {"rows_s_max": "1", "reason": "r"}
    )
    assert Run.objects.get(pk=waiting.pk).rate_rows_s_max is None


def test_the_page_of_an_ended_run_stops_polling(
    waiting: Run, maker: Any, checker: Any, signed_in: Callable[..., Client]
) -> None:
    browser = signed_in(maker)
    assert "data-hx-get" in browser.get(f"/console/runs/{waiting.pk}/").content.decode()
    planning.approve(waiting, actor=checker, digest=waiting.plan_digest, reason="counted")
    factories.worked_off(planning.start(waiting, actor=maker))

    page = browser.get(f"/console/runs/{waiting.pk}/").content.decode()

    assert "data-hx-get" not in page
    assert "Succeeded" in page


# --- switches -----------------------------------------------------------------------------------


def test_one_person_stops_and_a_second_person_ratifies(
    programme: Any, maker: Any, checker: Any, signed_in: Callable[..., Client]
) -> None:
    """Rules 1 and 3."""
    signed_in(maker).post("/console/switches/top_up:points/stop/", {"reason": "an attack"})
    switch = Capability.objects.get(code="top_up:points")
    assert (switch.state, switch.ratified_by) == ("disabled", None)

    answer = signed_in(maker).post("/console/switches/top_up:points/ratify/", {"reason": "me"})
    assert "A second person must decide" in told(answer)
    assert Capability.objects.get(code="top_up:points").ratified_by is None

    signed_in(checker).post("/console/switches/top_up:points/ratify/", {"reason": "I agree"})
    assert Capability.objects.get(code="top_up:points").ratified_by == checker


def test_a_restart_requires_two_people(
    programme: Any, maker: Any, checker: Any, signed_in: Callable[..., Client]
) -> None:
    """Rule 2."""
    capabilities.stop("spend", actor=maker, reason="test")
    first, second = signed_in(maker), signed_in(checker)

    first.post("/console/switches/spend/request-restore/", {"reason": "it is safe"})
    assert Capability.objects.get(code="spend").state == "restoring"
    answer = first.post("/console/switches/spend/restore/", {"reason": "it is safe"})
    assert "A second person must decide" in told(answer)
    assert Capability.objects.get(code="spend").state == "restoring"

    second.post("/console/switches/spend/restore/", {"reason": "I agree"})
    assert Capability.objects.get(code="spend").state == "enabled"


def test_one_person_keeps_a_switch_stopped(
    programme: Any, maker: Any, staff: Callable[..., Any], signed_in: Callable[..., Client]
) -> None:
    capabilities.stop("spend", actor=maker, reason="test")
    browser = signed_in(maker)
    browser.post("/console/switches/spend/request-restore/", {"reason": "it is safe"})

    signed_in(staff("support")).post("/console/switches/spend/keep-stopped/", {"reason": "no"})
    assert Capability.objects.get(code="spend").state == "restoring"
    browser.post("/console/switches/spend/keep-stopped/", {"reason": "it is not safe"})

    assert Capability.objects.get(code="spend").state == "disabled"
    told_twice = browser.post("/console/switches/spend/keep-stopped/", {"reason": "again"})
    assert told_twice.status_code == 302
    assert AuditEntry.objects.filter(action="capability.keep_stopped").count() == 1


def test_a_probe_proves_the_stop(
    programme: Any, maker: Any, signed_in: Callable[..., Client]
) -> None:
    browser = signed_in(maker)
    browser.post("/console/switches/spend/probe/")
    capabilities.stop("spend", actor=maker, reason="test")
    browser.post("/console/switches/spend/probe/")

    assert [probe.refused for probe in Probe.objects.order_by("pk")] == [False, True]
    assert "Probe now" in browser.get("/console/switches/spend/").content.decode()


def test_a_switch_that_does_not_exist_has_no_page(
    programme: Any, maker: Any, signed_in: Callable[..., Client]
) -> None:
    browser = signed_in(maker)

    assert browser.get("/console/switches/teleport/").status_code == 404
    assert browser.get("/console/switches/spend/explode/").status_code == 404
    assert browser.get("/console/workflows/world-peace/plan/").status_code == 404


# --- several switches ---------------------------------------------------------------------------


def test_several_switches_stop_with_one_reason(
    programme: Any, maker: Any, wallet: Callable[..., Any], signed_in: Callable[..., Client]
) -> None:
    spending.pay(
        wallet(paid_minor=100).pk, amount_minor=1, merchant_ref="m", payment_ref="p", actor=SYSTEM
    )
    capabilities.stop("withdraw", actor=maker, reason="earlier")
    browser = signed_in(maker)

    shown = browser.get("/console/switches/stop/").content.decode()
    assert "Payment (1 use in the last hour)" in shown
    assert "Withdrawal" not in shown
    # Nothing counts transfers.
    assert "Transfer between wallets</label>" in shown
    browser.post("/console/switches/stop/", {"codes": ["spend", "transfer"], "reason": "mules"})

    stopped = Capability.objects.exclude(state="enabled").order_by("code")
    assert [(each.code, each.reason) for each in stopped] == [
        ("spend", "mules"),
        ("transfer", "mules"),
        ("withdraw", "earlier"),
    ]
    assert Approval.objects.filter(stage="ratify").count() == 3


@pytest.mark.parametrize("codes", [[], ["withdraw"], ["nothing"]], ids=str)
def test_a_switch_that_is_not_on_is_not_stopped_with_others(
    programme: Any, maker: Any, signed_in: Callable[..., Client], codes: list[str]
) -> None:
    capabilities.stop("withdraw", actor=maker, reason="earlier")
    answer = signed_in(maker).post("/console/switches/stop/", {"codes": codes, "reason": "again"})
    assert answer.status_code == 200
    assert answer.context["form"].errors.keys() == {"codes"}
    assert Capability.objects.exclude(state="enabled").get().reason == "earlier"


def test_a_switch_that_another_person_stopped_meanwhile_does_not_keep_the_others_running(
    programme: Any, maker: Any, signed_in: Callable[..., Client]
) -> None:
    capabilities.stop("withdraw", actor=maker, reason="earlier")
    signed_in(maker).post(
        "/console/switches/stop/", {"codes": ["withdraw", "spend"], "reason": "mules"}
    )
    stopped = Capability.objects.exclude(state="enabled").order_by("code")
    assert [(each.code, each.reason) for each in stopped] == [
        ("spend", "mules"),
        ("withdraw", "earlier"),
    ]


def test_stopping_several_takes_the_permission(
    programme: Any, staff: Callable[..., Any], signed_in: Callable[..., Client]
) -> None:
    answer = signed_in(staff("support")).post(
        "/console/switches/stop/", {"codes": ["spend"], "reason": "no"}
    )
    assert answer.status_code == 403
    assert not Capability.objects.exclude(state="enabled").exists()


def test_a_stop_that_is_overdue_still_waits_on_its_page(
    programme: Any,
    maker: Any,
    checker: Any,
    signed_in: Callable[..., Client],
    rehearsal_clock: Any,
) -> None:
    """A stop that is not ratified never expires."""
    capabilities.stop("spend", actor=maker, reason="mules")
    asked = Approval.objects.get(stage="ratify")
    rehearsal_clock.travel(clock.now() + capabilities.RATIFY_WITHIN * 2, frozen=True)
    page = f"/console/approvals/{asked.pk}/approve/"

    browser = signed_in(checker)
    assert browser.get(page).status_code == 200
    browser.post(page, {"digest": asked.digest, "reason": "seen"})

    assert Capability.objects.get(code="spend").ratified_by == checker


# --- requests that were overtaken ---------------------------------------------------------------


def test_a_page_about_an_earlier_stop_decides_nothing_about_the_present_one(
    programme: Any, maker: Any, checker: Any, signed_in: Callable[..., Client]
) -> None:
    """The tab was open while the switch was restarted and stopped again for another reason."""
    capabilities.stop("spend", actor=maker, reason="the first attack")
    earlier = Approval.objects.get(stage="ratify")
    capabilities.request_restore("spend", actor=maker, reason="it is over")
    capabilities.restore("spend", actor=checker, reason="agreed")
    assert approvals.open_requests() == []
    capabilities.stop("spend", actor=maker, reason="something else")

    tab = f"/console/approvals/{earlier.pk}/approve/"
    answer = signed_in(checker).post(tab, {"digest": earlier.digest, "reason": "seen"})

    assert "waits for" in told(answer)
    assert Capability.objects.get(code="spend").ratified_by is None
    (present,) = approvals.open_requests()
    assert (present.reason, present.pk > earlier.pk) == ("something else", True)


def test_a_request_that_was_withdrawn_waits_no_longer(
    waiting: Run, maker: Any, checker: Any, signed_in: Callable[..., Client]
) -> None:
    capabilities.stop("spend", actor=maker, reason="mules", ratified_by=checker)
    capabilities.request_restore("spend", actor=maker, reason="it is over")
    assert {each.stage for each in approvals.open_requests()} == {"run", "restore"}
    asked = Approval.objects.get(stage="restore")

    browser = signed_in(checker)
    browser.post(
        f"/console/approvals/{asked.pk}/reject/", {"digest": asked.digest, "reason": "not yet"}
    )
    assert [each.stage for each in approvals.open_requests()] == ["run"]
    control.abort(waiting, actor=maker, reason="not needed")
    assert approvals.open_requests() == []

    for each in (asked, Approval.objects.get(stage="run")):
        answer = browser.get(f"/console/approvals/{each.pk}/approve/", follow=True)
        assert "no longer waits" in answer.content.decode()


def test_the_first_amount_that_is_not_zero_is_typed(
    programme: Any, wallets: Callable[..., list[int]], maker: Any, checker: Any
) -> None:
    """A plan that moves bonus value alone moves money too."""
    wallets(2, paid_minor=50)
    run = planning.plan("freeze-charges", actor=maker, reason="an attack")
    asked = Approval.objects.get(subject=run.subject)
    asked.summary["sums_minor"] = {"paid": 0, "bonus": 50, "other": 9}
    assert approval_page.look(asked, actor=checker).sum_minor("approve") == 50
    asked.summary["sums_minor"] = {"paid": 0, "bonus": 0}
    assert approval_page.look(asked, actor=checker).sum_minor("approve") is None


@pytest.mark.parametrize(
    ("currency", "typed", "said"),
    [
        ("JPY", "1000", 1_000),
        ("JPY", "\uff11\uff10\uff10\uff10", 1_000),
        ("JPY", "1.000", "fewer decimals"),
        ("EUR", "1.000", "fewer decimals"),
        ("EUR", "10.00", 1_000),
        ("EUR", "9" * 18, "too large"),
        ("EUR", "-1", "greater than or equal"),
        ("EUR", "1e5", 10_000_000),
        ("EUR", "NaN", "Enter a number"),
    ],
)
def test_an_amount_is_read_as_it_is_meant_or_refused(
    programme: Any, currency: str, typed: str, said: int | str
) -> None:
    """Who writes 1.000 may mean a thousand, in a currency with decimals or without."""
    type(programme).objects.update(currency=currency)
    form = FundsForm({"amount": typed, "reason": "reported"})
    with translation.override("en"):
        if form.is_valid():
            assert form.cleaned_data["amount"] == said
        else:
            assert str(said) in str(form.errors["amount"])
