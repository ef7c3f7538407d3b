"""Signing in and out, and which pages each visitor reaches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.sign_in import second_factor
from tests.signing_in import sign_in
from winddown import clock

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"


@pytest.fixture
def known(customer: Callable[..., Any], programme: Any) -> Any:
    person = customer()
    person.set_password(PASSWORD)
    person.password_set_at = clock.now()
    person.save()
    return person


@pytest.fixture
def officer(staff: Callable[..., Any], programme: Any) -> Any:
    person = staff("auditor")
    person.set_password(PASSWORD)
    person.save()
    second_factor.add_app(person)
    return person


def test_a_customer_signs_in_and_sees_their_page(client: Client, known: Any) -> None:
    answer = sign_in(client, known.login_id, PASSWORD)

    assert answer.status_code == 302
    assert answer["Location"] == "/"
    panels = client.get("/").context["panels"]
    assert [panel.template for panel in panels] == ["wallets/_no_wallet.html"]


def test_staff_sign_in_on_the_same_page_and_see_the_console(client: Client, officer: Any) -> None:
    assert sign_in(client, officer.login_id, PASSWORD)["Location"] == "/"
    assert client.get("/")["Location"] == "/console/audit/"


def test_an_unknown_login_id_and_a_wrong_password_get_the_same_answer(
    client: Client, known: Any
) -> None:
    """ASVS 6.3.8: nothing tells whether an account exists."""
    wrong = sign_in(client, known.login_id, "not it")
    unknown = sign_in(client, "nobody-of-this-name", "not it")

    assert wrong.status_code == unknown.status_code == 200
    shown = [str(answer.context["form"].non_field_errors()) for answer in (wrong, unknown)]
    assert shown[0] == shown[1]
    assert wrong.content.decode().count("<") == unknown.content.decode().count("<")


def test_the_password_is_never_sent_back(client: Client, known: Any) -> None:
    answer = sign_in(client, known.login_id, "a wrong but secret word")

    assert "a wrong but secret word" not in answer.content.decode()
    assert known.login_id in answer.content.decode()


@pytest.mark.parametrize(
    "then", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"]
)
def test_sign_in_never_redirects_to_another_site(client: Client, known: Any, then: str) -> None:
    assert sign_in(client, known.login_id, PASSWORD, next=then)["Location"] == "/"


def test_sign_in_redirects_to_the_page_that_was_requested(client: Client, officer: Any) -> None:
    wanted = client.get("/console/invariants/")

    assert wanted["Location"] == "/sign-in/?next=/console/invariants/"
    answer = sign_in(client, officer.login_id, PASSWORD, next="/console/invariants/")
    assert answer["Location"] == "/console/invariants/"


def test_the_page_says_when_the_account_was_last_used(client: Client, known: Any) -> None:
    sign_in(client, known.login_id, PASSWORD)
    assert client.get("/").context["previous_sign_in"] is None

    client.post("/sign-out/")
    sign_in(client, known.login_id, PASSWORD)

    assert client.get("/").context["previous_sign_in"] is not None


def test_signing_out_requires_a_post_and_ends_the_session(client: Client, known: Any) -> None:
    sign_in(client, known.login_id, PASSWORD)
    assert client.get("/sign-out/").status_code == 405
    assert client.get("/").wsgi_request.user.is_authenticated

    client.post("/sign-out/")

    assert not client.get("/").wsgi_request.user.is_authenticated


def test_a_customer_cannot_enter_the_console(signed_in: Callable[..., Client], known: Any) -> None:
    browser = signed_in(known)

    for address in ("/console/", "/console/invariants/", "/console/switches/spend/"):
        assert browser.get(address).status_code == 403


def test_a_poll_after_signing_out_reloads_the_page(client: Client, programme: Any) -> None:
    """Otherwise the sign-in page would appear inside the incident page."""
    answer = client.get("/console/", headers={"HX-Request": "true"})

    assert answer["HX-Refresh"] == "true"


def test_the_language_switch_keeps_the_page(client: Client, programme: Any) -> None:
    english = client.get("/sign-in/?next=/console/", headers={"accept-language": "en"})
    assert "Sign in" in english.content.decode()

    answer = client.post("/language/", {"language": "ja", "next": "/sign-in/?next=/console/"})

    assert answer["Location"] == "/sign-in/?next=/console/"
    japanese = client.get(answer["Location"], headers={"accept-language": "en"})
    assert '<html lang="ja">' in japanese.content.decode()


def test_no_personal_page_may_be_cached(signed_in: Callable[..., Client], known: Any) -> None:
    assert "no-store" in signed_in(known).get("/")["Cache-Control"]
