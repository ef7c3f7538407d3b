"""Code of ours that would let somebody in without an admission, or without the right link, fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import RequestFactory

from accounts.addresses import Address
from accounts.models import OneTimeLink, User
from accounts.recovery import by_link, links
from accounts.sign_in import sessions
from accounts.sign_in.adapters import AccountAdapter
from accounts.sign_in.sessions import SessionStore
from tests.accounts.conftest import NEW

Purpose = OneTimeLink.Purpose


def test_an_admission_is_not_put_into_the_session_of_another_person() -> None:
    session = SessionStore()
    session[SESSION_KEY] = "1"
    with pytest.raises(AssertionError, match="another person's session"):
        sessions.begin(session, User(pk=2), remembered=False)


@pytest.mark.parametrize("step", ["pre_login", "login"])
def test_nobody_is_signed_in_without_an_admission(step: str) -> None:
    request = RequestFactory().post("/")
    request.session = SessionStore()
    with pytest.raises(AssertionError, match="needs an admission"):
        getattr(AccountAdapter(), step)(request, User(pk=1))


def test_a_link_is_used_only_in_the_transaction_of_what_it_opens() -> None:
    with pytest.raises(AssertionError, match="ends with its transaction"):
        links.use(OneTimeLink())


def test_a_link_for_something_else_gives_no_address() -> None:
    with pytest.raises(AssertionError, match="gives no address"):
        links.address_for(OneTimeLink())


@pytest.mark.django_db
def test_a_link_opens_only_what_it_is_for(person: Callable[..., Any]) -> None:
    someone = person()
    address = Address("email", someone.email)
    to_nobody = links.issue(Purpose.SIGN_UP, address=address)
    to_recover = links.issue(Purpose.RECOVER, address=address, user=someone)
    for link in (to_nobody, to_recover):
        links.hand_over(link)
    with pytest.raises(AssertionError, match="none to recover"):
        by_link.choose_password(to_nobody, NEW)
    for link in (to_nobody, to_recover):
        with pytest.raises(AssertionError, match="for a browser"):
            by_link.admit_browser(link)
