"""Staff need a second factor, are asked again before a dangerous act, and sign in anew each day."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from accounts.models import Session
from accounts.sign_in import second_factor
from tests.accounts.conftest import OLD
from tests.accounts.sign_in.signing import add_app, half_in, make_stale
from tests.signing_in import next_code, open_session, sign_in
from winddown import clock
from winddown.models import AuditEntry, Capability, Probe
from winddown.runs import planning

pytestmark = pytest.mark.django_db


def paths() -> list[str]:
    """Returns every page that has an address of its own."""
    found = []
    for prefix in ("console:", ""):
        names = get_resolver().namespace_dict["console"][1] if prefix else get_resolver()
        for name in {key for key in names.reverse_dict if isinstance(key, str)}:
            from django.urls import NoReverseMatch, reverse

            for arguments in ([], [1], ["spend"], [1, "approve"], ["spend", "stop"], ["line"]):
                try:
                    found.append(reverse(f"{prefix}{name}", args=arguments))
                except NoReverseMatch:
                    continue
    return found


def test_staff_without_a_second_factor_reach_nothing(officer: Any) -> None:
    browser = half_in(officer)
    allowed = {
        "/account/confirm/password/",
        "/account/second-factor/",
        "/account/second-factor/app/",
        "/account/second-factor/passkey/",
        "/language/",
        "/sign-in/",
        "/sign-out/",
    }
    tried = set(paths()) - allowed
    assert {"/console/", "/account/sessions/", "/console/runs/1/approve/"} <= tried

    for path in sorted(tried):
        for answer in (browser.get(path), browser.post(path)):
            assert answer.status_code == 302, path
            assert answer["Location"] == "/account/second-factor/", path


def test_a_poll_by_staff_without_a_second_factor_reloads_the_page(officer: Any) -> None:
    answer = half_in(officer).get("/console/", headers={"HX-Request": "true"})

    assert answer["HX-Refresh"] == "true"


def test_an_added_factor_opens_the_console_and_is_asked_at_the_next_sign_in(officer: Any) -> None:
    browser = half_in(officer)
    add_app(browser)

    assert browser.get("/console/").status_code == 200
    assert half_in(officer).get("/console/")["Location"].startswith("/sign-in/")


def test_a_dangerous_act_asks_again_and_then_uses_what_was_typed(
    officer: Any, staff: Callable[..., Any]
) -> None:
    second_factor.add_app(officer)
    browser = Client(headers={"accept-language": "en"})
    sign_in(browser, officer.login_id, OLD)
    make_stale(browser)
    assert browser.get("/console/switches/transfer/stop/").status_code == 200, "looking is free"

    answer = browser.post("/console/switches/transfer/stop/", {"reason": "money mules"})
    assert (
        answer["Location"]
        == "/account/confirm/code/?next=%2Fconsole%2Fswitches%2Ftransfer%2Fstop%2F"
    )
    assert Capability.objects.get(code="transfer").state == "enabled"

    browser.post(
        answer["Location"], {"code": "nonsense", "next": "/console/switches/transfer/stop/"}
    )
    assert Capability.objects.get(code="transfer").state == "enabled"
    done = browser.post(
        answer["Location"], {"code": next_code(officer), "next": "/console/switches/transfer/stop/"}
    )

    assert done["Location"] == "/console/switches/transfer/"
    switch = Capability.objects.get(code="transfer")
    assert (switch.state, switch.reason) == ("disabled", "money mules")


@pytest.mark.parametrize(
    "act",
    ["/console/runs/{run}/approve/", "/console/workflows/freeze-charges/plan/"],
)
def test_every_dangerous_form_of_the_console_asks_again(
    act: str, officer: Any, staff: Callable[..., Any]
) -> None:
    run = planning.plan("freeze-charges", actor=staff("incident_commander"), reason="test")
    second_factor.add_app(officer)
    browser = Client()
    open_session(browser, officer)
    make_stale(browser)

    answer = browser.post(
        act.format(run=run.pk), {"reason": "x", "digest": run.plan_digest, "sources": ["points"]}
    )

    assert answer.status_code == 302
    assert answer["Location"].startswith("/account/confirm/code/")
    run.refresh_from_db()
    assert run.state == "awaiting_approval"


@pytest.mark.parametrize(
    ("act", "page"),
    [
        ("/console/switches/transfer/probe/", "/console/switches/transfer/"),
        ("/console/invariants/verify/", "/console/invariants/"),
    ],
)
def test_a_button_without_a_page_of_its_own_asks_again_and_is_then_done(
    act: str, page: str, officer: Any
) -> None:
    second_factor.add_app(officer)
    browser = Client()
    open_session(browser, officer)
    make_stale(browser)

    answer = browser.post(act)

    assert answer["Location"].startswith("/account/confirm/code/")
    assert not Probe.objects.exists()
    assert not AuditEntry.objects.filter(action="invariants.verify").exists()
    done = browser.post(answer["Location"], {"code": next_code(officer), "next": act})
    assert done["Location"] == page
    assert browser.session["account_authentication_methods"][-1]["reauthenticated"] is True
    assert Probe.objects.exists() or AuditEntry.objects.filter(action="invariants.verify").exists()


def test_a_session_of_staff_ends_after_eight_hours_even_in_constant_use(
    rehearsal_clock: Any, officer: Any
) -> None:
    browser, at = Client(), clock.now()
    rehearsal_clock.travel(at, frozen=True)
    open_session(browser, officer)
    rehearsal_clock.travel(at + dt.timedelta(hours=8), frozen=True)
    assert browser.get("/console/").status_code == 200

    rehearsal_clock.travel(at + dt.timedelta(hours=8, microseconds=1), frozen=True)

    assert browser.get("/console/")["Location"].startswith("/sign-in/")
    assert not Session.objects.filter(user=officer).exists()


def test_a_session_ends_half_an_hour_after_its_last_use_and_a_poll_is_no_use(officer: Any) -> None:
    browser = Client()
    open_session(browser, officer)

    def age(**session: Any) -> dt.timedelta:
        """Returns how long the session lives after this request, when it was idle for twenty
        minutes before.
        """
        row = Session.objects.get(user=officer)
        data = row.get_decoded()
        data["used_at"] = int(time.time()) - 20 * 60
        row.session_data = browser.session.encode(data)
        row.expire_date = timezone.now() + dt.timedelta(minutes=10)
        row.save()
        browser.get("/console/", **session)
        lives: dt.timedelta = Session.objects.get(user=officer).expire_date - timezone.now()
        return lives

    assert age(headers={"HX-Request": "true"}) < dt.timedelta(minutes=11)
    assert age() > dt.timedelta(minutes=29)


def test_a_session_of_a_customer_ends_with_the_browser_unless_remembered(
    person: Callable[..., Any],
) -> None:
    browser = half_in(person())

    assert browser.cookies["sessionid"]["max-age"] == ""
    assert browser.session.get_expire_at_browser_close()


def test_a_session_of_staff_ends_with_the_browser_even_if_remembered(officer: Any) -> None:
    second_factor.add_app(officer)
    browser = Client()

    sign_in(browser, officer.login_id, OLD, remember="on")

    assert browser.get("/console/").status_code == 200
    assert browser.session.get_expire_at_browser_close()
