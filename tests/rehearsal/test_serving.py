"""The output of the demo is enough to sign in."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from rich.console import Console

from accounts.sign_in import second_factor
from rehearsal import serving
from rehearsal.stage import PEOPLE, Cast, Enrolled
from tests import factories
from tests.signing_in import sign_in

PASSWORD = "correct horse battery"


def test_the_printed_sign_ins_open_the_console(
    rehearsal_clock: Any, programme: Any, tmp_path: Path
) -> None:
    people = {}
    for login in PEOPLE:
        person = factories.make_staff()
        person.login_id = login
        person.set_password(PASSWORD)
        person.save()
        secret = second_factor.add_app(person)
        people[login] = Enrolled(login_id=login, password=PASSWORD, secret=secret)
    printed = io.StringIO()

    serving.show_sign_ins(
        Console(file=printed, width=200),
        serving.Site(port=8000, logs=tmp_path),
        cast=Cast(people),
        customers=[],
        password="",
    )

    assert "manage.py staff_code commander" in printed.getvalue()
    browser = Client()
    sign_in(browser, "commander", PASSWORD)
    assert browser.get("/console/").status_code == 200


def test_a_mail_of_the_demo_links_to_its_own_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WINDDOWN_SITE_URL", raising=False)
    site = serving.Site(port=8123, logs=tmp_path)

    assert site.environment()["WINDDOWN_SITE_URL"] == "http://127.0.0.1:8123"
    monkeypatch.setenv("WINDDOWN_SITE_URL", "https://demo.example.org")
    assert site.environment()["WINDDOWN_SITE_URL"] == "https://demo.example.org"
