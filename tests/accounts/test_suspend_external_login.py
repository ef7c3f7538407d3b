"""suspend-external-login over 2,000 people, and what the people of each provider meet."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.credentials import sign_ins
from accounts.credentials.admissions import Origin
from accounts.models import AuthEvent, ExternalIdentity, ExternalIdentityTransition, Session
from tests.factories import PROVIDERS
from winddown.errors import GuardNotMet
from winddown.evidence import invariants
from winddown.models import Capability, Run
from winddown.programme import capabilities
from winddown.runs import planning, progress, registry

pytestmark = pytest.mark.django_db

SUSPEND = "suspend-external-login"
NOWHERE = Origin()


def test_the_plan_counts_per_provider_and_the_people_without_another_way_in(
    population: Any, plan_of: Any
) -> None:
    """Every tenth person has no password; every second of those has LINE, and all of these have
    Yahoo too.
    """
    population(2_000)

    every, line = plan_of(SUSPEND), plan_of(SUSPEND, providers=["line"])

    assert every["counts"] == {
        "identities": 600,
        "identities_facebook": 0,
        "identities_google": 0,
        "identities_line": 500,
        "identities_twitter": 0,
        "identities_yahoo": 100,
    }
    assert every["locked_out"] == {
        "only_external_login": 100,
        "only_external_login_without_channel": 100,
    }
    assert every["terms"] == {"switches": [f"login_external:{each}" for each in PROVIDERS]}
    assert line["counts"] == {"identities": 500, "identities_line": 500}
    assert line["locked_out"]["only_external_login"] == 0, "Yahoo is left to them"


def test_the_run_does_what_the_plan_said(population: Any, done: Any) -> None:
    """Rule 61."""
    population(2_000)

    run = done(SUSPEND)

    assert run.state == Run.State.SUCCEEDED
    assert progress.moved(run) == {"suspend_identities": 600, "remove_sessions": 500}
    assert not ExternalIdentity.objects.exclude(state="suspended").exists()
    assert ExternalIdentityTransition.objects.filter(run_id=run.pk).count() == 600
    assert Session.objects.count() == 1_500, "sessions by password are left"
    switches = Capability.objects.filter(code__startswith="login_external:")
    assert {(each.state, each.ratified_by_id) for each in switches} == {
        ("disabled", planning.checker(run).pk)
    }
    found = {each.code: each.breaches() for each in invariants.known() if each.code == "I8"}
    assert found == {"I8": []}


def test_a_second_run_changes_nothing(population: Any, done: Any) -> None:
    """Rule 4."""
    population(200)
    done(SUSPEND)
    versions = list(Capability.objects.order_by("pk").values())

    second = done(SUSPEND)

    assert (second.state, progress.moved(second)) == ("succeeded", {})
    assert second.plans.get().content["excluded"] == {"identities_suspended_already": 60}
    assert list(Capability.objects.order_by("pk").values()) == versions


def test_only_the_named_provider_is_suspended(person: Any, browser: Any, done: Any) -> None:
    ours, theirs = person(provider="line"), person(provider="yahoo")
    line, yahoo = browser(), browser()
    line.come_back_from("line", ours.login_id)
    yahoo.come_back_from("yahoo", theirs.login_id)

    done(SUSPEND, providers=["line"])

    assert ours.login_id not in line.who()
    assert yahoo.who() == theirs.login_id
    assert browser().come_back_from("yahoo", theirs.login_id)
    assert not browser().come_back_from("line", ours.login_id)


def test_a_callback_and_a_session_are_refused_at_once_without_a_worker(
    person: Any, browser: Any, started: Any
) -> None:
    """Rule 14."""
    someone, window = person(provider="line"), browser()
    window.come_back_from("line", someone.login_id)
    assert window.who() == someone.login_id

    started(SUSPEND)

    assert window.who() == "provider_stopped"
    assert window.who() == ""
    assert not browser().come_back_from("line", someone.login_id)
    assert browser().sign_in(someone.login_id), "the password still opens"
    outcomes = AuthEvent.objects.order_by("occurred_at").values_list("method", "outcome")
    assert list(outcomes) == [("line", "success"), ("line", "refused"), ("password", "success")]


def test_a_restored_provider_does_not_revive_old_sessions(
    person: Any, browser: Any, two: Any
) -> None:
    someone, window = person(provider="line"), browser()
    window.come_back_from("line", someone.login_id)
    code = "login_external:line"
    capabilities.stop(code, actor=two[0], reason="attack")
    capabilities.ratify(code, actor=two[1])

    capabilities.request_restore(code, actor=two[0], reason="mended")
    capabilities.restore(code, actor=two[1], reason="mended")

    assert window.who() == "provider_stopped"
    assert window.come_back_from("line", someone.login_id)
    assert window.who() == someone.login_id


def test_a_suspended_identity_opens_nothing_after_the_provider_is_restored(
    person: Any, done: Any, two: Any, staff: Any
) -> None:
    someone = person(provider="line")
    done(SUSPEND, providers=["line"])
    code = "login_external:line"
    capabilities.request_restore(code, actor=two[0], reason="mended")
    capabilities.restore(code, actor=two[1], reason="mended")
    identity = ExternalIdentity.objects.get()

    assert sign_ins.sign_in_external("line", identity.subject, origin=NOWHERE) is None

    run = done(SUSPEND, providers=["line"], restore=True)

    assert progress.moved(run) == {"restore_identities": 1}
    opened = sign_ins.sign_in_external("line", identity.subject, origin=NOWHERE)
    assert opened == someone


def test_restored_identities_open_nothing_while_their_provider_is_stopped(
    person: Any, done: Any
) -> None:
    person(provider="line")
    person(provider="yahoo")
    done(SUSPEND)

    done(SUSPEND, providers=["line"], restore=True)

    assert not Capability.objects.exclude(state="disabled").filter(code__contains="external:line")
    identity = ExternalIdentity.objects.get(provider="line")
    assert identity.state == ExternalIdentity.State.ACTIVE
    assert sign_ins.sign_in_external("line", identity.subject, origin=NOWHERE) is None
    assert ExternalIdentity.objects.get(provider="yahoo").state == "suspended"
    again = done(SUSPEND, providers=["line"], restore=True)
    assert progress.moved(again) == {}


def test_a_provider_lets_no_member_of_staff_in(staff: Any, switches: None) -> None:
    """Rule 16."""
    from winddown import clock

    officer = staff("support")
    ExternalIdentity.objects.create(
        user=officer, provider="line", subject="officer", linked_at=clock.now()
    )

    assert sign_ins.sign_in_external("line", "officer", origin=NOWHERE) is None
    assert sign_ins.sign_in_external("line", "unknown", origin=NOWHERE) is None


@pytest.mark.parametrize(
    "params",
    [
        {"providers": ["line", "myspace"]},
        {"provider": "line"},
        {"providers": "line"},
        {"restore": "yes"},
    ],
)
def test_unknown_parameters_are_refused(plan_of: Any, params: dict[str, Any]) -> None:
    with pytest.raises(GuardNotMet):
        plan_of(SUSPEND, **params)


def test_verification_finds_rows_that_were_left(population: Any, done: Any, two: Any) -> None:
    from winddown import clock

    population(20)
    run = done(SUSPEND, providers=["line"])
    workflow = registry.get(SUSPEND)
    assert workflow.verify(run) == []
    someone = Session.objects.select_related("user").first().user

    ExternalIdentity.objects.create(
        user=someone, provider="line", subject="late", linked_at=clock.now()
    )
    Session.objects.create(
        session_key="late",
        expire_date=clock.now(),
        user=someone,
        issued_at=clock.now(),
        method="line",
    )

    assert workflow.verify(run) == [
        "1 sessions were issued by login_external:line after it was stopped",
        "1 identities are still active",
        "1 sessions of suspended providers are left",
    ]
