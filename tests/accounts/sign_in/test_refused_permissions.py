"""A refused permission, device token or handshake leaves a row, and many of them leave a few."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.management import call_command
from django.test import Client
from django.urls import resolve

from accounts.models import AuthEvent, User
from accounts.sign_in import second_factor
from tests.accounts.oidc_provider import Provider
from tests.config.test_every_door import DOORS, OF_STAFF, PUBLIC, browser_of
from tests.signing_in import come_back, go_to_provider, open_session
from winddown.evidence import refused
from winddown.models import AuditEntry

pytestmark = pytest.mark.django_db


def entries(action: str) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action=action).order_by("seq"))


def test_a_customer_at_each_console_page_leaves_an_entry(
    programme: Any, customer: Callable[..., Any]
) -> None:
    """The number of entries of one customer is limited, so each page meets another one."""
    doors = [each for each in DOORS if each.name.startswith(OF_STAFF) and each.name not in PUBLIC]
    for door in doors:
        someone = customer()
        browser = browser_of(someone)
        answers = {browser.get(door.address).status_code, browser.post(door.address).status_code}

        assert answers <= {403, 405}, door
        found = AuditEntry.objects.filter(action="refused", actor_id=someone.pk)
        assert {entry.facts["facts"]["action"] for entry in found} == {
            f"open {resolve(door.address).view_name}"
        }, door


def test_a_customer_who_asks_again_and_again_does_not_flood_the_journal(
    programme: Any, customer: Callable[..., Any]
) -> None:
    browsers = [browser_of(customer()) for _ in range(2)]
    for browser in browsers:
        for _ in range(refused.OF_A_CUSTOMER_MAX + 5):
            assert browser.get("/console/").status_code == 403

    assert len(entries("refused")) == 2 * refused.OF_A_CUSTOMER_MAX


def test_staff_leave_an_entry_wherever_a_page_asks_for_a_permission(
    staff: Callable[..., Any], programme: Any
) -> None:
    """Each page of the console asks through `staff_page`, also one that is added later."""
    reader = staff("support")
    second_factor.add_app(reader)
    browser = Client()
    open_session(browser, reader)

    for address in ("/console/audit/", "/console/approvals/", "/console/staff/"):
        assert browser.get(address).status_code == 403

    assert [entry.facts["refusal"] for entry in entries("refused")] == ["NotPermitted"] * 3


def test_who_disables_the_own_account_leaves_an_entry(staff: Callable[..., Any]) -> None:
    officer = staff("incident_commander")
    with pytest.raises(SystemExit):
        call_command(
            "staff", "disable", officer.login_id, f"--by={officer.login_id}", "--reason=test"
        )

    (entry,) = entries("refused")
    assert (entry.actor_id, entry.facts["refusal"]) == (officer.pk, "OwnAccount")
    assert User.objects.get(pk=officer.pk).is_active


# --- devices ------------------------------------------------------------------------------------


def ask(browser: Client) -> Any:
    body = json.dumps({"device_name": "phone"})
    return browser.post("/account/devices/", body, content_type="application/json")


def show(token: str, **options: Any) -> int:
    headers = {"authorization": f"Bearer {token}"}
    return Client(**options).get("/account/devices/", headers=headers).status_code


def test_a_device_that_is_given_no_token_leaves_an_entry(
    customer: Callable[..., Any], staff: Callable[..., Any], programme: Any
) -> None:
    someone, officer = customer(), staff("support")
    assert ask(browser_of(someone, shown_s_ago=3_600)).status_code == 403
    assert ask(browser_of(officer)).status_code == 403

    found = [(entry.actor_id, entry.facts["why"]) for entry in entries("access.token_not_given")]
    assert found == [(someone.pk, "stale sign-in"), (officer.pk, "TokensAreForCustomers")]


def test_a_token_that_was_revoked_leaves_an_entry_about_its_owner(
    customer: Callable[..., Any], programme: Any
) -> None:
    someone = customer()
    browser = browser_of(someone)
    given = ask(browser).json()
    assert show(given["token"]) == 200
    browser.post(f"/account/devices/{given['number']}/revoke/")
    assert entries("access.token_refused") == []

    for _ in range(25):
        assert show(given["token"]) == 401

    found = entries("access.token_refused")
    assert [(entry.subject, entry.actor_id) for entry in found] == [
        (f"account:{someone.pk}", None)
    ] * 20


def test_an_unknown_token_leaves_an_entry_and_many_leave_a_few(programme: Any) -> None:
    for number in range(25):
        assert show(f"{number}", REMOTE_ADDR="203.0.113.7") == 401
    assert [entry.subject for entry in entries("access.token_refused")] == ["sign_in:token"] * 20

    for number in range(250):
        show("x", REMOTE_ADDR=f"198.51.{number}.7")
    assert len(entries("access.token_refused")) == 200


# --- another service ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lie",
    [{"nonce": "of another start"}, {"nonce": None}, {"aud": "another client"}, {"exp": 1}],
    ids=str,
)
def test_an_answer_that_proves_nobody_is_an_attempt_that_was_refused(
    linked: Any, provider: Provider, lie: dict[str, Any]
) -> None:
    provider.lie = lie
    browser = Client()

    come_back(browser, provider, go_to_provider(browser))

    (event,) = AuthEvent.objects.all()
    assert (event.outcome, event.method, event.user_id) == ("refused", "line", None)


def test_an_answer_signed_by_another_key_is_an_attempt_that_was_refused(
    linked: Any, provider: Provider
) -> None:
    provider.sign_with = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    browser = Client()

    come_back(browser, provider, go_to_provider(browser))

    assert AuthEvent.objects.get().outcome == "refused"
