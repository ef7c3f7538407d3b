"""What the forms of the sign-in take as it was typed, and what they cannot read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from accounts.sign_in import second_factor
from accounts.sign_in.sessions import SessionStore
from tests.accounts.conftest import OLD
from tests.config.test_every_door import browser_of
from tests.signing_in import is_signed_in, sign_in
from tests.winddown.site.test_every_url import MALFORMED_PASSKEYS

pytestmark = pytest.mark.django_db
ENGLISH = {"accept-language": "en"}


@pytest.mark.parametrize(("typed", "opens"), [(" two spaces ", True), ("two spaces", False)])
def test_a_password_keeps_its_spaces(person: Callable[..., Any], typed: str, opens: bool) -> None:
    someone, browser = person(password=" two spaces "), Client()
    sign_in(browser, someone.login_id, typed)
    assert is_signed_in(browser) is opens


def test_a_new_passkey_that_cannot_be_read_is_refused_in_words(person: Callable[..., Any]) -> None:
    page = "/account/second-factor/passkey/"
    browser = browser_of(person(), headers=ENGLISH)
    browser.get(page)
    # It has the form of an attestation, and no content.
    answer = browser.post(page, {"name": "key", "credential": MALFORMED_PASSKEYS[-1]})
    assert answer.status_code == 200
    said = [str(each) for errors in answer.context["form"].errors.values() for each in errors]
    assert "This passkey cannot be read." in said


def test_the_code_of_a_sign_in_is_no_proof_of_somebody_who_is_in(
    person: Callable[..., Any],
) -> None:
    someone, browser = person(), Client()
    second_factor.add_app(someone)
    sign_in(browser, someone.login_id, OLD)
    assert is_signed_in(browser)
    assert "reauthenticated" not in browser.session["account_authentication_methods"][-1]


def test_a_stored_session_is_saved_again_by_an_asynchronous_caller() -> None:
    store = SessionStore()
    store["seen"] = 1
    store.save()
    store["seen"] = 2
    async_to_sync(store.asave)()
    assert SessionStore(store.session_key)["seen"] == 2
