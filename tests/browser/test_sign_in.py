"""Passkeys, authenticator apps and recovery codes in a real browser, under the site's own Content-Security-Policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import Site, give_password, next_code, sign_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser sign-in")]


def give_authenticator(page: Any) -> None:
    """The device can keep passkeys and asks for no finger."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def add_passkey(page: Any) -> None:
    page.goto("/account/second-factor/")
    page.click("text=Add a passkey")
    page.fill("#id_name", "My phone")
    with page.expect_navigation():
        page.click("#passkey-add")


def recovery_codes(page: Any) -> list[str]:
    assert page.inner_text("h1") == "Recovery codes"
    codes: list[str] = page.locator(".recovery-codes code").all_inner_texts()
    assert len(set(codes)) == 10
    return codes


def sign_out(page: Any) -> None:
    with page.expect_navigation():
        page.click("button:text-is('Sign out')")


def policy(page: Any) -> str:
    answer = page.goto("/sign-in/")
    said: str = answer.headers["content-security-policy"]
    return said


def test_a_customer_adds_a_passkey_and_signs_in_with_it_alone(
    site: Site, open_browser: Callable[..., Any]
) -> None:
    page = open_browser()
    give_authenticator(page)
    assert "script-src 'self';" in f"{policy(page)};"
    sign_in(page, site, site.customer)
    add_passkey(page)
    recovery_codes(page)
    page.goto("/account/second-factor/")
    assert "My phone" in page.inner_text("main")
    sign_out(page)

    page.goto("/sign-in/")
    with page.expect_navigation():
        page.click("#passkey-sign-in")

    page.goto("/account/sessions/")
    assert "with a passkey" in page.inner_text("main")


def test_a_passkey_is_the_second_step_of_staff(
    site: Site, open_browser: Callable[..., Any]
) -> None:
    page = open_browser()
    give_authenticator(page)
    sign_in(page, site, site.deputy)
    add_passkey(page)
    sign_out(page)
    give_password(page, site.deputy)
    assert page.inner_text("h1") == "Second step"

    with page.expect_navigation():
        page.click("#passkey-use")

    page.goto("/console/")
    assert page.inner_text("h1").startswith("Incident")


def test_a_passkey_of_another_site_is_refused_in_words(
    site: Site, open_browser: Callable[..., Any]
) -> None:
    page = open_browser()
    give_authenticator(page)
    page.goto("/sign-in/")
    assert page.is_hidden("#passkey-trouble")

    page.click("#passkey-sign-in")

    page.locator("#passkey-trouble").wait_for(state="visible")
    assert "Try again, or take another way" in page.inner_text("#passkey-trouble")


def test_staff_without_a_second_factor_add_one_and_sign_in_with_it(
    site: Site, open_browser: Callable[..., Any]
) -> None:
    page = open_browser(java_script_enabled=False)
    give_password(page, site.newcomer)
    for place in ("/console/", "/console/audit/", "/account/sessions/"):
        page.goto(place)
        assert page.inner_text("h1") == "Second factor"
    page.click("text=Set up an app")
    secret = page.inner_text("code.secret")
    page.fill("#id_code", next_code(secret))
    page.click("button:text-is('Set up the app')")
    codes = recovery_codes(page)
    page.click("text=Go on")
    assert page.inner_text("h1").startswith("Audit journal")
    sign_out(page)

    give_password(page, site.newcomer)
    page.fill("#id_code", next_code(secret))
    page.click("button:text-is('Sign in')")
    assert page.inner_text("h1").startswith("Audit journal")

    # A recovery code is used instead of the app, once.
    for opens in (True, False):
        sign_out(page)
        give_password(page, site.newcomer)
        page.fill("#id_code", codes[0])
        with page.expect_navigation():
            page.click("button:text-is('Sign in')")
        if opens:
            assert page.inner_text("h1").startswith("Audit journal")
        else:
            assert page.title().startswith("Error: ")
            page.goto("/console/")
            assert page.inner_text("h1") == "Sign in"
            return
