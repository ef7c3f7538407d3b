"""How tests sign people in: through the real pages, or straight to the state that follows."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from django.test import Client


def sign_in(browser: Client, login_id: str, password: str, **more: str) -> Any:
    """Returns the answer of the real pages to the password, and to the second factor if it is asked
    for.
    """
    answer = browser.post("/sign-in/", {"login_id": login_id, "password": password, **more})
    if answer.status_code == 302 and answer["Location"] == "/sign-in/code/":
        from accounts.models import User

        answer = send_code(browser, User.objects.get(login_id=login_id.lower()))
    return answer


def send_code(browser: Client, person: Any) -> Any:
    return browser.post("/sign-in/code/", {"code": next_code(person)})


def oldest_step() -> int:
    """Returns the number of the oldest code that is still valid in a quarter of a minute."""
    return int(time.time() - 15) // 30


def next_code(person: Any) -> str:
    """Returns a code of the person's app that is valid now and was not used yet. A code works once,
    and a test cannot wait half a minute for the next.
    """
    app = Authenticator.objects.get(user=person, type=Authenticator.Type.TOTP)
    step = max(oldest_step(), app.data.get("used_step", 0) + 1)
    return format_hotp_value(hotp_value(decrypt(app.data["secret"]), step))


@contextmanager
def code_typed(person: Any) -> Iterator[None]:
    """Inside, the next line that a command reads is an unused code of the person."""
    row = Authenticator.objects.filter(user=person, type=Authenticator.Type.RECOVERY_CODES).first()
    codes = row.wrap() if row else RecoveryCodes.activate(person)
    before, sys.stdin = sys.stdin, StringIO(f"{codes.get_unused_codes()[0]}\n")
    try:
        yield
    finally:
        sys.stdin = before


def open_session(browser: Client, person: Any) -> None:
    """The browser has a session of `person`, as after a password and a second factor just now."""
    browser.force_login(person)
    session = browser.session
    session["account_authentication_methods"] = [
        {"method": "mfa", "type": "totp", "at": time.time()}
    ]
    session["account_authentication_methods_user"] = str(person.pk)
    session.save()


def is_signed_in(browser: Client) -> bool:
    """Returns whether a page that only signed-in people see is shown."""
    return browser.get("/account/sessions/").status_code == 200


def go_to_provider(browser: Client, query: str = "") -> str:
    """Returns the address to which the sign-in page sends the browser."""
    answer = browser.post(f"/sign-in/with/line/{query}")
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def come_back(browser: Client, provider: Any, address: str) -> Any:
    """The person agrees at the provider, and the browser brings its answer back."""
    location = provider.confirm(address)
    return browser.get(location.partition("//testserver")[2])
