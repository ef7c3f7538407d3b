"""Somebody with the code of the server's terminal begins the programme on a page."""

from __future__ import annotations

import datetime as dt
import re
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import DatabaseError
from django.test import Client

from accounts.models import User
from winddown import clock
from winddown.models import AuditEntry, Capability, Programme, SetUpCode
from winddown.set_up import page_code
from winddown.set_up.writing import example

pytestmark = pytest.mark.django_db
PAGE = "/console/begin/"


def printed() -> str:
    out = StringIO()
    call_command("begin", "--page", stdout=out)
    found = re.search(r"http\S+/console/begin/ with the code (\S+)", out.getvalue())
    assert found, out.getvalue()
    return found[1]


def shown(answer: Any) -> str:
    return str(answer.content.decode())


def test_the_page_begins_as_the_command_does_and_shows_the_links_once() -> None:
    browser = Client(headers={"accept-language": "en"})
    assert PAGE in shown(browser.get("/"))
    code = printed()
    assert code not in str(list(SetUpCode.objects.values()))

    wrong = example().replace("closes_on_day = 15", "closes_on_day = 40").replace('"JPY"', '"JPX"')
    answer = browser.post(PAGE, {"code": code, "content": wrong})
    assert answer.status_code == 200
    errors = answer.context["form"].errors["content"]
    assert any("issuers[1].closes_on_day" in each and "1 to 31" in each for each in errors)
    assert any("programme.currency" in each for each in errors)
    assert "closes_on_day = 40" in shown(answer)
    assert code in shown(answer)
    assert not Programme.objects.exists()

    sent = {"code": code, "content": example()}
    links = re.findall(r"(\w+) enrols .*? at (http[^\s<]+)", shown(browser.post(PAGE, sent)))
    assert [login for login, _ in links] == ["hana", "ken"]
    assert Client().get(urlsplit(links[0][1]).path).status_code in (200, 302)
    assert Programme.current().name == "Sakura Pay"
    assert Capability.objects.filter(code="top_up:credit_card").exists()
    assert User.objects.filter(kind="staff").count() == 2
    assert AuditEntry.objects.filter(action="set_up.begin").count() == 1

    assert browser.post(PAGE, sent).status_code == 404
    assert browser.get(PAGE).status_code == 404
    assert User.objects.filter(kind="staff").count() == 2


def test_an_uploaded_file_takes_the_place_of_the_text() -> None:
    code = printed()
    given = {"code": code, "content": "nothing"}
    bad = SimpleUploadedFile("my.toml", b"[programme")
    answer = Client().post(PAGE, given | {"file": bad})
    assert "[programme" in shown(answer)
    assert not Programme.objects.exists()
    good = SimpleUploadedFile("my.toml", example("eu").encode())
    assert Client().post(PAGE, given | {"file": good}).status_code == 200
    assert Programme.current().currency == "EUR"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (example().replace("Sakura Pay", "さくらペイ").encode("cp932"), "not UTF-8"),
        (example().encode() + b"#" * 5_000_000, "larger than"),
    ],
)
def test_an_uploaded_file_that_cannot_be_read_begins_nothing(content: bytes, said: str) -> None:
    """The text on the page, which is the example at first, does not take its place."""
    given = {"code": printed(), "content": example()}
    file = SimpleUploadedFile("my.toml", content)
    answer = Client().post(PAGE, given | {"file": file})
    assert any(said in each for each in answer.context["form"].errors["content"])
    assert not Programme.objects.exists()


def test_nobody_without_a_code_makes_the_server_read_a_file() -> None:
    """Reading takes time and memory, and the page is open to everybody."""
    code = printed()
    content = "a." * 3_000 + "a = 1"
    guessed = Client().post(PAGE, {"code": "guess", "content": content}).context["form"]
    assert list(guessed.errors) == ["code"]
    known = Client().post(PAGE, {"code": code, "content": content}).context["form"]
    assert list(known.errors) == ["content"]
    assert "line 1 has more than 200 dots" in known.errors["content"][0]


def test_a_code_that_is_wrong_used_or_an_hour_old_begins_nothing(rehearsal_clock: Any) -> None:
    clock.mark_as_rehearsal()
    code = printed()
    wrong = Client().post(PAGE, {"code": "guess", "content": example()})
    assert "begin --page" in shown(wrong)
    clock.travel(clock.now() + page_code.LASTS)
    late = Client().post(PAGE, {"code": code, "content": example()})
    assert late.context["form"].errors["code"]
    assert not Programme.objects.exists()
    assert not User.objects.exists()


def test_the_database_lets_no_code_be_used_again_or_last_longer() -> None:
    printed()
    one = SetUpCode.objects.get()
    SetUpCode.objects.update(used_at=one.issued_at)
    with pytest.raises(DatabaseError, match="cannot change"):
        SetUpCode.objects.update(used_at=None)


def test_the_database_keeps_the_time_of_a_code() -> None:
    printed()
    one = SetUpCode.objects.get()
    with pytest.raises(DatabaseError, match="cannot change"):
        SetUpCode.objects.update(expires_at=one.expires_at + dt.timedelta(days=1))


def test_no_code_is_printed_once_the_programme_has_begun(programme: Any) -> None:
    with pytest.raises(SystemExit):
        call_command("begin", "--page", stdout=StringIO())
    assert not SetUpCode.objects.exists()
