"""Two people begin a real programme: real time, real second factors, pages and commands."""

from __future__ import annotations

import re
import sys
import time
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from tests.accounts.conftest import NEW
from tests.signing_in import next_code, oldest_step, sign_in
from winddown import clock
from winddown.models import Approval, AuditEntry, Capability
from winddown.set_up.writing import example

pytestmark = pytest.mark.django_db


def ran(*words: str, typed: str = "") -> tuple[int, str]:
    """Returns the exit code and the output of `manage.py words`, to which `typed` was typed."""
    out, before = StringIO(), sys.stdin
    sys.stdin = StringIO(f"{typed}\n")
    try:
        call_command(*words, stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    finally:
        sys.stdin = before
    return 0, out.getvalue()


def enrolled(link: str, login: str) -> Client:
    """A browser in which the person of the link chose a password and set up an app."""
    browser = Client(headers={"accept-language": "en"})
    browser.get(urlsplit(link).path)
    browser.post("/recovery/password/", {"password": NEW, "again": NEW})
    browser.post("/sign-in/", {"login_id": login, "password": NEW})
    # Nothing else can be reached before.
    assert browser.get("/console/")["Location"].startswith("/account/second-factor/")
    secret = browser.get("/account/second-factor/app/").context["form"].secret
    wrong = format_hotp_value(hotp_value(secret, int(time.time()) // 30 + 1_000))
    browser.post("/account/second-factor/app/", {"code": wrong})
    assert browser.get("/console/").status_code == 302
    code = format_hotp_value(hotp_value(secret, oldest_step()))
    assert browser.post("/account/second-factor/app/", {"code": code}).status_code == 302
    assert browser.get("/console/").status_code == 200
    return browser


def decided(browser: Client, subject: str) -> Any:
    """Returns the answer of the page on which the request is approved."""
    asked = Approval.objects.filter(subject=subject).latest("pk")
    return browser.post(
        f"/console/approvals/{asked.pk}/approve/", {"digest": asked.digest, "reason": "seen"}
    )


def test_two_people_begin_enrol_stop_and_approve(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text(example())
    code, said = ran("begin", str(file))
    assert (code, clock.is_rehearsal()) == (0, False), said
    links = dict(re.findall(r"(\w+) enrols .* at (http\S+)", said))
    hana, ken = (enrolled(links[login], login) for login in ("hana", "ken"))
    assert Client().get(urlsplit(links["hana"]).path, follow=True).status_code == 410
    two = User.objects.get(login_id="ken")

    # One person stops: by the page, and by the command.
    hana.post("/console/switches/stop/", {"codes": ["spend"], "reason": "strange payments"})
    code, said = ran("stop_capability", "register", "--by", "hana", "--reason", "strange accounts")
    assert code == 0, said
    stopped = Capability.objects.filter(code__in=("spend", "register"))
    assert not stopped.filter(state=Capability.State.ENABLED).exists()

    # The same person does not ratify, and nobody does without a code of their own.
    words = re.search(r"approve (\S+ --digest \w+)", said)
    assert words
    again = ("approve", *words[1].split(), "--reason", "seen", "--by")
    assert ran(*again, "hana", typed=next_code(User.objects.get(login_id="hana")))[0] == 1
    assert ran(*again, "ken", typed="000000")[0] == 1
    assert all(each.ratified_by is None for each in stopped.all())

    # Another person ratifies: by the command with a code of the app, and by the page.
    used = next_code(two)
    code, said = ran(*again, "ken", typed=used)
    assert code == 0, said
    assert decided(ken, "capability:spend:2").status_code == 302
    assert {each.ratified_by for each in stopped.all()} == {two}

    # A code works once, and signs in where it is new.
    elsewhere = Client()
    elsewhere.post("/sign-in/", {"login_id": "ken", "password": NEW})
    elsewhere.post("/sign-in/code/", {"code": used})
    assert elsewhere.get("/console/").status_code == 302
    acts = AuditEntry.objects.filter(action="command.not_proved")
    assert acts.get().subject == f"account:{two.pk}"


def test_a_first_person_signs_in_again_with_password_and_code(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text(example())
    links = dict(re.findall(r"(\w+) enrols .* at (http\S+)", ran("begin", str(file))[1]))
    enrolled(links["hana"], "hana")
    browser = Client()
    sign_in(browser, "hana", NEW)
    assert browser.get("/console/").status_code == 200
