"""Staff get back in only through two colleagues."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.errors import StaffOnlyByStaff
from accounts.recovery import staff_recovery
from tests.accounts.conftest import NEW
from tests.signing_in import code_typed
from winddown.errors import NothingToDecide, NotPermitted, SamePerson

pytestmark = pytest.mark.django_db


def test_two_colleagues_hand_over_a_link_and_the_second_factor_is_still_required(
    staff: Callable[..., Any],
) -> None:
    lost, one, second = staff("support"), staff("incident_commander"), staff("incident_commander")

    def run(*arguments: str, by: Any) -> str:
        out = StringIO()
        with code_typed(by):
            call_command(
                "recover_staff",
                lost.login_id,
                *arguments,
                f"--by={by.login_id}",
                "--reason=t",
                stdout=out,
            )
        return out.getvalue()

    (digest,) = re.findall(r"--digest=?\s?(\w+)", run(by=one))
    seen = ("--agree", f"--digest={digest}")
    with pytest.raises(SystemExit):
        run(*seen, by=one)
    (link,) = re.findall(r"http\S+", run(*seen, by=second))
    browser = Client()
    browser.get(urlsplit(link).path)
    browser.post("/recovery/password/", {"password": NEW, "again": NEW})

    lost.refresh_from_db()
    assert lost.check_password(NEW)
    browser.post("/sign-in/", {"login_id": lost.login_id, "password": NEW})
    # Without a second factor, only the pages that set one up can be reached.
    assert browser.get("/console/").headers["Location"].startswith("/account/second-factor/")
    again = Client()
    again.get(urlsplit(link).path)
    assert again.get("/recovery/password/").status_code == 410


def test_nobody_signs_for_themselves_or_under_a_second_account(staff: Callable[..., Any]) -> None:
    one = staff("incident_commander", staff_number="P-1")
    alias = staff("incident_commander", staff_number="P-1")
    second = staff("incident_commander")

    for person, actor in ((one, one), (one, alias)):
        with pytest.raises(StaffOnlyByStaff):
            staff_recovery.request(person, actor=actor, reason="t")
    digest = staff_recovery.request(second, actor=one, reason="t").digest
    with pytest.raises(SamePerson):
        staff_recovery.agree(second, actor=alias, digest=digest, reason="t")
    with pytest.raises(StaffOnlyByStaff):
        staff_recovery.agree(second, actor=second, digest=digest, reason="t")


def test_a_request_is_approved_once(staff: Callable[..., Any]) -> None:
    lost, one, second = staff("support"), staff("incident_commander"), staff("incident_commander")
    with pytest.raises(NothingToDecide):
        staff_recovery.agree(lost, actor=second, digest="", reason="t")
    digest = staff_recovery.request(lost, actor=one, reason="t").digest
    staff_recovery.agree(lost, actor=second, digest=digest, reason="t")

    with pytest.raises(NothingToDecide):
        staff_recovery.agree(lost, actor=staff("incident_commander"), digest=digest, reason="t")


def test_customers_are_refused_this_recovery_and_it_requires_the_permission(
    staff: Callable[..., Any], person: Callable[..., Any]
) -> None:
    """Rule 16."""
    with pytest.raises(StaffOnlyByStaff):
        staff_recovery.request(person(), actor=staff("incident_commander"), reason="t")
    with pytest.raises(NotPermitted):
        staff_recovery.request(staff("support"), actor=staff("support"), reason="t")


@pytest.mark.parametrize(
    ("decide", "part"), [(staff_recovery.agree, "approved"), (staff_recovery.reject, "rejected")]
)
def test_a_decision_is_signed_as_what_it_is(
    decide: Callable[..., object], part: str, staff: Callable[..., Any]
) -> None:
    lost, one, second = staff("support"), staff("incident_commander"), staff("incident_commander")
    asked = staff_recovery.request(lost, actor=one, reason="t")
    assert asked.summary["second_factor_lost"] is False, "unless it is said"

    decide(lost, actor=second, digest=asked.digest, reason="t")

    assert list(asked.signatures.order_by("pk").values_list("part", flat=True)) == ["maker", part]
