"""The first half of a sign-in, recovery codes, and second factors for tests."""

from __future__ import annotations

import time
from typing import Any

from allauth.mfa.models import Authenticator
from django.test import Client

from tests.accounts.conftest import OLD


def half_in(someone: Any) -> Client:
    browser = Client(headers={"accept-language": "en"})
    browser.post("/sign-in/", {"login_id": someone.login_id, "password": OLD})
    return browser


def codes_of(someone: Any) -> list[str]:
    row, _ = Authenticator.objects.get_or_create(
        user=someone, type="recovery_codes", defaults={"data": {}}
    )
    if not row.data:
        row.delete()
        from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

        row = RecoveryCodes.activate(someone).instance
    codes: list[str] = row.wrap().get_unused_codes()
    return codes


def make_stale(browser: Client, *, minutes: int = 11) -> None:
    """The signed-in person was last asked for a proof so many minutes ago."""
    session = browser.session
    for record in session["account_authentication_methods"]:
        record["at"] = time.time() - minutes * 60
    session.save()


def add_app(browser: Client) -> Any:
    secret = browser.get("/account/second-factor/app/").context["form"].secret
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    return browser.post("/account/second-factor/app/", {"code": code})
