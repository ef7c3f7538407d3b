"""The look-up shows rows to those who may read them, and has no door beside that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.sign_in import second_factor

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


def test_a_superuser_cannot_reach_the_second_factor_of_a_colleague(
    signed_in: SignedIn, staff: Any, programme: Any
) -> None:
    colleague = staff("support")
    second_factor.add_app(colleague)
    browser = signed_in(staff(is_superuser=True))
    number = colleague.authenticator_set.get().pk

    for page in ("", "add/", f"{number}/change/", f"{number}/delete/"):
        address = f"/admin/mfa/authenticator/{page}"
        assert browser.get(address).status_code == 404
        assert browser.post(address, {"post": "yes"}).status_code == 404
    assert colleague.authenticator_set.count() == 1


def test_a_password_can_be_set_only_on_the_pages_of_its_owner(
    signed_in: SignedIn, staff: Any, programme: Any
) -> None:
    person = staff(is_superuser=True)
    person.set_password("the old password of staff")
    person.save()
    browser = signed_in(person)
    new = "another password of staff"
    sent = {
        "old_password": "the old password of staff",
        "new_password1": new,
        "new_password2": new,
    }

    assert browser.get("/admin/password_change/").status_code == 404
    assert browser.post("/admin/password_change/", sent).status_code == 404
    person.refresh_from_db()
    assert not person.check_password(new)


@pytest.mark.parametrize("rows", ["auditentry", "approval", "signature"])
def test_journal_and_approvals_are_shown_only_with_the_permission(
    signed_in: SignedIn, staff: Any, programme: Any, rows: str
) -> None:
    address = f"/admin/winddown/{rows}/"

    assert signed_in(staff("auditor")).get(address).status_code == 200
    assert signed_in(staff("compliance")).get(address).status_code == 200
    assert signed_in(staff("support")).get(address).status_code == 403
    assert signed_in(staff("support")).get("/admin/winddown/capability/").status_code == 200
