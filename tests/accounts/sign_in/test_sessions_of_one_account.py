"""The owner and the support can end the sessions of one account."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError
from django.test import Client

from accounts.credentials import access
from accounts.errors import OwnAccount
from accounts.models import User
from tests.accounts.conftest import OLD
from tests.accounts.sign_in.signing import half_in
from tests.signing_in import is_signed_in, sign_in
from winddown.errors import GuardNotMet
from winddown.models import AuditEntry

pytestmark = pytest.mark.django_db


def test_the_owner_sees_and_ends_open_sessions(person: Callable[..., Any]) -> None:
    someone = person()
    here = half_in(someone)
    there = Client(headers={"user-agent": "Mozilla/5.0 (iPhone) Version/17 Safari/604.1"})
    sign_in(there, someone.login_id, OLD, remember="on")
    listed = here.get("/account/sessions/").context["sessions"]
    assert [(each.browser, each.present, each.remembered) for each in listed] == [
        ("Safari, iPhone", False, True),
        ("", True, False),
    ]
    assert {each.network for each in listed} == {"127.0.0.1"}
    stranger = half_in(person())

    stranger.post(f"/account/sessions/{listed[0].number}/end/")
    assert is_signed_in(there), "nobody ends another person's"
    here.post(f"/account/sessions/{listed[0].number}/end/")

    assert not is_signed_in(there)
    assert is_signed_in(here)


def test_the_owner_signs_out_everywhere(person: Callable[..., Any]) -> None:
    someone = person()
    here, there = half_in(someone), half_in(someone)

    here.post("/sign-out/everywhere/")

    assert not is_signed_in(here)
    assert not is_signed_in(there)
    assert is_signed_in(half_in(someone))


def test_support_signs_an_account_out_and_does_not_disable_it(
    person: Callable[..., Any], staff: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    someone = person()
    browser = half_in(someone)
    by = {"by": staff("support").login_id, "reason": "lost phone", "account": someone.account_ref}
    call_command("sign_out_everywhere", **by)
    assert not is_signed_in(browser)

    with pytest.raises(SystemExit) as refused:
        call_command("disable_account", **by)
    assert refused.value.code == 1
    assert User.objects.get(pk=someone.pk).is_active


def test_an_account_can_sign_in_again_after_its_disabling_is_undone(
    person: Callable[..., Any], staff: Callable[..., Any]
) -> None:
    someone = person()
    by = {
        "by": staff("incident_commander").login_id,
        "reason": "taken over",
        "account": someone.account_ref,
    }
    call_command("disable_account", **by)
    assert not is_signed_in(half_in(someone))

    call_command("disable_account", undo=True, **by)

    assert is_signed_in(half_in(someone))


def test_an_account_is_disabled_once_enabled_once_and_never_by_its_owner(
    staff: Callable[..., Any],
) -> None:
    officer, clerk = staff("incident_commander"), staff("support")
    said = {"actor": officer, "reason": "taken over"}
    with pytest.raises(OwnAccount):
        access.disable(officer, **said)
    with pytest.raises(GuardNotMet, match="not disabled"):
        access.enable(clerk, **said)
    access.disable(clerk, **said)
    with pytest.raises(GuardNotMet, match="disabled already"):
        access.disable(clerk, **said)
    assert AuditEntry.objects.filter(action__startswith="access.").count() == 1


def test_other_errors_of_the_database_are_no_refusal_of_roles() -> None:
    with pytest.raises(DatabaseError, match="disk"), access.roles_kept_apart():
        raise DatabaseError("the disk is full")


def test_the_devices_page_answers_in_json(person: Callable[..., Any]) -> None:
    someone = person()
    browser = half_in(someone)

    assert browser.get("/account/devices/").json() == {"account_ref": someone.account_ref}
    bad = browser.post("/account/devices/", json.dumps([]), content_type="application/json")
    assert bad.status_code == 400
