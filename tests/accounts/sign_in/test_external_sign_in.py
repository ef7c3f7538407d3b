"""Signing in with another service, against a real provider on this machine."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client

from accounts.models import AuthEvent, ExternalIdentity, Session
from accounts.sign_in import second_factor
from tests import factories
from tests.accounts.oidc_provider import Provider
from tests.signing_in import come_back, go_to_provider, is_signed_in, send_code
from winddown.programme import capabilities

pytestmark = pytest.mark.django_db


def stop(two: tuple[Any, Any]) -> None:
    assert capabilities.stop("login_external:line", actor=two[0], reason="attack")


def restore(two: tuple[Any, Any]) -> None:
    capabilities.request_restore("login_external:line", actor=two[0], reason="they are safe")
    capabilities.restore("login_external:line", actor=two[1], reason="agreed")


def test_a_provider_opens_the_linked_account(linked: Any, provider: Provider) -> None:
    browser = Client()

    answer = come_back(browser, provider, go_to_provider(browser))

    assert answer["Location"] == "/"
    assert is_signed_in(browser)
    session = Session.objects.get(user=linked)
    assert (session.method, session.switch_version) == ("line", 1)
    assert AuthEvent.objects.get(method="line").outcome == "success"


def test_only_the_identity_is_requested_and_nothing_else_is_stored(
    linked: Any, provider: Provider
) -> None:
    browser = Client()
    come_back(browser, provider, go_to_provider(browser))

    assert [asked["scope"] for asked in provider.asked] == ["openid"]
    assert not SocialAccount.objects.exists()
    session = str(dict(browser.session.items()))
    assert provider.issuer not in session
    assert "somebody@example.com" not in session


def test_parameters_in_the_url_do_not_widen_the_request(linked: Any, provider: Provider) -> None:
    browser = Client()
    address = go_to_provider(
        browser, "?scope=email,profile&auth_params=nonce%3Dmine&process=connect"
    )

    come_back(browser, provider, address)

    assert provider.asked[0]["scope"] == "openid"
    assert provider.asked[0]["nonce"] != "mine"
    assert is_signed_in(browser)


def test_a_stopped_provider_is_refused_at_the_start(
    linked: Any, provider: Provider, two: tuple[Any, Any]
) -> None:
    """Rule 14."""
    stop(two)
    browser = Client(headers={"accept-language": "en"})

    answer = browser.post("/sign-in/with/line/")

    assert answer.status_code == 200
    assert "Signing in with LINE is stopped" in answer.content.decode()
    assert provider.asked == []


def test_a_handshake_under_way_is_refused_at_its_return(
    linked: Any, provider: Provider, two: tuple[Any, Any]
) -> None:
    """Rule 14."""
    browser = Client(headers={"accept-language": "en"})
    address = go_to_provider(browser)
    stop(two)

    answer = come_back(browser, provider, address)

    assert answer["Location"] == "/sign-in/with/line/"
    assert not is_signed_in(browser)
    assert "Signing in with LINE is stopped" in browser.get(answer["Location"]).content.decode()


def test_an_open_session_is_refused_at_its_next_use(
    linked: Any, provider: Provider, two: tuple[Any, Any]
) -> None:
    """Rule 14."""
    browser = Client()
    come_back(browser, provider, go_to_provider(browser))
    assert is_signed_in(browser)

    stop(two)

    assert not is_signed_in(browser)


def test_a_restarted_provider_works_again_and_the_old_session_does_not(
    linked: Any, provider: Provider, two: tuple[Any, Any]
) -> None:
    old, new = Client(), Client()
    come_back(old, provider, go_to_provider(old))
    stop(two)

    restore(two)

    assert not is_signed_in(old)
    come_back(new, provider, go_to_provider(new))
    assert is_signed_in(new)


def test_a_stopped_provider_shows_an_explanation_instead_of_its_button(
    linked: Any, provider: Provider, two: tuple[Any, Any]
) -> None:
    browser = Client(headers={"accept-language": "en"})
    button = 'action="/sign-in/with/line/"'
    assert button in browser.get("/sign-in/").content.decode()

    stop(two)

    page = browser.get("/sign-in/").content.decode()
    assert button not in page
    assert "Signing in with LINE is stopped" in page
    assert "Set a password instead" in page


def test_a_suspended_or_unknown_identity_is_refused_like_any_other(
    linked: Any, provider: Provider, two: tuple[Any, Any]
) -> None:
    def ends() -> tuple[int, str, bool]:
        browser = Client()
        answer = come_back(browser, provider, go_to_provider(browser))
        return answer.status_code, answer["Location"], is_signed_in(browser)

    known = provider.subject
    provider.subject = "nobody of this name"
    unknown = ends()
    provider.subject = known
    factories.bring_to(ExternalIdentity.objects.get(user=linked), "suspended")

    assert unknown == ends() == (302, "/sign-in/with/line/", False)


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "of another start"},
        {"nonce": None},
        {"aud": "another client"},
        {"iss": "https://another.example"},
        {"exp": 1},
        {"sub": ""},
    ],
    ids=str,
)
def test_a_token_that_was_issued_for_another_sign_in_opens_nothing(
    linked: Any, provider: Provider, lie: dict[str, Any]
) -> None:
    provider.lie = lie
    browser = Client()

    answer = come_back(browser, provider, go_to_provider(browser))

    assert answer["Location"] == "/sign-in/with/line/"
    assert not is_signed_in(browser)


def test_a_token_signed_by_another_key_opens_nothing(linked: Any, provider: Provider) -> None:
    provider.sign_with = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    browser = Client()

    come_back(browser, provider, go_to_provider(browser))

    assert not is_signed_in(browser)


def test_an_answer_works_once_and_only_in_the_browser_that_started(
    linked: Any, provider: Provider
) -> None:
    mine, other = Client(), Client()
    location = provider.confirm(go_to_provider(mine))
    path = location.partition("//testserver")[2]

    other.get(path)
    assert not is_signed_in(other)
    mine.get(path)
    assert is_signed_in(mine)
    mine.post("/sign-out/")
    mine.get(path)
    assert not is_signed_in(mine)


def test_a_provider_that_is_not_configured_has_no_page(provider: Provider, programme: Any) -> None:
    for path in ("/sign-in/with/google/", "/sign-in/with/google/back/"):
        assert Client().get(path).status_code == 404


def test_a_second_factor_is_asked_after_a_provider_too(linked: Any, provider: Provider) -> None:
    second_factor.add_app(linked)
    browser = Client()

    answer = come_back(browser, provider, go_to_provider(browser))

    assert answer["Location"] == "/sign-in/code/"
    assert not is_signed_in(browser)
    send_code(browser, linked)
    assert is_signed_in(browser)
    assert Session.objects.get(user=linked).method == "line"
