"""Staff and customers have the e-mail address of their account verified by a mailed link."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from accounts.errors import LinkDead
from accounts.models import Message, OneTimeLink, User
from accounts.recovery import own_address
from accounts.sign_in import second_factor
from tests.accounts.mail_server import Mailbox, link_in, text_of
from tests.config.test_every_door import browser_of
from tests.unguarded import past_the_guards
from winddown import clock
from winddown.evidence import invariants
from winddown.models import AuditEntry
from winddown.runs import clockwork

pytestmark = pytest.mark.django_db
PAGE, PROVE = "/account/address/", "/recovery/password/"
WORDS = {
    "en": ("Verify your e-mail address", "The address is verified."),
    "ja": ("メールアドレスの確認", "アドレスを確認しました。"),
}


@pytest.fixture
def colleague(staff: Callable[..., Any], programme: Any) -> Any:
    """A member of staff with a second factor and an address that nobody verified."""
    made = staff("support", email="old@example.com")
    second_factor.add_app(made)
    return made


def link_for(browser: Client, address: str, mailbox: Mailbox) -> str:
    """Returns the path of the link that the page sends to the address."""
    assert browser.post(PAGE, {"email": address})["Location"] == PAGE
    clockwork.tick()
    return urlsplit(link_in(mailbox.to(address)[-1])).path


def now(someone: Any) -> User:
    return User.objects.get(pk=someone.pk)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_staff_verify_an_address_and_get_their_mails_there(
    colleague: Any, mailbox: Mailbox, language: str
) -> None:
    browser = browser_of(colleague, headers={"accept-language": language})
    subject, done = WORDS[language]
    link = link_for(browser, "new@example.com", mailbox)
    assert subject in mailbox.mails[-1]["Subject"]
    assert now(colleague).email_verified_at is None, "it was not opened yet"

    shown = browser.get(link, follow=True)
    assert "new@example.com" in shown.content.decode()
    assert now(colleague).email_verified_at is None, "it was not confirmed yet"
    answer = browser.post(PROVE, follow=True)

    assert done in answer.content.decode()
    assert now(colleague).email == "new@example.com"
    assert now(colleague).email_verified_at is not None
    clockwork.tick()
    assert [mail["To"] for mail in mailbox.mails[1:]] == ["new@example.com"]
    entry = AuditEntry.objects.get(action="access.address_verified")
    assert (entry.actor, entry.facts["messages"]) == (colleague, 1)
    assert invariants.breached() == {}


def test_the_old_verified_address_is_told_of_another_one(colleague: Any, mailbox: Mailbox) -> None:
    User.objects.filter(pk=colleague.pk).update(email_verified_at=clock.now())
    browser = browser_of(colleague, headers={"accept-language": "en"})
    browser.get(link_for(browser, "new@example.com", mailbox))
    browser.post(PROVE)
    clockwork.tick()

    (told,) = mailbox.to("old@example.com")
    assert "tell a colleague at once" in text_of(told)
    assert "new@" not in text_of(told)
    assert now(colleague).channel_changed_at is not None


def test_a_customer_verifies_the_stored_address_and_no_other(
    person: Callable[..., Any], mailbox: Mailbox
) -> None:
    someone = person(email="own@example.com", email_verified_at=None)
    browser = browser_of(someone)
    browser.post(PAGE, {"email": "thief@example.com"})
    clockwork.tick()
    assert mailbox.to("thief@example.com") == []

    browser.get(urlsplit(link_in(mailbox.to("own@example.com")[-1])).path)
    browser.post(PROVE)

    assert now(someone).email == "own@example.com"
    assert now(someone).email_verified_at is not None
    assert now(someone).channel_changed_at is None


@pytest.mark.parametrize("typed", ["", "nobody", "090-1234-5678", "a@b@c"])
def test_what_is_no_address_is_refused(colleague: Any, typed: str) -> None:
    assert browser_of(colleague).post(PAGE, {"email": typed}).status_code == 200
    assert not OneTimeLink.objects.exists()


def test_only_the_signed_in_owner_uses_the_link(
    colleague: Any, staff: Callable[..., Any], mailbox: Mailbox
) -> None:
    """A stranger who reads a mistyped mailbox does not become the reader of the account's mails."""
    link = link_for(browser_of(colleague), "typo@example.com", mailbox)
    other = staff("support")
    second_factor.add_app(other)

    for browser in (Client(headers={"accept-language": "en"}), browser_of(other)):
        shown = browser.get(link, follow=True)
        browser.post(PROVE)
        assert "typo@example.com" not in shown.content.decode()

    assert now(colleague).email == "old@example.com"
    with pytest.raises(LinkDead):
        own_address.prove(OneTimeLink.objects.get(), by=other)
    assert OneTimeLink.objects.get().used_at is None


def test_the_link_works_once(colleague: Any, mailbox: Mailbox) -> None:
    browser = browser_of(colleague)
    link = link_for(browser, "new@example.com", mailbox)
    browser.get(link)
    browser.post(PROVE)

    assert browser.get(link).status_code == 410
    assert browser.post(PROVE).status_code == 410


def test_the_address_of_another_account_is_refused_and_told_only_to_its_reader(
    colleague: Any, person: Callable[..., Any], mailbox: Mailbox
) -> None:
    person(email="taken@example.com")
    browser = browser_of(colleague, headers={"accept-language": "en"})
    browser.get(link_for(browser, "taken@example.com", mailbox))

    answer = browser.post(PROVE)

    assert "Another account has this address." in answer.content.decode()
    assert now(colleague).email == "old@example.com"


def test_the_form_sent_twice_sends_one_link_and_many_are_refused(
    colleague: Any, rehearsal_clock: Any, mailbox: Mailbox
) -> None:
    browser = browser_of(colleague)
    for _ in range(2):
        assert browser.post(PAGE, {"email": "a@example.com"}).status_code == 302
    assert Message.objects.filter(kind="verify_address").count() == 1

    answers = [browser.post(PAGE, {"email": f"{n}@example.com"}) for n in range(3)]
    assert [answer.status_code for answer in answers] == [302, 302, 200]
    assert OneTimeLink.objects.count() == 3


def test_a_used_link_that_verified_nothing_is_found(colleague: Any, mailbox: Mailbox) -> None:
    """I24c."""
    browser = browser_of(colleague)
    browser.get(link_for(browser, "new@example.com", mailbox))
    browser.post(PROVE)

    before = clock.now() - dt.timedelta(days=1)
    past_the_guards(
        f"UPDATE accounts_user SET email_verified_at = '{before}', channel_changed_at = NULL"
        f" WHERE id = {colleague.pk}"
    )

    assert "I24c" in invariants.breached()


def test_the_page_of_a_member_says_that_no_message_arrives(
    colleague: Any, staff: Callable[..., Any]
) -> None:
    browser = browser_of(staff("incident_commander"), headers={"accept-language": "en"})
    place = f"/console/staff/{colleague.pk}/"
    assert "no message about the account reaches" in browser.get(place).content.decode()
    User.objects.filter(pk=colleague.pk).update(email_verified_at=clock.now())
    assert "no message about the account reaches" not in browser.get(place).content.decode()


def test_the_page_has_the_frame_of_the_console_for_staff_and_of_the_portal_for_others(
    colleague: Any, person: Callable[..., Any]
) -> None:
    assert browser_of(colleague).get(PAGE).context["frame"] == "base.html"
    assert browser_of(person()).get(PAGE).context["frame"] == "portal.html"
