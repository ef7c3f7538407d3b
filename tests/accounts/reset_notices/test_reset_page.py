"""The page of a reset: the fence, the notices, and the files with codes, which are taken once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client

from accounts import outbox
from accounts.addresses import Address
from accounts.models import CarrierFile, CredentialFence, ResetNotice
from accounts.reset_notices.reset_acts import DOWNLOADS, RESET
from tests import factories
from tests.config.test_every_door import browser_of
from tests.signing_in import code_typed
from winddown import clock
from winddown.models import Approval, AuditEntry
from winddown.runs import control

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("programme")]
PAGE = "/console/reset/"
BY_PHONE = {"email": "", "email_verified_at": None}


def entries(action: str) -> int:
    return AuditEntry.objects.filter(action=action).count()


@pytest.fixture
def officer(two: Any) -> Client:
    return browser_of(two[0], headers={"accept-language": "en"})


def sent(browser: Client, verb: str, **given: Any) -> str:
    """Returns what the person reads after the form was sent twice."""
    browser.post(f"{PAGE}{verb}/", {"reason": "test", **given})
    answer = browser.post(f"{PAGE}{verb}/", {"reason": "test", **given}, follow=True)
    return answer.content.decode()


@pytest.fixture
def run(people: Any, reset: Any) -> Any:
    factories.make_customer(phone="+81-50-1111-2222", phone_verified_at=clock.now(), **BY_PHONE)
    factories.make_customer(email="nobody@example.com", account_ref="lost")
    return factories.worked_off(reset())


def test_notices_leave_by_the_page_and_each_file_is_taken_once(run: Any, officer: Client) -> None:
    shown = officer.get(PAGE).content.decode()
    assert "decide-notices" in shown
    assert "There is no file yet." in shown

    sent(officer, "notices", channel="phone")
    assert entries("notices.hand_over") == 1
    assert ResetNotice.objects.get().state == "sent"
    messages, letter = CarrierFile.objects.order_by("pk")
    taken = officer.post(f"{PAGE}take/", {"reason": "to the carrier", "number": messages.pk})
    assert b"05011112222" in taken.content
    assert taken["Content-Disposition"] == f'attachment; filename="{messages.name}"'
    again = officer.post(f"{PAGE}take/", {"reason": "to the carrier", "number": messages.pk})
    assert b"05011112222" not in again.content
    assert "ask to take it again" in again.content.decode()
    assert entries("carrier_file.take") == 1
    assert b"{code}" in officer.post(f"{PAGE}take/", {"reason": "x", "number": letter.pk}).content


def test_a_lost_file_is_taken_once_more_if_two_people_agree(
    run: Any, officer: Client, two: Any
) -> None:
    sent(officer, "notices", channel="phone")
    file = CarrierFile.objects.earliest("pk")
    assert "nobody has taken it" in sent(officer, "again", number=file.pk)
    officer.post(f"{PAGE}take/", {"reason": "x", "number": file.pk})
    assert "You asked for exactly this" in sent(officer, "again", number=file.pk)
    request = Approval.objects.latest("pk")
    own = officer.post(
        f"/console/approvals/{request.pk}/approve/", {"digest": request.digest, "reason": "x"}
    )
    assert own.status_code == 200
    other = browser_of(two[1], headers={"accept-language": "en"})
    assert "Taking it once more waits" in other.get(PAGE).content.decode()
    other.post(
        f"/console/approvals/{request.pk}/approve/", {"digest": request.digest, "reason": "seen"}
    )
    assert b"0501111" in officer.post(f"{PAGE}take/", {"reason": "x", "number": file.pk}).content
    with code_typed(two[0]):
        call_command(
            "retake_carrier_file", f"--number={file.pk}", by=two[0].login_id, reason="lost again"
        )
    second = Approval.objects.latest("pk")
    other.post(f"/console/approvals/{second.pk}/reject/", {"digest": second.digest, "reason": "no"})
    assert CarrierFile.objects.get(pk=file.pk).taken_at is not None
    assert (entries("carrier_file.approve_again"), entries("carrier_file.reject_again")) == (1, 1)


def test_messages_to_telephones_leave_by_the_page(officer: Client, programme: Any) -> None:
    assert "No message is owed" in officer.get(PAGE).content.decode()
    outbox.queue("account_known", to=Address("phone", "+81312345678"), language="ja")
    sent(officer, "messages")
    assert entries("outbox.export") == 1
    file = CarrierFile.objects.get()
    assert (file.rows, outbox.owed_to_telephones().count()) == (1, 0)
    taken = officer.post(f"{PAGE}take/", {"reason": "x", "number": file.pk})
    assert taken.content.startswith(b"key,number,text\r\n")


def test_people_without_a_channel_are_listed_by_key_and_each_list_is_recorded(
    run: Any, officer: Client
) -> None:
    listed = officer.post(f"{PAGE}unreachable/", {"reason": "for the help desk"})
    assert listed.content.decode().split() == ["account_ref", "lost"]
    assert entries("notices.export_unreachable") == 1


def test_the_fence_is_lifted_by_two_from_the_page(
    reset: Callable[..., Any], officer: Client, two: Any, people: Any
) -> None:
    people(1)
    assert "none stands" in officer.get(PAGE).content.decode()
    started = reset()
    assert "while its run is paused" in sent(officer, "lift")
    control.pause(started, actor=two[0], reason="test")
    assert "You asked for exactly this" in sent(officer, "lift")
    request = Approval.objects.get(stage="lift")
    other = browser_of(two[1], headers={"accept-language": "ja"})
    assert "資格情報" in other.get(PAGE).content.decode()
    other.post(
        f"/console/approvals/{request.pk}/approve/", {"digest": request.digest, "reason": "seen"}
    )
    assert CredentialFence.objects.get().state == "lifted"


@pytest.mark.parametrize("verb", [*RESET, *DOWNLOADS])
def test_who_may_not_do_it_is_refused(verb: str, staff: Callable[..., Any]) -> None:
    answer = browser_of(staff("support")).post(f"{PAGE}{verb}/", {"reason": "x", "number": "1"})
    assert answer.status_code == 403
    assert not Approval.objects.exists()


def test_a_stored_file_cannot_be_changed_in_sql(run: Any, officer: Client) -> None:
    sent(officer, "notices", channel="phone")
    file = CarrierFile.objects.earliest("pk")
    for change in ({"name": "x"}, {"rows": 7}, {"sha256": "0" * 64}):
        with pytest.raises(DatabaseError, match="cannot change"), transaction.atomic():
            CarrierFile.objects.filter(pk=file.pk).update(**change)
    for table in ("accounts_carrierfile", "accounts_carrierfilepart"):
        with (
            pytest.raises(DatabaseError, match="DELETE refused|permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"DELETE FROM {table}")
