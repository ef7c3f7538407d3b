"""Refused second factors, permissions and second signatures leave entries in the audit journal."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.messages import get_messages
from django.test import Client

from accounts.models import AuthEvent
from accounts.sign_in import second_factor
from tests.accounts.sign_in.signing import codes_of, half_in, make_stale
from tests.signing_in import is_signed_in, next_code, open_session, send_code
from winddown.errors import WinddownError
from winddown.models import AuditEntry

pytestmark = pytest.mark.django_db


def entries(action: str) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action=action).order_by("seq"))


def reasons(someone: Any) -> list[tuple[str, bool]]:
    """Returns why codes of the account were refused, and whether a pause began."""
    found = entries("access.code_refused")
    assert {entry.subject for entry in found} <= {f"account:{someone.pk}"}
    assert all(entry.actor_id is None for entry in found)
    return [(entry.facts["why"], entry.facts.get("pauses", False)) for entry in found]


def test_a_wrong_code_leaves_an_entry_and_a_right_one_none(protected: Any) -> None:
    browser = half_in(protected)

    browser.post("/sign-in/code/", {"code": "abcdef"})
    send_code(browser, protected)

    assert is_signed_in(browser)
    assert reasons(protected) == [("wrong", False)]


def test_a_code_that_was_used_leaves_an_entry_that_says_so(protected: Any) -> None:
    app, paper = next_code(protected), codes_of(protected)[2]
    for code in (app, paper):
        assert half_in(protected).post("/sign-in/code/", {"code": code}).status_code == 302

    for code in (app, paper, f"{paper[:4]}-{paper[4:]}"):
        assert half_in(protected).post("/sign-in/code/", {"code": code}).status_code == 200

    assert reasons(protected) == [("used", False)] * 3


def test_a_pause_leaves_an_entry_and_so_does_one_code_within_it(protected: Any) -> None:
    browser = half_in(protected)
    for _ in range(2):
        for _ in range(second_factor.WRONG_CODES_MAX + 3):
            browser.post("/sign-in/code/", {"code": "abcdef"})
        row = Authenticator.objects.exclude(type="recovery_codes").get(user=protected)
        row.data["paused_until"] = time.time() - 1
        row.save()

    wrong = [("wrong", False)] * (second_factor.WRONG_CODES_MAX - 1)
    assert reasons(protected) == [*wrong, ("wrong", True), ("paused", False)] * 2


def test_a_wrong_code_for_a_fresh_proof_leaves_an_entry(protected: Any) -> None:
    browser = half_in(protected)
    send_code(browser, protected)
    make_stale(browser)

    browser.post("/account/confirm/code/", {"code": "abcdef"})

    assert reasons(protected) == [("wrong", False)]


@pytest.mark.parametrize(
    "sent", ['{"id": 1}', '{"id": "AAAA", "rawId": "AAAA", "type": "public-key"}']
)
def test_a_refused_passkey_leaves_an_entry(protected: Any, sent: str) -> None:
    browser = half_in(protected)

    answer = browser.post("/sign-in/code/", {"credential": sent})

    assert answer.status_code == 200
    (entry,) = entries("access.passkey_refused")
    assert (entry.subject, entry.actor_id) == (f"account:{protected.pk}", None)


def test_refused_passkeys_do_not_flood_the_journal(protected: Any) -> None:
    browser = half_in(protected)
    for _ in range(30):
        browser.post("/sign-in/code/", {"credential": '{"id": 1}'})

    assert len(entries("access.passkey_refused")) == 20


def test_staff_without_the_permission_leave_an_entry_at_each_page_of_the_cases(
    staff: Callable[..., Any], programme: Any
) -> None:
    browser, reader = Client(), staff("auditor")
    second_factor.add_app(reader)
    open_session(browser, reader)

    assert browser.get("/console/recovery/").status_code == 403
    assert browser.get("/console/recovery/1/").status_code == 403
    assert browser.post("/console/recovery/1/take/", {"reason": "x"}).status_code == 403

    found = entries("refused")
    assert [(entry.actor_id, entry.facts["refusal"]) for entry in found] == [
        (reader.pk, "NotPermitted")
    ] * 3


def test_a_plan_by_somebody_without_the_permission_leaves_an_entry(
    staff: Callable[..., Any], programme: Any, switches: None
) -> None:
    browser, reader = Client(), staff("auditor")
    second_factor.add_app(reader)
    open_session(browser, reader)

    sent = {"reason": "test", "mail": "file"}
    assert browser.post("/console/workflows/reset-all-passwords/plan/", sent).status_code == 403

    (entry,) = entries("refused")
    assert (entry.actor_id, entry.facts["refusal"]) == (reader.pk, "NotPermitted")


def test_a_second_signature_of_one_person_leaves_an_entry(
    started: Callable[..., Any], switches: None, staff: Callable[..., Any]
) -> None:
    browser, maker = Client(), staff("incident_commander")
    second_factor.add_app(maker)
    open_session(browser, maker)
    sent = {"reason": "test", "mail": "file"}
    run = browser.post("/console/workflows/reset-all-passwords/plan/", sent)["Location"]
    digest = browser.get(f"{run}approve/").context["form"].initial["digest"]

    browser.post(f"{run}approve/", {"reason": "me too", "digest": digest})

    (entry,) = entries("refused")
    assert (entry.actor_id, entry.facts["refusal"]) == (maker.pk, "SamePerson")


@pytest.mark.parametrize("sent", ["{", "[]", "\x00", '{"id": 1}'])
def test_a_passkey_that_cannot_be_read_leaves_an_entry_too(protected: Any, sent: str) -> None:
    half_in(protected).post("/sign-in/code/", {"credential": sent})

    assert len(entries("access.passkey_refused")) == 1


def handle_of(someone: Any) -> str:
    """Returns what a browser sends as the owner of a passkey."""
    return urlsafe_b64encode(str(someone.pk).encode()).decode().rstrip("=")


@pytest.mark.parametrize("whose", ["nobody", "somebody", "unreadable"])
def test_a_refused_passkey_alone_leaves_an_entry_and_names_nobody(
    protected: Any, whose: str
) -> None:
    """Whoever sends it writes the account's number into it, so the number proves nothing."""
    handles = {"nobody": "OTk5OTk5", "somebody": handle_of(protected)}
    response = {
        "authenticatorData": "AAAA",
        "clientDataJSON": "e30",
        "signature": "AAAA",
        "userHandle": handles.get(whose, "A"),
    }
    key = {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": response}
    sent = "[" if whose == "unreadable" else json.dumps(key)

    answer = Client().post("/sign-in/passkey/", {"credential": sent})

    assert answer["Location"] == "/sign-in/"
    (entry,) = entries("access.passkey_refused")
    assert (entry.subject, entry.actor_id) == ("sign_in:passkey", None)


def test_refused_passkeys_of_nobody_do_not_flood_the_journal(switches: None) -> None:
    for number in range(30):
        Client(REMOTE_ADDR="203.0.113.7").post("/sign-in/passkey/", {"credential": f"[{number}"})
    assert len(entries("access.passkey_refused")) == 20

    for number in range(250):
        browser = Client(REMOTE_ADDR=f"198.51.{number}.7")
        browser.post("/sign-in/passkey/", {"credential": "["})
    assert len(entries("access.passkey_refused")) == 200


def test_passkeys_over_the_limit_of_a_network_are_not_looked_at(switches: None) -> None:
    answers = [send_a_passkey("203.0.113.7") for _ in range(30)]
    assert not AuthEvent.objects.exists()

    assert [send_a_passkey("203.0.113.7") for _ in range(2)] == answers[:2]

    assert (
        list(AuthEvent.objects.values_list("method", "outcome", "network", "user_id"))
        == [("passkey", "refused", "203.0.113.7", None)] * 2
    )
    send_a_passkey("198.51.100.7")
    assert AuthEvent.objects.count() == 2


def send_a_passkey(network: str) -> tuple[int, str, list[str]]:
    """Returns the status, the target and the messages of the answer."""
    answer = Client(REMOTE_ADDR=network).post("/sign-in/passkey/", {"credential": "["})
    said = [str(message) for message in get_messages(answer.wsgi_request)]
    return answer.status_code, answer["Location"], said


def test_a_form_without_a_passkey_leaves_none(switches: None) -> None:
    Client().post("/sign-in/passkey/", {})

    assert entries("access.passkey_refused") == []


# --- what nobody does for themselves ------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "given", "refusal"),
    [
        ("recover", {"second_factor_lost": "lost"}, "StaffOnlyByStaff"),
        ("roles", {"roles": ["auditor"]}, "NotForOneself"),
    ],
)
def test_who_asks_for_the_own_access_leaves_an_entry(
    staff: Callable[..., Any], programme: Any, verb: str, given: Any, refusal: str
) -> None:
    browser, someone = Client(), staff("incident_commander")
    second_factor.add_app(someone)
    open_session(browser, someone)

    browser.post(f"/console/staff/{someone.pk}/{verb}/", {"reason": "mine", **given})

    (entry,) = entries("refused")
    assert (entry.actor_id, entry.facts["refusal"]) == (someone.pk, refusal)


def test_a_person_with_roles_that_exclude_each_other_leaves_an_entry(
    staff: Callable[..., Any], programme: Any
) -> None:
    browser, someone = Client(), staff("incident_commander")
    second_factor.add_app(someone)
    open_session(browser, someone)
    sent = {"reason": "both", "roles": ["treasury_operator", "treasury_approver"]}

    browser.post(f"/console/staff/{staff('support').pk}/roles/", sent)

    (entry,) = entries("refused")
    assert (entry.actor_id, entry.facts["refusal"]) == (someone.pk, "RolesExclude")


def test_every_refusal_about_who_acts_is_noted() -> None:
    """A new error about the acting person is added here, or says why it leaves no entry."""
    noted = {error.__name__ for error in every_error() if error.noted}
    assert noted == {
        "NotForOneself", "NotPermitted", "OwnAccount", "RolesExclude", "SamePerson",
        "StaffOnlyByStaff",
    }  # fmt: skip


def every_error(of: type[WinddownError] = WinddownError) -> Iterator[type[WinddownError]]:
    for error in of.__subclasses__():
        yield error
        yield from every_error(error)
