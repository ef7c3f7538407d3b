"""Each form of the recovery shows its errors, takes what people type, and keeps to the limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.attempts import limits
from accounts.models import AccessRequest, RecoveryCase, User
from tests.accounts.conftest import NEW, OLD
from tests.accounts.recovery.casework import opened
from tests.accounts.recovery.visiting import EN, Visitor, disabled_before

pytestmark = pytest.mark.django_db
HELP = {"name": "Taro Yamada", "who": "reached@example.com", "story": "lost it all"}


def words(answer: Any) -> str:
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("/recovery/", "Enter your login ID, e-mail address or telephone number."),
        ("/recovery/sent/", "Enter the code of 8 digits."),
        ("/register/", "Enter an e-mail address or a telephone number."),
        ("/recovery/help/", "Enter your name."),
        ("/recovery/case/", "Enter the reference of your case."),
    ],
)
def test_an_incomplete_form_says_what_is_missing(page: str, said: str, switches: None) -> None:
    browser = Client(headers=EN)

    assert said not in words(browser.get(page))
    assert said in words(browser.post(page, {"once": "a key"}))
    assert not AccessRequest.objects.exists()
    assert not RecoveryCase.objects.exists()


@pytest.mark.parametrize("page", ["/register/", "/recovery/help/"])
def test_a_text_that_is_no_address_is_refused(page: str, switches: None) -> None:
    answer = Client(headers=EN).post(page, {**HELP, "who": "somebody"})

    assert "This is neither an e-mail address nor a telephone number." in words(answer)
    assert not AccessRequest.objects.exists()
    assert not RecoveryCase.objects.exists()


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_case_keeps_the_language_of_its_form(language: str, switches: None) -> None:
    answer = Client(headers={"accept-language": language}).post("/recovery/help/", HELP)

    assert answer.status_code == 302
    assert RecoveryCase.objects.get().language == language


def test_a_link_without_a_token_is_dead() -> None:
    assert Client().get("/recovery/link/").status_code == 410


# --- the new password ---------------------------------------------------------------------------


def test_two_different_passwords_are_refused(
    person: Callable[..., Any], mailed: Callable[[User], str]
) -> None:
    someone, browser = person(), Visitor()
    browser.open(mailed(someone))

    for again in ("another sentence", " "):
        assert "The two passwords are not the same." in words(browser.choose(NEW, again))
    assert User.objects.get(pk=someone.pk).check_password(OLD)


def test_the_password_keeps_its_spaces(
    person: Callable[..., Any], mailed: Callable[[User], str]
) -> None:
    someone, browser = person(), Visitor()
    browser.open(mailed(someone))

    assert browser.choose(f" {NEW} ").status_code == 302
    assert User.objects.get(pk=someone.pk).check_password(f" {NEW} ")


def test_a_link_that_dies_while_the_password_is_sent_shows_its_page(
    person: Callable[..., Any], mailed: Callable[[User], str]
) -> None:
    someone, browser = person(), Visitor()
    browser.open(mailed(someone))

    with disabled_before('FOR UPDATE OF "accounts_onetimelink"', someone):
        assert browser.choose(NEW).status_code == 410
    assert User.objects.get(pk=someone.pk).check_password(OLD)


# --- limits -------------------------------------------------------------------------------------


def used_up(action: str) -> None:
    """This network has made as many attempts of the action as it may."""
    while limits.allow(action, network="127.0.0.1"):
        pass


def test_codes_of_one_network_are_limited(switches: None) -> None:
    browser = Client(headers=EN)
    browser.post("/recovery/", {"who": "nobody@example.com"})
    used_up("one_time_code")

    assert "This code is not right" in words(browser.post("/recovery/sent/", {"code": "12345678"}))
    assert AccessRequest.objects.get().tries == 0


def test_help_and_references_of_one_network_are_limited(switches: None) -> None:
    case = opened()
    used_up("recovery_case")

    answer = Client(headers=EN).post("/recovery/help/", HELP)
    assert "There were too many requests. Try again later." in words(answer)
    answer = Client(headers=EN).post("/recovery/case/", {"reference": case.reference})
    assert "There is no case with this reference." in words(answer)
    assert RecoveryCase.objects.get() == case
