"""Only an approved recovery case has a link, and it opens nothing after the case has ended."""

from __future__ import annotations

from typing import Any

import pytest

from accounts import addresses
from accounts.errors import LinkDead
from accounts.models import Message, OneTimeLink, User
from accounts.recovery import by_link, cases
from accounts.recovery.cases import Contact
from tests.accounts.conftest import NEW
from tests.accounts.mail_server import Mailbox
from tests.accounts.recovery.casework import (
    NEW_ADDRESS,
    approved,
    case_link,
    collecting,
    opened,
    proposed,
)
from winddown import clock

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("state", ["opened", "collecting", "proposed", "rejected"])
def test_only_an_approved_case_has_a_link(
    locked_out: Any, helper: Any, mailbox: Mailbox, state: str
) -> None:
    case = {
        "opened": lambda: opened(),
        "collecting": lambda: collecting(helper),
        "proposed": lambda: proposed(helper, locked_out),
        "rejected": lambda: cases.decline(opened(), code="no_answer", actor=helper, reason="t"),
    }[state]()

    with pytest.raises(OneTimeLink.DoesNotExist):
        case_link(case)


def test_a_revoked_approval_kills_the_link(
    locked_out: Any, helper: Any, supervisor: Any, mailbox: Mailbox
) -> None:
    case = approved(helper, supervisor, locked_out)
    link = case_link(case)
    cases.revoke(case, code="not_proved", actor=supervisor, reason="the owner called")

    with pytest.raises(LinkDead):
        by_link.choose_password(link, NEW)


def test_a_completed_case_ends_its_link_and_the_old_channel(
    locked_out: Any, helper: Any, supervisor: Any, mailbox: Mailbox
) -> None:
    phone = "090-1234-5678"
    User.objects.filter(pk=locked_out.pk).update(phone=phone, phone_verified_at=clock.now())
    case = approved(helper, supervisor, locked_out)
    link = case_link(case)
    by_link.choose_password(link, NEW)

    with pytest.raises(LinkDead):
        by_link.choose_password(link, "one more different sentence")
    locked_out.refresh_from_db()
    assert locked_out.phone_verified_at is None
    warned = Message.objects.filter(facts={"event": "address_changed"})
    assert sorted(warned.values_list("channel", flat=True)) == ["email", "phone"]


def test_a_case_whose_person_cannot_be_told_does_not_end(helper: Any) -> None:
    """The form takes addresses only. A row that another program wrote may have another text."""
    address = addresses.understood(NEW_ADDRESS)
    assert address is not None
    wrote = Contact("Taro Yamada", "?", "no address", "the telephone is lost")
    case = cases.open_case(wrote, address=address, language="en", network=None)

    with pytest.raises(AssertionError):
        cases.decline(case, code="no_answer", actor=helper, reason="t")
    case.refresh_from_db()
    assert case.state == "opened"
