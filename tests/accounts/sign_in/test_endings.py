"""Sessions and device tokens end by themselves, and their owner is told of every new way in."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.credentials import session_rules
from accounts.models import Message
from tests.accounts.conftest import OLD
from tests.signing_in import is_signed_in, sign_in
from winddown import clock
from winddown.actors import SYSTEM
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NotPermitted
from winddown.evidence import refused
from winddown.models import AuditEntry

pytestmark = pytest.mark.django_db


def token_for(browser: Client) -> Any:
    body = json.dumps({"device_name": "phone"})
    return browser.post("/account/devices/", body, content_type="application/json")


def works(token: str) -> bool:
    answer = Client().get("/account/devices/", headers={"authorization": f"Bearer {token}"})
    return answer.status_code == 200


@pytest.mark.usefixtures("rehearsal_clock")
def test_a_session_of_a_customer_ends_by_itself_even_in_constant_use(
    person: Callable[..., Any],
) -> None:
    browser, began = Client(), clock.now()
    clock.travel(began, frozen=True)
    sign_in(browser, person().login_id, OLD, remember="on")
    last = began + session_rules.CUSTOMER_SESSION_MAX
    for at in (began + dt.timedelta(days=10), began + dt.timedelta(days=20), last):
        clock.travel(at, frozen=True)
        assert is_signed_in(browser)
    clock.travel(last + dt.timedelta.resolution, frozen=True)
    assert not is_signed_in(browser)


@pytest.mark.usefixtures("rehearsal_clock")
def test_a_device_token_ends_by_itself(person: Callable[..., Any]) -> None:
    browser, began = Client(), clock.now()
    clock.travel(began, frozen=True)
    sign_in(browser, person().login_id, OLD)
    token = token_for(browser).json()["token"]
    clock.travel(began + session_rules.TOKEN_MAX, frozen=True)
    assert works(token)
    clock.travel(began + session_rules.TOKEN_MAX + dt.timedelta.resolution, frozen=True)
    assert not works(token)


def test_a_device_token_requires_a_fresh_proof_and_its_owner_is_told(
    person: Callable[..., Any],
) -> None:
    someone, browser = person(), Client()
    sign_in(browser, someone.login_id, OLD)
    session = browser.session
    proofs = session["account_authentication_methods"]
    session["account_authentication_methods"] = [{**each, "at": 0} for each in proofs]
    session.save()
    assert token_for(browser).status_code == 403
    assert not Message.objects.exists()

    session["account_authentication_methods"] = proofs
    session.save()
    assert token_for(browser).status_code == 201
    told = Message.objects.get(user=someone)
    assert (told.kind, told.facts) == (Message.Kind.ACCESS_CHANGED, {"event": "device_added"})
    assert AuditEntry.objects.filter(action="access.device_added", actor_id=someone.pk).exists()


@pytest.mark.parametrize(
    "body",
    [
        r'{"device_name": null}',
        r'{"device_name": {"a": 1}}',
        r'{"device_name": "\u200b"}',
        b'{"device_name": "\xff"}',
        "[" * 100_000,
        '{"device_name": ' + "9" * 5_000 + "}",
        "[]",
        "",
    ],
)
def test_a_device_with_an_unusable_name_gets_no_token(
    body: str | bytes, person: Callable[..., Any]
) -> None:
    browser = Client(raise_request_exception=False)
    sign_in(browser, person().login_id, OLD)
    answer = browser.post("/account/devices/", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_refusals_by_permission_and_by_same_person_leave_audit_entries(
    rehearsal_clock: Any, programme: Any, staff: Callable[..., Any]
) -> None:
    clerk, maker = staff("support"), staff("incident_commander")
    with pytest.raises(SystemExit):
        call_command("stop_capability", "spend", by=clerk.login_id, reason="test")
    entry = AuditEntry.objects.get(action="refused")
    assert (entry.actor_id, entry.facts["refusal"]) == (clerk.pk, "NotPermitted")

    call_command("stop_capability", "spend", by=maker.login_id, reason="test")
    asked = approvals.standing("capability:spend:2", stage="ratify")
    assert asked is not None
    with pytest.raises(SystemExit):
        call_command(
            "approve", "capability:spend:2", by=maker.login_id, reason="test", digest=asked.digest
        )
    assert AuditEntry.objects.filter(action="refused", actor_id=maker.pk).exists()
    # What another rule refuses, or what the system is refused, is no entry.
    refused.note(GuardNotMet(action="stop", why="it is stopped"), clerk)
    refused.note(NotPermitted(actor="system", action="stop", permission="x"), SYSTEM)
    assert AuditEntry.objects.filter(action="refused").count() == 2
