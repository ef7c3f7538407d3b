"""Recovery by a code to a telephone, and the file for the carrier."""

from __future__ import annotations

import csv
import datetime as dt
import re
import stat
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import AccessRequest, Message, User
from tests.accounts.conftest import NEW
from tests.signing_in import code_typed
from winddown import clock
from winddown.errors import NotPermitted
from winddown.models import AuditEntry
from winddown.runs import clockwork

pytestmark = pytest.mark.django_db
EN = {"accept-language": "en"}
PHONE = "090-1234-5678"


@pytest.fixture
def owner(person: Callable[..., Any]) -> Any:
    return person(email="", email_verified_at=None, phone=PHONE, phone_verified_at=clock.now())


@pytest.fixture
def exported(staff: Callable[..., Any], tmp_path: Path) -> Callable[[], list[dict[str, str]]]:
    """Returns the rows that the carrier gets now."""

    def export() -> list[dict[str, str]]:
        clockwork.tick()
        place = tmp_path / f"{len(list(tmp_path.iterdir()))}.csv"
        commander = staff("incident_commander")
        with code_typed(commander):
            call_command(
                "export_phone_messages",
                str(place),
                f"--by={commander.login_id}",
                "--reason=hourly",
                stdout=StringIO(),
            )
        if not place.exists():
            return []
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        with place.open(encoding="utf-8") as file:
            return list(csv.DictReader(file))

    return export


def asked(who: str) -> Client:
    browser = Client(headers=EN)
    browser.post("/recovery/", {"who": who})
    return browser


def code_in(message: dict[str, str]) -> str:
    (found,) = re.findall(r"\b[0-9]{8}\b", message["text"])
    return str(found)


def types(browser: Client, code: str) -> bool:
    """Returns whether the code leads to the page where a password is chosen."""
    answer = browser.post("/recovery/sent/", {"code": code})
    return answer.status_code == 302 and answer["Location"] == "/recovery/password/"


@pytest.mark.parametrize("who", [PHONE, "+81-90-1234-5678", ""])
def test_a_code_leads_to_a_new_password(
    owner: Any, exported: Callable[[], list[dict[str, str]]], who: str
) -> None:
    browser = asked(who or owner.login_id)
    (message,) = exported()
    assert message["number"] == "09012345678"

    code = code_in(message)
    assert types(browser, f"{code[:4]} {code[4:]}")
    browser.post("/recovery/password/", {"password": NEW, "again": NEW})

    owner.refresh_from_db()
    assert owner.check_password(NEW)
    (told,) = exported()
    assert "Password changed" in told["text"]
    assert not types(browser, code)


def test_a_code_works_only_in_the_browser_that_asked(
    owner: Any, exported: Callable[[], list[dict[str, str]]]
) -> None:
    asked(PHONE)
    code = code_in(exported()[0])

    assert not types(Client(headers=EN), code)
    assert not types(asked("nobody@example.com"), code)


def test_the_right_code_is_refused_after_five_wrong_ones(
    owner: Any, exported: Callable[[], list[dict[str, str]]]
) -> None:
    browser = asked(PHONE)
    code = code_in(exported()[0])
    wrong = f"{(int(code) + 1) % 10**8:08}"

    for _ in range(AccessRequest.TRIES_MAX):
        assert not types(browser, wrong)

    assert not types(browser, code)


def test_a_code_lives_15_minutes_from_the_export(
    owner: Any, exported: Callable[[], list[dict[str, str]]], rehearsal_clock: Any
) -> None:
    browser = asked(PHONE)
    clockwork.tick()
    rehearsal_clock.travel(clock.now() + dt.timedelta(hours=2), frozen=True)
    code = code_in(exported()[0])

    rehearsal_clock.travel(clock.now() + dt.timedelta(minutes=15), frozen=True)
    assert not types(browser, code)


def test_a_message_is_exported_once_and_its_number_is_deleted(
    owner: Any, exported: Callable[[], list[dict[str, str]]]
) -> None:
    asked(PHONE)
    assert len(exported()) == 1

    assert exported() == []
    message = Message.objects.get()
    assert message.sent_at is not None
    assert message.to_sealed is None
    assert AuditEntry.objects.filter(action="outbox.export").count() == 1
    assert AuditEntry.objects.filter(action="carrier_file.take").count() == 1


def test_an_export_never_overwrites_a_file(
    owner: Any, staff: Callable[..., Any], tmp_path: Path
) -> None:
    asked(PHONE)
    clockwork.tick()
    place = tmp_path / "sent.csv"
    place.write_text("what the carrier got yesterday")
    commander = staff("incident_commander")
    by = f"--by={commander.login_id}"

    with pytest.raises(CommandError, match="exists"), code_typed(commander):
        call_command("export_phone_messages", str(place), by, "--reason=t", stdout=StringIO())

    assert Message.objects.get().sent_at is None
    assert place.read_text().startswith("what")


def test_only_a_person_who_may_send_notices_can_export(
    staff: Callable[..., Any], tmp_path: Path
) -> None:
    from accounts import outbox

    with pytest.raises(NotPermitted):
        outbox.export_phone_messages(actor=staff("support"), reason="t")


def test_a_code_opens_a_new_account_too(
    switches: None, exported: Callable[[], list[dict[str, str]]]
) -> None:
    browser = Client(headers=EN)
    browser.post("/register/", {"who": "080-9999-0000"})
    (message,) = exported()

    assert types(browser, code_in(message))
    browser.post("/recovery/password/", {"password": NEW, "again": NEW})

    made = User.objects.customers().get()
    assert (made.login_id, made.phone, made.email) == ("08099990000", "08099990000", "")
    assert made.phone_verified_at is not None
