"""A new address gets a new account, a known one gets a hint, and nobody gets two accounts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connections
from django.test import Client

from accounts import addresses
from accounts.errors import AddressTaken, LinkDead
from accounts.models import AccessRequest, OneTimeLink, User
from accounts.recovery import links, registration
from tests import factories
from tests.accounts.conftest import NEW
from tests.accounts.mail_server import Mailbox, link_in, mail_server, text_of
from wallets.models import Wallet
from winddown.errors import CapabilityStopped
from winddown.evidence import invariants
from winddown.programme import capabilities
from winddown.runs import clockwork

EN = {"accept-language": "en"}


@pytest.fixture
def mailbox(settings: Any, database: Any) -> Iterator[Mailbox]:
    with mail_server(settings) as mails:
        yield mails


def sign_up(address: str) -> Any:
    browser = Client(headers=EN)
    answer = browser.post("/register/", {"who": address}, follow=True)
    clockwork.tick()
    return answer


def open_account(link: str, password: str = NEW) -> Any:
    browser = Client(headers=EN)
    browser.get(urlsplit(link).path)
    return browser.post("/recovery/password/", {"password": password, "again": password})


def sign_up_link(address: str) -> OneTimeLink:
    found = addresses.understood(address)
    assert found is not None
    link = links.issue("sign_up", address=found)
    links.hand_over(link)
    return link


@pytest.mark.django_db
def test_an_account_exists_only_after_its_address_is_verified(
    switches: None, mailbox: Mailbox
) -> None:
    answer = sign_up("New@Example.com")
    assert answer.redirect_chain[-1][0] == "/recovery/sent/"
    assert not User.objects.exists()

    # A mailbox may tell the cases of its letters apart; the login id does not.
    link = link_in(mailbox.to("New@Example.com")[0])
    assert not User.objects.exists()
    assert open_account(link).status_code == 302

    made = User.objects.get()
    assert (made.login_id, made.email) == ("new@example.com", "New@Example.com")
    assert made.kind == "customer"
    assert made.email_verified_at == made.registered_at == made.password_set_at
    assert made.check_password(NEW)
    assert Wallet.objects.get(account=made).paid_minor == 0
    browser = Client()
    browser.post("/sign-in/", {"login_id": "new@example.com", "password": NEW})
    assert browser.session["_auth_user_id"] == str(made.pk)
    assert invariants.breached() == {}
    assert open_account(link).status_code == 410


@pytest.mark.django_db
@pytest.mark.parametrize("verified", [True, False])
def test_the_address_of_a_holder_leads_to_recovery_and_never_to_a_second_account(
    person: Callable[..., Any], mailbox: Mailbox, verified: bool
) -> None:
    """Rule 15."""
    someone = person(**({} if verified else {"email_verified_at": None}))

    sign_up(someone.email)

    (mail,) = mailbox.mails
    assert mail["To"] == someone.email
    assert "already" in mail["Subject"]
    assert "http" not in text_of(mail)
    assert User.objects.count() == 1
    assert AccessRequest.objects.get().answer == "known"


@pytest.mark.django_db
@pytest.mark.parametrize("spelt", ["090-1234-5678", "+81 90 1234 5678", "０９０１２３４５６７８"])
def test_the_telephone_of_a_holder_is_recognised_in_any_spelling(
    person: Callable[..., Any], spelt: str
) -> None:
    """Rule 15."""
    person(phone="090-1234-5678")

    sign_up(spelt)

    assert AccessRequest.objects.get().answer == "known"
    assert not OneTimeLink.objects.exists()


@pytest.mark.django_db
def test_the_page_tells_a_stranger_nothing(
    person: Callable[..., Any], mailbox: Mailbox, staff: Callable[..., Any]
) -> None:
    known, colleague = person(), staff("support", email="colleague@example.com")
    answers = [sign_up(address) for address in (known.email, "new@example.com", colleague.email)]

    seen = [
        (
            each.status_code,
            each.redirect_chain,
            each.content.replace(str(each.context["csrf_token"]).encode(), b""),
        )
        for each in answers
    ]
    assert seen[0] == seen[1] == seen[2]
    assert mailbox.to(colleague.email) == []


@pytest.mark.django_db
def test_the_page_says_that_registration_is_stopped_and_a_link_opens_nothing(
    programme: Any, staff: Callable[..., Any], mailbox: Mailbox
) -> None:
    """UX 12: it says what is stopped, since when, why, and what is still possible."""
    sign_up("new@example.com")
    link = link_in(mailbox.mails[0])
    capabilities.stop("register", actor=staff("incident_commander"), reason="attack of the seventh")

    shown = Client(headers=EN).get("/register/").content.decode()
    assert "Registration is stopped" in shown
    assert "Since " in shown
    assert "you can still sign in" in shown
    assert "of the seventh" not in shown
    refused = open_account(link)
    assert refused.status_code == 200
    assert "is stopped since" in refused.content.decode()
    sign_up("another@example.com")
    assert len(mailbox.mails) == 1
    assert not User.objects.customers().exists()


@pytest.mark.django_db
def test_a_second_link_to_the_same_address_opens_no_second_account(
    switches: None, mailbox: Mailbox
) -> None:
    sign_up("new@example.com")
    sign_up("new@example.com")
    first, second = (link_in(mail) for mail in mailbox.mails)
    open_account(first)

    refused = open_account(second, "one more different sentence")

    assert "already" in refused.content.decode()
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_a_customer_cannot_take_a_login_id_of_staff(
    switches: None, staff: Callable[..., Any]
) -> None:
    User.objects.filter(pk=staff("support").pk).update(login_id="colleague@example.com")

    with pytest.raises(AddressTaken):
        registration.open_account(sign_up_link("colleague@example.com"), NEW)


def test_one_of_many_sign_ups_at_once_with_one_address_opens_an_account(
    own_database: Any, switches: None
) -> None:
    """Loaded accounts may share an address, so the guard is a lock and not an index."""
    for _ in range(2):
        factories.make_customer(email="shared@example.com")
    opened = [sign_up_link("new@example.com") for _ in range(8)]
    outcomes: list[str] = []
    together = threading.Barrier(len(opened))

    def go(link: OneTimeLink) -> None:
        try:
            together.wait(timeout=60)
            registration.open_account(link, NEW)
            outcomes.append("opened")
        except (AddressTaken, LinkDead) as refused:
            outcomes.append(refused.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=go, args=(link,)) for link in opened]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)

    assert sorted(outcomes) == ["AddressTaken"] * 7 + ["opened"]
    assert User.objects.filter(email="new@example.com").count() == 1
    assert Wallet.objects.filter(account__email="new@example.com").count() == 1


def test_a_link_used_many_times_at_once_opens_one_account(
    own_database: Any, switches: None
) -> None:
    link = sign_up_link("new@example.com")
    outcomes: list[str] = []
    together = threading.Barrier(6)

    def go() -> None:
        try:
            together.wait(timeout=60)
            registration.open_account(link, NEW)
            outcomes.append("opened")
        except LinkDead as refused:
            outcomes.append(refused.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=go) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)

    assert sorted(outcomes) == ["LinkDead"] * 5 + ["opened"]


@pytest.mark.django_db
def test_nobody_registers_when_the_switch_is_stopped_between_link_and_password(
    switches: None, staff: Callable[..., Any]
) -> None:
    link = sign_up_link("new@example.com")
    capabilities.stop("register", actor=staff("incident_commander"), reason="test")

    with pytest.raises(CapabilityStopped):
        registration.open_account(link, NEW)
    assert OneTimeLink.objects.get().used_at is None


@pytest.mark.django_db
def test_a_request_from_before_the_stop_gets_no_link(
    switches: None, staff: Callable[..., Any], mailbox: Mailbox
) -> None:
    Client(headers=EN).post("/register/", {"who": "new@example.com"})
    capabilities.stop("register", actor=staff("incident_commander"), reason="test")

    clockwork.tick()

    assert AccessRequest.objects.get().answer == "stopped"
    assert not OneTimeLink.objects.exists()
    assert mailbox.mails == []


@pytest.mark.django_db
def test_a_link_opens_no_account_after_another_one_got_its_address(switches: None) -> None:
    link = sign_up_link("new@example.com")
    factories.make_customer(email="new@example.com")

    with pytest.raises(AddressTaken):
        registration.open_account(link, NEW)
    assert OneTimeLink.objects.get().used_at is None
    assert User.objects.count() == 1
