"""Every kind of credential meets every measure, through the real pages: which ones still open an
account.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts import addresses
from accounts.credentials import access, device_tokens
from accounts.credentials.admissions import Admission
from accounts.errors import TokensAreForCustomers, TooManyTokens
from accounts.models import DeviceToken, OneTimeLink, Session
from accounts.recovery import links
from accounts.sign_in import second_factor
from accounts.sign_in.sessions import SessionStore, begin
from tests.accounts.conftest import NEW, OLD
from tests.accounts.oidc_provider import Provider
from tests.signing_in import come_back, go_to_provider, is_signed_in, send_code, sign_in
from winddown import clock
from winddown.programme import capabilities

pytestmark = pytest.mark.django_db


# --- kinds of credential ----------------------------------------------------------------------


@dataclass
class Credential:
    """Something that `person` has before the measure. `opens` uses it and returns whether it opens
    the account.
    """

    person: Any
    provider: Provider
    browser: Client = field(default_factory=Client)

    def __post_init__(self) -> None:
        """What comes into being before the measure."""

    def opens(self) -> bool:
        raise NotImplementedError


class Password(Credential):
    def opens(self) -> bool:
        sign_in(self.browser, self.person.login_id, OLD)
        return is_signed_in(self.browser)


class AnOpenSession(Credential):
    def __post_init__(self) -> None:
        sign_in(self.browser, self.person.login_id, OLD)

    def opens(self) -> bool:
        return is_signed_in(self.browser)


class RememberedSession(AnOpenSession):
    def __post_init__(self) -> None:
        sign_in(self.browser, self.person.login_id, OLD, remember="on")
        cookie = self.browser.cookies["sessionid"]
        assert int(cookie["max-age"]) == 30 * 24 * 3600


class HalfASignIn(Credential):
    """The password was right, and the second factor was not given yet."""

    def __post_init__(self) -> None:
        second_factor.add_app(self.person)
        answer = self.browser.post("/sign-in/", {"login_id": self.person.login_id, "password": OLD})
        assert answer["Location"] == "/sign-in/code/"
        assert not is_signed_in(self.browser)

    def opens(self) -> bool:
        send_code(self.browser, self.person)
        return is_signed_in(self.browser)


def _token(browser: Client) -> dict[str, str]:
    answer = browser.post(
        "/account/devices/", json.dumps({"device_name": "phone"}), content_type="application/json"
    )
    assert answer.status_code == 201, answer.content
    return {"Authorization": f"Bearer {answer.json()['token']}"}


class Token(Credential):
    def __post_init__(self) -> None:
        sign_in(self.browser, self.person.login_id, OLD)
        self.headers = _token(self.browser)

    def opens(self) -> bool:
        answer = Client().get("/account/devices/", headers=self.headers)
        assert answer.status_code in (200, 401)
        return bool(answer.status_code == 200)


class ExternalSession(Credential):
    def __post_init__(self) -> None:
        self.provider.subject = self.person.login_id
        come_back(self.browser, self.provider, go_to_provider(self.browser))

    def opens(self) -> bool:
        return is_signed_in(self.browser)


class ExternalToken(Token):
    """A device token that a session from a provider got."""

    def __post_init__(self) -> None:
        self.provider.subject = self.person.login_id
        come_back(self.browser, self.provider, go_to_provider(self.browser))
        self.headers = _token(self.browser)


class ExternalHandshake(Credential):
    """A handshake that begins before the measure and returns after it."""

    def __post_init__(self) -> None:
        self.provider.subject = self.person.login_id
        self.address = go_to_provider(self.browser)

    def opens(self) -> bool:
        come_back(self.browser, self.provider, self.address)
        return is_signed_in(self.browser)


class ResetToken(Credential):
    """The link of a mail that was sent before the measure."""

    def __post_init__(self) -> None:
        address = addresses.channel_of(self.person)
        assert address is not None
        link = links.issue(OneTimeLink.Purpose.RECOVER, address=address, user=self.person)
        links.hand_over(link)
        self.token = links.token(link)

    def opens(self) -> bool:
        self.browser.get(f"/recovery/link/{self.token}/")
        self.browser.post("/recovery/password/", {"password": NEW, "again": NEW})
        sign_in(self.browser, self.person.login_id, NEW)
        return is_signed_in(self.browser)


# --- measures -----------------------------------------------------------------------------------

Measure = Callable[[Any], None]


@pytest.fixture
def measures(started: Callable[..., Any], two: tuple[Any, Any]) -> dict[str, Measure]:
    """Each measure takes effect at once, and no worker runs."""
    return {
        "fence": lambda person: started("reset-all-passwords") and None,
        "provider": lambda person: started("suspend-external-login", providers=["line"]) and None,
        "everywhere": lambda person: access.sign_out_everywhere(
            person, actor=two[0], reason="it was stolen"
        ),
        "disable": lambda person: access.disable(person, actor=two[0], reason="it was stolen"),
    }


# What still opens the account after the measure. A provider vouches anew after a fence and after a
# sign-out, so its handshake does; a password and a reset link outlive a sign-out, which is about
# what is open.
OPENS: dict[type[Credential], set[str]] = {
    Password: {"provider", "everywhere"},
    AnOpenSession: {"provider"},
    RememberedSession: {"provider"},
    HalfASignIn: {"provider"},
    Token: {"provider"},
    ExternalSession: set(),
    ExternalToken: set(),
    ExternalHandshake: {"fence", "everywhere"},
    ResetToken: {"provider", "everywhere"},
}


@pytest.mark.parametrize("measure", ["fence", "provider", "everywhere", "disable"])
@pytest.mark.parametrize("kind", OPENS, ids=lambda kind: kind.__name__)
def test_each_credential_opens_an_account_after_each_measure_as_declared(
    kind: type[Credential],
    measure: str,
    measures: dict[str, Measure],
    person: Callable[..., Any],
    provider: Provider,
) -> None:
    """Rules 9 and 14."""
    before, after = (kind(person(provider="line"), provider) for _ in range(2))
    provider.subject = before.person.login_id
    assert before.opens()
    provider.subject = after.person.login_id

    measures[measure](after.person)

    assert after.opens() == (measure in OPENS[kind])


@pytest.mark.parametrize("kind", OPENS, ids=lambda kind: kind.__name__)
def test_a_measure_against_one_account_does_not_touch_another(
    kind: type[Credential],
    measures: dict[str, Measure],
    person: Callable[..., Any],
    provider: Provider,
) -> None:
    mine, other = person(provider="line"), person(provider="line")
    credential = kind(mine, provider)

    measures["everywhere"](other)
    measures["disable"](other)

    assert credential.opens()


def test_no_old_credential_opens_an_account_that_is_enabled_again(
    person: Callable[..., Any], provider: Provider, two: tuple[Any, Any]
) -> None:
    someone = person()
    session, token = AnOpenSession(someone, provider), Token(someone, provider)
    access.disable(someone, actor=two[0], reason="stolen")

    access.enable(someone, actor=two[1], reason="the owner proved it")

    assert not session.opens()
    assert not token.opens()
    assert Password(someone, provider).opens()


def test_no_old_session_and_no_old_token_works_after_the_fence(
    person: Callable[..., Any], started: Callable[..., Any], long_form: bool
) -> None:
    """Rule 9: no worker runs and no batch ran. In the proof there are a thousand of them."""
    people = [person(password="") for _ in range(25 if long_form else 5)]
    sessions = len(people) * device_tokens.TOKENS_MAX
    at = clock.now()
    cookies, headers = [], []
    for number in range(sessions):
        someone = people[number % len(people)]
        store = SessionStore()
        store.update({"_auth_user_id": str(someone.pk), "_auth_user_backend": BACKEND})
        store["_auth_user_hash"] = someone.get_session_auth_hash()
        store["admission"] = Admission(at, "password", 1).as_json()
        store.save()
        cookies.append(str(store.session_key))
    for someone in people:
        for number in range(device_tokens.TOKENS_MAX):
            _row, text, _new = device_tokens.issue(
                someone, authority=Admission(at, "password", 1), device_name=str(number)
            )
            headers.append(f"Bearer {text}")
    browser = Client()

    def work() -> int:
        answers = []
        for key in cookies:
            browser.cookies["sessionid"] = key
            answers.append(browser.get("/account/devices/").status_code)
        browser.cookies.clear()
        for header in headers:
            answers.append(
                browser.get("/account/devices/", headers={"Authorization": header}).status_code
            )
        assert len(answers) == 2 * sessions
        return answers.count(200)

    assert work() == 2 * sessions
    started("reset-all-passwords")
    assert Session.objects.of_customers().count() == sessions
    assert work() == 0


BACKEND = "accounts.sign_in.backends.LoginIdBackend"


def test_half_a_sign_in_is_deleted_by_the_fence(
    person: Callable[..., Any], provider: Provider, started: Callable[..., Any]
) -> None:
    half = HalfASignIn(person(), provider)
    assert Session.objects.filter(user=half.person).exists(), "a batch can find it"
    started("reset-all-passwords")

    assert half.browser.get("/sign-in/code/")["Location"] == "/sign-in/"
    assert not Session.objects.filter(user=half.person).exists()


def test_the_session_keeps_the_admission_of_the_first_factor(
    person: Callable[..., Any], provider: Provider
) -> None:
    half = HalfASignIn(person(), provider)
    given = half.browser.session["admission"]

    assert half.opens()

    assert half.browser.session["admission"] == given
    assert Session.objects.get(user=half.person).issued_at.isoformat() == given["at"]


def test_a_sign_in_over_the_session_of_another_person_keeps_nothing_of_it(
    person: Callable[..., Any], provider: Provider
) -> None:
    first, second = person(), person()
    second_factor.add_app(second)
    browser = Client()
    sign_in(browser, first.login_id, OLD)

    browser.post("/sign-in/", {"login_id": second.login_id, "password": OLD})

    assert not is_signed_in(browser)
    assert "_auth_user_id" not in browser.session
    assert not Session.objects.filter(user=first).exists()


def test_no_session_is_opened_without_an_admission(person: Callable[..., Any]) -> None:
    store = SessionStore()
    store["_auth_user_id"] = "1"
    with pytest.raises(AssertionError, match="another person's"):
        begin(store, person(), remembered=False)


# --- device tokens ------------------------------------------------------------------------------


def test_a_token_is_stored_only_as_its_digest(
    person: Callable[..., Any], provider: Provider
) -> None:
    token = Token(person(), provider)
    text = token.headers["Authorization"].removeprefix("Bearer ")

    row = DeviceToken.objects.get(user=token.person)

    assert re.fullmatch("[0-9a-f]{64}", row.digest)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM accounts_devicetoken t")
        assert text not in cursor.fetchone()[0]


def test_a_token_is_given_only_to_a_signed_in_customer(
    person: Callable[..., Any], provider: Provider, client: Client
) -> None:
    body = {"data": json.dumps({"device_name": "x"}), "content_type": "application/json"}
    assert client.post("/account/devices/", **body).status_code == 401
    forged = Client(enforce_csrf_checks=True)
    forged.cookies = AnOpenSession(person(), provider).browser.cookies
    assert forged.post("/account/devices/", **body).status_code == 403


def test_staff_get_no_token_and_a_customer_only_so_many(
    person: Callable[..., Any], staff: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_tokens, "TOKENS_MAX", 2)
    said = {"authority": Admission(clock.now(), "password", 1), "device_name": "x"}
    with pytest.raises(TokensAreForCustomers):
        device_tokens.issue(staff("support"), **said)
    someone = person()
    for _ in range(2):
        device_tokens.issue(someone, **said)
    with pytest.raises(TooManyTokens):
        device_tokens.issue(someone, **said)


def test_a_token_cannot_create_another_token(
    person: Callable[..., Any], provider: Provider
) -> None:
    """Otherwise a thief of one token could keep it alive for ever."""
    token = Token(person(), provider)

    answer = Client().post(
        "/account/devices/",
        json.dumps({"device_name": "x"}),
        content_type="application/json",
        headers=token.headers,
    )

    assert answer.status_code == 403
    assert DeviceToken.objects.count() == 1


def test_a_revoked_token_opens_nothing(person: Callable[..., Any], provider: Provider) -> None:
    token = Token(person(), provider)
    assert token.opens()
    row = DeviceToken.objects.get(user=token.person)
    stranger = AnOpenSession(person(), provider)
    assert stranger.browser.post(f"/account/devices/{row.pk}/revoke/").status_code == 404
    assert token.opens()

    token.browser.post(f"/account/devices/{row.pk}/revoke/")

    assert not token.opens()


def test_a_wrong_token_beside_a_good_session_is_refused(
    person: Callable[..., Any], provider: Provider
) -> None:
    window = AnOpenSession(person(), provider).browser

    assert window.get("/account/devices/").status_code == 200
    answer = window.get("/account/devices/", headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 401


def test_sessions_and_tokens_from_before_a_stop_stay_refused_after_it(
    person: Callable[..., Any], provider: Provider, two: tuple[Any, Any]
) -> None:
    """A new session of the restored provider works."""
    someone = person(provider="line")
    session, token = ExternalSession(someone, provider), ExternalToken(someone, provider)
    capabilities.stop("login_external:line", actor=two[0], reason="attack")
    capabilities.request_restore("login_external:line", actor=two[0], reason="safe")
    capabilities.restore("login_external:line", actor=two[1], reason="agreed")

    assert not session.opens()
    assert not token.opens()
    assert ExternalSession(someone, provider).opens()
