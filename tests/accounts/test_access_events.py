"""The owner is told of every change of the ways into an account, whoever makes it and wherever."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.test import Client
from django.utils import translation

from accounts import staff_roles
from accounts.access_events import EVENTS
from accounts.models import DeviceToken, Message, RecoveryCase
from accounts.recovery import by_link, cases, staff_recovery
from accounts.sign_in import second_factor
from tests.accounts.conftest import NEW, OLD
from tests.accounts.mail_server import Mailbox, link_in, text_of
from tests.accounts.recovery.casework import approved, case_link, collecting, digest
from tests.accounts.sign_in.signing import add_app, make_stale
from tests.accounts.sign_in.test_endings import token_for
from tests.config.test_every_door import browser_of
from tests.signing_in import open_session, sign_in
from winddown import clock
from winddown.models import AuditEntry
from winddown.runs import clockwork

pytestmark = pytest.mark.django_db
FACTOR = "/account/second-factor/"


class World(NamedTuple):
    """Who can be at the doors, and the language of all of them."""

    person: Callable[..., Any]
    staff: Callable[..., Any]
    mailbox: Mailbox
    language: str

    def browser(self) -> Client:
        return Client(headers={"accept-language": self.language})

    def signed_in(self, someone: Any) -> Client:
        browser = self.browser()
        sign_in(browser, someone.login_id, OLD)
        return browser

    def colleague(self) -> Any:
        at = clock.now()
        made = self.staff("support", email="colleague@example.com", email_verified_at=at)
        second_factor.add_app(made)
        return made

    def mailed_link(self, someone: Any) -> str:
        """Returns the path of the link for a new password."""
        self.browser().post("/recovery/", {"who": someone.login_id})
        clockwork.tick()
        path = urlsplit(link_in(self.mailbox.to(someone.email)[-1])).path
        self.mailbox.mails.clear()
        return path


@pytest.fixture(params=["en", "ja"])
def world(request: Any, person: Any, staff: Any, mailbox: Mailbox, programme: Any) -> Any:
    with translation.override(request.param):
        yield World(person, staff, mailbox, request.param)


# --- each door makes the change and returns the owner -------------------------------------------


def add_an_app(world: World) -> Any:
    someone = world.person()
    add_app(world.signed_in(someone))
    return someone


def remove_the_app(world: World) -> Any:
    someone = world.person()
    second_factor.add_app(someone)
    world.signed_in(someone).post(f"{FACTOR}app/remove/")
    return someone


def remove_a_passkey_of_staff(world: World) -> Any:
    someone, browser = world.colleague(), world.browser()
    passkey = Authenticator.objects.create(user=someone, type="webauthn", data={})
    open_session(browser, someone)
    browser.post(f"{FACTOR}passkey/{passkey.pk}/remove/")
    return someone


def lose_the_factor_in_a_case(world: World) -> Any:
    someone = world.person(email="own@example.com")
    second_factor.add_app(someone)
    helper = world.staff("support")
    case = collecting(helper, "identity_document", "call_back", address="own@example.com")
    cases.propose(
        case, account=someone.login_id, actor=helper, reason="lost", second_factor_lost=True
    )
    RecoveryCase.objects.filter(pk=case.pk).update(language=world.language)
    cases.decide(
        case, actor=world.staff("fraud_supervisor"), digest=digest(case), reason="ok", approve=True
    )
    by_link.choose_password(case_link(case, language=world.language), NEW)
    return someone


def make_new_codes(world: World) -> Any:
    someone = world.person()
    second_factor.add_app(someone)
    world.signed_in(someone).post(f"{FACTOR}codes/new/")
    return someone


def add_a_device(world: World) -> Any:
    someone = world.person()
    token_for(world.signed_in(someone))
    return someone


def remove_a_device(world: World) -> Any:
    someone = world.person()
    browser = world.signed_in(someone)
    number = token_for(browser).json()["number"]
    browser.post(f"/account/devices/{number}/revoke/")
    return someone


def sign_out_everywhere(world: World) -> Any:
    someone = world.person()
    world.signed_in(someone).post("/sign-out/everywhere/")
    return someone


def be_signed_out_by_staff(world: World) -> Any:
    someone = world.person()
    by = world.staff("support").login_id
    call_command("sign_out_everywhere", account=someone.account_ref, by=by, reason="asked")
    return someone


def choose_a_password_by_link(world: World) -> Any:
    someone, browser = world.person(), world.browser()
    browser.get(world.mailed_link(someone))
    browser.post("/recovery/password/", {"password": NEW, "again": NEW})
    return someone


def choose_a_password_as_staff(world: World) -> Any:
    someone, browser = world.colleague(), world.browser()
    one, second = world.staff("incident_commander"), world.staff("incident_commander")
    asked = staff_recovery.request(someone, actor=one, reason="forgot it")
    link = staff_recovery.agree(someone, actor=second, digest=asked.digest, reason="seen")
    from accounts.recovery import links

    browser.get(f"/recovery/link/{links.token(link)}/")
    browser.post("/recovery/password/", {"password": NEW, "again": NEW})
    return someone


def get_another_address(world: World) -> Any:
    someone = world.person(email="old@example.com")
    case = approved(world.staff("support"), world.staff("fraud_supervisor"), someone)
    RecoveryCase.objects.filter(pk=case.pk).update(language=world.language)
    by_link.choose_password(case_link(case, language=world.language), NEW)
    return someone


def verify_the_address(world: World) -> Any:
    someone = world.colleague()
    browser = browser_of(someone, headers={"accept-language": world.language})
    browser.post("/account/address/", {"email": someone.email})
    clockwork.tick()
    browser.get(urlsplit(link_in(world.mailbox.to(someone.email)[-1])).path)
    browser.post("/recovery/password/")
    return someone


def lose_everything_as_staff(world: World) -> Any:
    someone = world.colleague()
    one, second = world.staff("incident_commander"), world.staff("incident_commander")
    asked = staff_recovery.request(someone, actor=one, reason="lost", second_factor_lost=True)
    address, sent = f"/console/staff/{someone.pk}/agree/", {"digest": asked.digest, "reason": "ok"}
    browser_of(second, headers={"accept-language": world.language}).post(address, sent)
    return someone


def get_other_roles(world: World) -> Any:
    someone = world.colleague()
    one, second = world.staff("incident_commander"), world.staff("incident_commander")
    asked = staff_roles.request(someone, wanted=["compliance"], actor=one, reason="moved")
    address = f"/console/staff/{someone.pk}/approve-roles/"
    sent = {"digest": asked.digest, "reason": "ok"}
    browser_of(second, headers={"accept-language": world.language}).post(address, sent)
    return someone


def be_disabled(world: World) -> Any:
    someone = world.person()
    by = world.staff("incident_commander").login_id
    call_command("disable_account", account=someone.account_ref, by=by, reason="stolen")
    return someone


def be_enabled(world: World) -> Any:
    someone = world.person(is_active=False)
    by = world.staff("incident_commander").login_id
    call_command("disable_account", account=someone.account_ref, by=by, reason="his", undo=True)
    return someone


DOORS: list[tuple[str, Callable[[World], Any]]] = [
    ("factor_added", add_an_app),
    ("factor_removed", remove_the_app),
    ("factor_removed", remove_a_passkey_of_staff),
    ("factor_removed", lose_the_factor_in_a_case),
    ("recovery_codes_made", make_new_codes),
    ("device_added", add_a_device),
    ("device_removed", remove_a_device),
    ("sign_out_everywhere", sign_out_everywhere),
    ("sign_out_everywhere", be_signed_out_by_staff),
    ("password_changed", choose_a_password_by_link),
    ("password_changed", choose_a_password_as_staff),
    ("password_changed", lose_the_factor_in_a_case),
    ("address_changed", get_another_address),
    ("address_verified", verify_the_address),
    ("closed_by_staff", lose_everything_as_staff),
    ("roles_changed", get_other_roles),
    ("disable", be_disabled),
    ("enable", be_enabled),
]


def test_every_event_of_the_table_has_a_door() -> None:
    assert {event for event, _door in DOORS} == set(EVENTS)


@pytest.mark.parametrize(
    ("event", "door"), DOORS, ids=[f"{event}-{door.__name__}" for event, door in DOORS]
)
def test_the_owner_gets_a_mail_and_the_journal_an_entry(
    event: str, door: Callable[[World], Any], world: World
) -> None:
    world.mailbox.mails.clear()
    owner = door(world)
    address = owner.email
    clockwork.tick()

    with translation.override(world.language):
        title, sentence = str(EVENTS[event].title), str(EVENTS[event].sentence)
    (told,) = [mail for mail in world.mailbox.to(address) if title in mail["Subject"]]
    assert sentence in text_of(told)
    assert "http" not in text_of(told)
    (entry,) = AuditEntry.objects.filter(subject=f"account:{owner.pk}", action=f"access.{event}")
    assert entry.facts["messages"] == 1


# --- what is refused tells nobody ---------------------------------------------------------------


def test_a_refused_change_sends_no_mail(world: World) -> None:
    someone, colleague = world.person(), world.colleague()
    second_factor.add_app(someone)
    browser, other = world.signed_in(someone), world.signed_in(world.person())
    token_for(browser)
    number = DeviceToken.objects.get().pk
    of_staff = world.browser()
    open_session(of_staff, colleague)
    told = Message.objects.count()
    changes = AuditEntry.objects.filter(action__startswith="access.")
    changes = changes.exclude(action="access.token_not_given")
    before = changes.count()

    assert other.post(f"/account/devices/{number}/revoke/").status_code == 404
    assert other.post(f"{FACTOR}app/", {"code": "000000"}).status_code == 200
    assert of_staff.post(f"{FACTOR}app/remove/").status_code == 200
    make_stale(browser)
    for path in ("app/remove/", "codes/new/"):
        assert "/account/confirm/" in browser.post(f"{FACTOR}{path}")["Location"]
    assert token_for(browser).status_code == 403
    Client().post("/recovery/password/", {"password": NEW, "again": NEW})

    assert Message.objects.count() == told
    assert changes.count() == before


def test_a_device_that_is_removed_twice_is_told_once(world: World) -> None:
    someone = world.person()
    browser = world.signed_in(someone)
    number = token_for(browser).json()["number"]

    for _ in range(2):
        assert browser.post(f"/account/devices/{number}/revoke/").status_code == 302

    assert Message.objects.filter(facts={"event": "device_removed"}).count() == 1


def test_an_account_without_a_channel_has_an_entry_that_says_so(world: World) -> None:
    someone = world.person(email_verified_at=None)

    add_app(world.signed_in(someone))

    assert not Message.objects.exists()
    assert AuditEntry.objects.get(action="access.factor_added").facts["messages"] == 0
