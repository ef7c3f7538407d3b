"""Every address of the site refuses a form from a person who may not send it, and changes nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLResolver, get_resolver

from accounts.sign_in import second_factor
from tests.signing_in import open_session

pytestmark = pytest.mark.django_db


class Door(NamedTuple):
    """A view by its full name, and an address that leads to it."""

    name: str
    address: str


# What stands for the variable parts of an address.
PARTS = {
    "number": "1",
    "pk": "1",
    "code": "spend",
    "key": "incident_final:privacy_commission:2022-07-03",
    "verb": "approve",
    "version": "1",
    "name": "freeze-charges",
    "sha256": "0" * 64,
    "provider": "line",
    "provider_id": "line",
    "token": "token",
    "content_type_id": "1",
    "object_id": "1",
    "app_label": "winddown",
    "url": "nowhere",
}
# Anybody may send these: they are how people come in, ask for help, and leave.
PUBLIC = {
    "account_login",
    "console:begin",
    "external_sign_in",
    "mfa_authenticate",
    "mfa_login_webauthn",
    "notice_check",
    "openid_connect_callback",
    "recovery:ask",
    "recovery:case",
    "recovery:case_link",
    "recovery:first_password",
    "recovery:help",
    "recovery:open",
    "recovery:password",
    "recovery:register",
    "recovery:sent",
    "refund:claim",
    "refund:claim_code",
    "refund:claim_end",
    "refund:statement_check",
    "set_language",
    "sign_in",
    "sign_out",
}
# Only somebody who showed a short while ago who it is sends these.
FRESH = {
    "claim_code",
    "cases:contact",
    "cases:decide",
    "console:alarm_acknowledge",
    "console:applications_act",
    "console:claims_act",
    "console:issuers_act",
    "console:approval_decide",
    "console:duty",
    "console:filing_act",
    "console:hold_candidates",
    "console:look_up_contact",
    "console:bank_answer_act",
    "console:bank_codes_act",
    "console:merchants_act",
    "console:break_act",
    "console:payment_block_act",
    "console:persons_act",
    "console:document_act",
    "console:unusual_act",
    "console:closing_act",
    "console:other_ends_act",
    "console:bank_day_act",
    "console:payout_view_act",
    "console:payout_act",
    "console:plan",
    "console:programme_act",
    "console:reminders_act",
    "console:reset_act",
    "console:restored_decide",
    "console:run_decide",
    "console:set_up_change",
    "console:set_up_decide",
    "console:switch_decide",
    "console:switch_probe",
    "console:tracing_act",
    "console:recall_act",
    "console:trace_act",
    "console:voucher_act",
    "lost_code",
    "fraud_answer",
    "fraud_appeal",
    "fraud_file",
    "fraud_report",
    "console:wave_act",
    "console:switches_stop",
    "console:verify",
    "console:witness",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_deactivate_totp",
    "mfa_generate_recovery_codes",
    "mfa_remove_webauthn",
    "recovery:address",
    "refund:again",
    "refund:change",
    "refund:documents",
    "refund:leave",
    "refund:withdraw",
    "staff:add",
    "staff:decide",
}
# Signed-in people send these without a proof of a short while ago, for the reason that is given.
STALE = {
    "account_reauthenticate": "it gives the proof",
    "mfa_reauthenticate": "it gives the proof",
    "mfa_reauthenticate_webauthn": "it gives the proof",
    "console:look_up_find": "it only leads to a page that is read, and the reading is recorded",
    "devices": "it answers the app itself, and refuses an old proof: tests/accounts/sign_in",
    "end_session": "it only takes a way in away",
    "home": "it is only read",
    "mfa_index": "it is only read",
    "mfa_view_recovery_codes": "it is only read",
    "open_sessions": "it is only read",
    "refund:account": "it only keeps an answer",
    "refund:prove": "it gives the proof",
    "refund:arrived": "it gives nothing: a no is looked into by people",
    "refund:address": "it only keeps an answer",
    "refund:bank": "it only keeps an answer",
    "refund:check": "it replaces no account that is known: refund:change does",
    "refund:name": "it only keeps an answer",
    "revoke_device": "it only takes a way in away",
    "sign_out_everywhere": "it only takes ways in away",
}
# Staff at the console.
OF_STAFF = ("console:", "cases:", "staff:")
# No 404: a view that looks for the row first has let the person in.
REFUSED = (401, 403, 405)


def _doors(resolver: Any, prefix: str = "", space: str = "") -> Iterator[Door]:
    for entry in resolver.url_patterns:
        address = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inside = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from _doors(entry, address, inside)
        else:
            address = re.sub(r"\(\?P<(\w+)>[^)]*\)", lambda part: PARTS[part[1]], address)
            address = re.sub(r"<(?:\w+:)?(\w+)>", lambda part: PARTS[part[1]], address)
            yield Door(f"{space}{entry.name or address}", "/" + re.sub(r"[\^$]|\\Z", "", address))


DOORS = list(_doors(get_resolver()))


def sent(browser: Client, door: Door) -> tuple[Any, list[str]]:
    """Returns the answer to a form, and the changes of the database besides sessions."""
    with CaptureQueriesContext(connection) as seen:
        answer = browser.post(door.address, {"reason": "test"})
    return answer, _changes(seen)


def _changes(seen: CaptureQueriesContext) -> list[str]:
    return [
        query["sql"]
        for query in seen.captured_queries
        if re.search(r"(^|;)\s*(INSERT|UPDATE|DELETE|WITH|CALL)\b", query["sql"])
        and "accounts_session" not in query["sql"]
    ]


def went_in(answer: Any) -> bool:
    """Returns whether a view looked at the form."""
    if answer.status_code == 302:
        return not answer["Location"].startswith("/sign-in/")
    return answer.status_code not in REFUSED


def browser_of(person: Any, *, shown_s_ago: int = 0, **options: Any) -> Client:
    browser = Client(**options)
    open_session(browser, person)
    session = browser.session
    session["account_authentication_methods"] = [
        {"method": "mfa", "type": "totp", "at": time.time() - shown_s_ago}
    ]
    session.save()
    return browser


def test_every_listed_door_exists() -> None:
    names = {door.name for door in DOORS}
    assert names >= PUBLIC | FRESH
    assert len(DOORS) > 50


def test_every_door_is_of_a_known_kind() -> None:
    """A new address is refused here until it is said who may send a form to it."""
    own = {
        "compensation",
        "compensation_version",
        "home",
        "sign_out_everywhere",
        "recovery:recovery/link/",
    }
    for door in DOORS:
        of_somebody = door.name.startswith(OF_STAFF) or door.address.startswith("/account/")
        assert door.name in PUBLIC | own or of_somebody, door


def test_every_form_asks_for_a_fresh_proof_or_says_why_not(
    programme: Any, staff: Callable[..., Any]
) -> None:
    browser = browser_of(staff("incident_commander"), raise_request_exception=False)
    taken = {door.name for door in DOORS if sent(browser, door)[0].status_code != 405}

    assert taken - PUBLIC - FRESH <= set(STALE)


def test_an_anonymous_form_is_refused_at_every_door(programme: Any) -> None:
    for door in DOORS:
        answer, changes = sent(Client(), door)
        if door.name not in PUBLIC:
            assert not went_in(answer), door
            assert changes == [], door


def test_a_form_of_a_customer_is_refused_at_every_door_of_staff(
    programme: Any, customer: Callable[..., Any]
) -> None:
    browser = browser_of(customer())
    for door in DOORS:
        if door.name.startswith(OF_STAFF) and door.name not in PUBLIC:
            answer, changes = sent(browser, door)
            assert not went_in(answer), door
            assert changes == [], door


def test_a_forged_form_is_refused_at_every_door(programme: Any, staff: Callable[..., Any]) -> None:
    browser = browser_of(staff("incident_commander"), enforce_csrf_checks=True)
    for door in DOORS:
        answer, changes = sent(browser, door)
        assert answer.status_code == 403, door
        assert changes == [], door


def test_no_door_takes_another_method(programme: Any, staff: Callable[..., Any]) -> None:
    browser = browser_of(staff("incident_commander"), raise_request_exception=False)
    for door in DOORS:
        for method in ("PUT", "PATCH", "DELETE", "TRACE"):
            with CaptureQueriesContext(connection) as seen:
                answer = browser.generic(method, door.address)
            assert answer.status_code in (*REFUSED, 404), (door, method)
            assert _changes(seen) == [], (door, method)


def test_every_door_that_needs_a_fresh_proof_asks_again_after_an_hour(
    programme: Any, staff: Callable[..., Any]
) -> None:
    person = staff(is_superuser=True)
    second_factor.add_app(person)
    asked = set()
    for door in DOORS:
        if door.name in PUBLIC or door.address.startswith("/account/confirm/"):
            continue
        answer, changes = sent(browser_of(person, shown_s_ago=3_600), door)
        if answer.headers.get("Location", "").startswith("/account/confirm/"):
            assert changes == [], door
            asked.add(door.name)
    assert asked == FRESH
