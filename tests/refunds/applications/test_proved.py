"""Who has a password alone types a code from the known channel before the payee is replaced."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from accounts import outbox
from accounts.models import Message, OneTimeLink, User
from accounts.recovery import access_requests
from refunds.applications import payees
from refunds.models import Payee
from tests.accounts.mail_server import Mailbox, mail_server, text_of
from tests.refunds.applications.test_portal import AT, Phone
from tests.refunds.conftest import House
from winddown import clock

pytestmark = pytest.mark.django_db


def sent_code(phone: Phone, mailbox: Mailbox) -> str:
    phone.client.post(f"{AT}prove/", {"send": "1"})
    access_requests.answer_due()
    outbox.send_due()
    (found,) = re.findall(r"\b\d{8}\b", text_of(mailbox.mails[-1]))
    return str(found)


def test_a_change_of_payee_asks_for_a_code_at_the_old_channel(
    house: House, settings: Any, rehearsal_clock: Any
) -> None:
    (owed,) = house.entitled(1)
    holder = owed.wallet.account
    payees.enter(holder, house.account(), actor=holder)
    User.objects.filter(pk=holder.pk).update(
        email="old@example.jp", email_verified_at=clock.now() - dt.timedelta(days=9)
    )
    phone = Phone(owed)
    phone.answer_all()
    for method in (phone.client.get, phone.client.post):
        assert method(f"{AT}change/")["Location"] == f"{AT}prove/"
    assert "o***@e***.jp" in phone.get("prove/")
    with mail_server(settings) as mailbox:
        code = sent_code(phone, mailbox)
        assert "to another account" in text_of(mailbox.mails[-1])
        wrong = phone.client.post(f"{AT}prove/", {"code": "00000000"})
        assert "not right, or no longer valid" in wrong.content.decode()
        # The code of one session opens nothing in another, and no page of a recovery.
        other = Phone(owed)
        assert other.client.post(f"{AT}prove/", {"code": code}).status_code == 200
        other.client.post("/recovery/sent/", {"code": code})
        assert OneTimeLink.objects.get().used_at is None
        assert Payee.objects.count() == 1

        assert phone.client.post(f"{AT}prove/", {"code": code})["Location"] == f"{AT}change/"
        assert phone.send("change/")["Location"] == f"{AT}done/"
        assert Payee.objects.get(replaced_at=None).version == 2
        assert Message.objects.filter(user=holder, kind=Message.Kind.PAYEE_CHANGED).exists()
        # The proof ends after a quarter of an hour, and does not hold for a new address.
        assert phone.client.get(f"{AT}prove/")["Location"] == f"{AT}change/"
        User.objects.filter(pk=holder.pk).update(email="new@example.jp")
        assert phone.client.get(f"{AT}prove/").status_code == 200
        User.objects.filter(pk=holder.pk).update(email="old@example.jp")
        clock.travel(clock.now() + dt.timedelta(minutes=16), frozen=True)
        assert phone.client.get(f"{AT}prove/").status_code == 200
