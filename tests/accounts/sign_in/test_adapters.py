"""What allauth and Django ask of our adapters and stores is answered by our own rules."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.contrib import messages
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.sessions.backends.base import UpdateError
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.credentials import devices
from accounts.models import AuthEvent, Session
from accounts.sign_in import sessions
from accounts.sign_in.adapters import AccountAdapter
from accounts.sign_in.backends import LoginIdBackend
from accounts.sign_in.external import FencedAdapter
from accounts.sign_in.forms import PasskeyField
from accounts.sign_in.origins import device_of, keep_device, network_of
from accounts.sign_in.second_factor_views import PasskeySignIn
from tests.accounts.conftest import OLD
from winddown import clock

pytestmark = pytest.mark.django_db


# --- adapters -----------------------------------------------------------------------------------


def test_nobody_signs_up_by_the_library(rf: RequestFactory) -> None:
    assert AccountAdapter().is_open_for_signup(rf.get("/")) is False


def test_nobody_is_signed_in_without_an_admission(
    rf: RequestFactory, person: Callable[..., Any]
) -> None:
    request: Any = rf.post("/")
    request.session = sessions.SessionStore()
    for step in (AccountAdapter().pre_login, AccountAdapter().login):
        with pytest.raises(AssertionError, match="needs an admission"):
            step(request, person())
    assert not Session.objects.exists()


def test_only_our_own_messages_are_shown(rf: RequestFactory) -> None:
    request: Any = rf.get("/")
    request.session = {}
    request._messages = FallbackStorage(request)
    adapter = AccountAdapter()

    adapter.add_message(request, messages.INFO, "account/messages/logged_in.txt")
    adapter.add_message(request, messages.INFO, message="ours")

    assert [each.message for each in messages.get_messages(request)] == ["ours"]


def test_an_answer_without_a_signed_identity_is_refused(rf: RequestFactory) -> None:
    adapter = FencedAdapter(rf.get("/"), "line")
    with pytest.raises(OAuth2Error, match="no ID token"):
        adapter.complete_login(rf.get("/"), None, None, response={})


@pytest.mark.parametrize("given", [{"username": "someone"}, {"password": OLD}, {}])
def test_half_of_what_a_sign_in_needs_is_no_attempt(given: dict[str, str]) -> None:
    assert LoginIdBackend().authenticate(None, **given) is None
    assert not AuthEvent.objects.exists()


def test_a_sign_in_outside_of_a_request_has_no_origin(person: Callable[..., Any]) -> None:
    someone = person()
    assert LoginIdBackend().authenticate(None, someone.login_id, OLD) == someone
    event = AuthEvent.objects.get()
    assert (event.network, event.device_ref) == (None, "")


def test_a_passkey_of_a_disabled_account_opens_nothing(
    rf: RequestFactory, person: Callable[..., Any]
) -> None:
    passkey = Authenticator(user=person(is_active=False), type="webauthn", created_at=clock.now())
    request: Any = rf.post("/sign-in/passkey/")
    request.session = sessions.SessionStore()
    request._messages = FallbackStorage(request)
    view = PasskeySignIn()
    view.setup(request)

    answer = view.form_valid(SimpleNamespace(cleaned_data={"credential": passkey}))

    assert answer["Location"] == reverse("sign_in")
    assert len(messages.get_messages(request)) == 1
    assert AuthEvent.objects.get().outcome == AuthEvent.Outcome.REFUSED


# --- forms --------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["login_id", "password"])
def test_half_of_the_form_is_no_attempt(switches: None, missing: str) -> None:
    given = {"login_id": "someone", "password": OLD}
    del given[missing]
    answer = Client().post("/sign-in/", given)
    assert set(answer.context["form"].errors) == {missing}
    assert not AuthEvent.objects.exists()


@pytest.mark.parametrize("said", ["[]", "1", '"passkey"', "{", "null"])
def test_a_passkey_that_is_no_object_cannot_be_read(said: str) -> None:
    with pytest.raises(ValidationError):
        PasskeyField().clean(said)
    assert PasskeyField().clean('{"id": "x"}') == {"id": "x"}


@pytest.mark.parametrize(
    ("then", "goes_to"),
    [("/account/sessions/", "/account/sessions/"), ("https://elsewhere.example/", ""), ("", "")],
)
def test_a_sign_in_goes_on_to_a_page_of_this_site(
    person: Callable[..., Any], then: str, goes_to: str
) -> None:
    browser = Client()
    assert browser.get("/sign-in/", {"next": then}).context["next"] == then
    given = {"login_id": person().login_id, "password": OLD, "next": then}
    assert browser.post("/sign-in/", given)["Location"] == (goes_to or reverse("home"))


# --- origins ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("forwarded", "network"),
    [("203.0.113.9", "203.0.113.9"), ("9.9.9.9, 203.0.113.9", "203.0.113.9"), ("", "192.0.2.1")],
)
def test_our_own_proxy_says_where_a_visitor_comes_from(
    rf: RequestFactory, settings: Any, forwarded: str, network: str
) -> None:
    settings.TRUSTED_PROXIES = 1
    more = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    assert network_of(rf.get("/", REMOTE_ADDR="192.0.2.1", **more)) == network


def test_only_an_attempt_gives_a_device_its_cookie(rf: RequestFactory, settings: Any) -> None:
    name = settings.DEVICE_COOKIE_NAME
    answer, request = HttpResponse(), rf.get("/")
    keep_device(request, answer, opened_by=None)
    assert not answer.cookies

    device = device_of(request)
    keep_device(request, answer, opened_by=None)
    assert devices.read(answer.cookies[name].value) == device
    assert answer.cookies[name]["httponly"] is True

    keep_device(rf.get("/"), answer, opened_by=7)
    opened = devices.read(answer.cookies[name].value)
    assert opened is not None
    assert opened.opened_before(7)


# --- sessions -----------------------------------------------------------------------------------


def test_a_use_is_written_once_a_minute(rf: RequestFactory) -> None:
    request: Any = rf.get("/")
    for age_s, written in ((60, True), (20, False)):
        earlier = int(time.time()) - age_s
        request.session = {"used_at": earlier}
        sessions.note_use(request)
        assert (request.session["used_at"] > earlier) is written


def test_a_session_that_was_deleted_is_not_stored_again() -> None:
    store = sessions.SessionStore()
    store.save()
    Session.objects.all().delete()
    with pytest.raises(UpdateError):
        store.save()
    assert not Session.objects.exists()
