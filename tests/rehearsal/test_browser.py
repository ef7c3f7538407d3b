"""The browser of a simulated person meets the real pages of a served site."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.browser import Browser, PageRefused
from rehearsal.serving import RehearsedSite, free_port
from tests import factories
from tests.conftest import Database

PASSWORD = "correct horse battery"
# The served site counts attempts in the broker of all tests: nobody else has this name or address.
LOGIN = f"akari-{secrets.token_hex(4)}"
NETWORK = f"198.18.{secrets.randbelow(256)}.{secrets.randbelow(256)}"


@pytest.fixture
def address(
    own_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    for name, value in own_database.environment.items():
        monkeypatch.setenv(name, value)
    factories.declare_switches()
    factories.make_programme()
    person = factories.make_customer(login_id=LOGIN, email="akari@example.com")
    person.set_password(PASSWORD)
    person.save()
    with RehearsedSite(port=free_port(), logs=tmp_path) as site:
        site.wait()
        yield site.address


def test_a_form_that_took_effect_is_counted_and_a_refused_one_is_told(address: str) -> None:
    sent: Counter[str] = Counter()
    browser = Browser(address, sent=sent, network=NETWORK)
    page = browser.open("/sign-in/")
    with pytest.raises(PageRefused) as refused:
        browser.send(page, {"login_id": LOGIN, "password": "wrong"})
    assert refused.value.facts["path"] == "/sign-in/"
    with pytest.raises(PageRefused, match="no form with answer"):
        browser.send(page, {"answer": "42"})
    with pytest.raises(PageRefused, match="404"):
        browser.open("/nowhere/")
    assert not sent

    home = browser.send(page, {"login_id": LOGIN, "password": PASSWORD})

    assert home.path == "/"
    assert sent == {"sign_in": 1}
    assert browser.open("/account/sessions/").path == "/account/sessions/"
    hidden = browser.open("/recovery/").form(["who"]).fields
    assert hidden["csrfmiddlewaretoken"][0]
    assert hidden["once"][0]
