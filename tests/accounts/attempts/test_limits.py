"""Every action has limits by name and by network, and so has every sign-in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from django.core import signing
from django.db import DatabaseError, transaction
from django.test import Client

from accounts import invariants as account_invariants
from accounts.addresses import Address
from accounts.attacks import live
from accounts.attempts import limits
from accounts.credentials import devices, sign_ins
from accounts.credentials.admissions import Origin
from accounts.models import AuthEvent, OneTimeLink, User
from accounts.recovery import links
from tests.accounts.attempts.visiting import HOME, OTHER, Visitor, attack, everywhere
from tests.accounts.mail_server import Mailbox, link_in, mail_server
from winddown import clock
from winddown.models import AuditEntry
from winddown.runs import clockwork
from winddown.sqlstates import SqlState, sqlstate_of

pytestmark = pytest.mark.django_db

# --- the doors beside sign-in -------------------------------------------------------------------


def test_an_action_has_limits_by_name_and_by_network() -> None:
    asked = [limits.allow("reset_request", key="a@example.com", network=HOME) for _ in range(7)]
    assert asked == [True] * 5 + [False] * 2

    assert limits.allow("reset_request", key="A@EXAMPLE.com", network=OTHER) is False
    asked = [limits.allow("reset_request", key=f"{n}@example.com", network=HOME) for n in range(20)]
    assert asked == [True] * 15 + [False] * 5
    assert limits.allow("reset_request", key="b@example.com", network=OTHER)


def test_addresses_of_one_range_share_a_limit() -> None:
    asked = [limits.allow("notice_check", network=f"198.51.100.{n % 250}") for n in range(120)]

    assert asked == [True] * 100 + [False] * 20
    assert limits.allow("notice_check", network=OTHER)


def test_all_ipv6_addresses_of_one_connection_share_a_limit() -> None:
    """A visitor has 2**64 addresses of IPv6, and would otherwise have as many tries."""
    asked = [limits.allow("notice_check", network=f"2001:db8:1:2::{n:x}") for n in range(25)]

    assert asked == [True] * 20 + [False] * 5
    assert limits.allow("notice_check", network="2001:db8:1:3::1")


def test_an_action_without_limits_raises_an_error() -> None:
    with pytest.raises(KeyError):
        limits.allow("reset_requests", key="a", network=HOME)


def test_every_limit_names_the_source_of_its_number() -> None:
    every = [
        limit
        for table in (limits.ACTIONS, limits.SIGN_IN)
        for listed in table.values()
        for limit in listed
    ]

    assert all(limit.source and limit.most > 0 and limit.window_s >= 60 for limit in every)
    assert len({limit.code for limit in every}) == len(every)


def test_the_server_stores_neither_address_nor_name(server: redis.Redis, settings: Any) -> None:
    limits.allow("reset_request", key="hanako.suzuki@example.com", network=HOME)

    kept = list(server.scan_iter(f"{settings.COUNTERS_PREFIX}:*"))
    assert len(kept) == 3
    assert not [key for key in kept if "hanako" in key or "198.51" in key]


# --- signing in ---------------------------------------------------------------------------------


def test_a_login_id_can_be_tried_five_times_whether_it_exists_or_not(
    visitor: type[Visitor], person: Callable[..., Any]
) -> None:
    known, unknown = person().login_id, "nobody"

    tried = {name: [visitor().tries(name, "guess") for _ in range(6)] for name in (known, unknown)}

    assert tried[known] == ["wrong_password"] * 5 + ["refused"]
    assert tried[unknown] == ["unknown_login_id"] * 5 + ["refused"]
    assert visitor(OTHER).tries(known) == "refused", "nor with the right password"


def test_a_stranger_does_not_lock_the_owner_out_of_a_known_device(
    visitor: type[Visitor], person: Callable[..., Any]
) -> None:
    known, own, stranger = person(), visitor(), visitor(OTHER)
    assert own.tries(known.login_id) == "success"

    for _ in range(10):
        stranger.tries(known.login_id, "guess")

    assert stranger.tries(known.login_id) == "refused"
    assert own.tries(known.login_id) == "success"


def test_a_known_device_has_limits_too(visitor: type[Visitor], person: Callable[..., Any]) -> None:
    known, own = person(), visitor()
    own.tries(known.login_id)

    assert [own.tries(known.login_id, "guess") for _ in range(11)][-2:] == [
        "wrong_password",
        "refused",
    ]


def test_a_device_is_known_only_to_the_accounts_it_opened(
    visitor: type[Visitor], person: Callable[..., Any]
) -> None:
    own, other, device = person(), person(), visitor()
    device.tries(own.login_id)

    outcomes = [device.tries(other.login_id, "guess") for _ in range(6)]

    assert outcomes[-1] == "refused"
    assert device.tries(own.login_id) == "success"


def test_a_device_cannot_make_itself_known(
    visitor: type[Visitor], person: Callable[..., Any]
) -> None:
    known, stranger = person(), visitor()
    for _ in range(5):
        stranger.tries(known.login_id, "guess")
    forged = devices.new().opening(known.pk)
    stranger.client.cookies["device"] = signing.dumps([forged.ref, *forged.accounts], salt="other")

    assert stranger.tries(known.login_id) == "refused"


def test_a_success_does_not_clear_the_counter_of_a_network(
    visitor: type[Visitor], person: Callable[..., Any]
) -> None:
    """Otherwise an account of the attacker could clear the limit of the network again and again."""
    own = person().login_id
    outcomes = []
    for n in range(30):
        outcomes.append(visitor().tries(f"nobody-{n}", "guess"))
        visitor().tries(own)

    assert outcomes.count("unknown_login_id") <= 20
    assert outcomes[-1] == "refused"


def test_a_spoofed_address_does_not_reset_the_limit(visitor: type[Visitor], settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    outcomes = []
    for n in range(25):
        visit = visitor(network="10.9.9.9")
        sent = {"login_id": f"nobody-{n}", "password": "guess"}
        headers = {"HTTP_X_FORWARDED_FOR": f"{everywhere(n)}, {HOME}"}
        visit.client.post("/sign-in/", sent, REMOTE_ADDR=visit.network, **headers)
        outcomes.append(AuthEvent.objects.latest("id"))

    assert {str(event.network) for event in outcomes} == {HOME}
    # Different names are counted in a sketch, which may take one or two for one of the others.
    first = [event.outcome for event in outcomes].index("refused")
    assert 20 <= first <= 22


def test_many_different_names_from_one_address_are_refused_for_an_hour(
    visitor: type[Visitor], rehearsal_clock: Any, noon: dt.datetime
) -> None:
    for n in range(25):
        rehearsal_clock.travel(noon + dt.timedelta(seconds=10 * n), frozen=True)
        last = visitor().tries(f"nobody-{n}", "guess")
    assert last == "refused"

    rehearsal_clock.travel(noon + dt.timedelta(minutes=45), frozen=True)
    assert visitor().tries("one-more", "guess") == "refused"
    rehearsal_clock.travel(noon + dt.timedelta(minutes=75), frozen=True)
    assert visitor().tries("one-more", "guess") == "unknown_login_id"


# --- staff --------------------------------------------------------------------------------------


def refusals(login_id: str, visit: type[Visitor], *, times: int, network: str) -> list[bool]:
    return [visit(network).tries(login_id, "guess") == "refused" for _ in range(times)]


@pytest.mark.parametrize("pressure", ["none", "network", "storm"])
def test_the_limits_answer_alike_for_staff_customers_and_nobody(
    visitor: type[Visitor],
    member: Callable[[], Any],
    person: Callable[..., Any],
    pressure: str,
) -> None:
    """They tell nobody which login ids are those of staff."""
    if pressure == "network":
        for n in range(25):
            visitor(HOME).tries(f"nobody-{n}", "guess")
    if pressure == "storm":
        attack(300)
        assert live.under_way(clock.now())
    kinds = [member().login_id, person().login_id, "nobody"]
    network = HOME if pressure == "network" else OTHER

    answers = [refusals(kind, visitor, times=7, network=network) for kind in kinds]

    expected = [pressure != "none"] * 5 + [True] * 2
    assert answers == [expected] * 3


def test_staff_on_a_browser_that_is_known_sign_in_during_an_attack(
    visitor: type[Visitor], member: Callable[[], Any]
) -> None:
    known, browser = member(), visitor()
    assert browser.tries(known.login_id) == "success"
    browser.client.post("/sign-out/")
    for n in range(25):
        visitor().tries(f"nobody-{n}", "guess")
    attack(300)

    assert visitor().tries(known.login_id) == "refused"
    assert browser.tries(known.login_id) == "success"


def test_staff_on_a_new_browser_sign_in_by_passkey_during_an_attack(
    visitor: type[Visitor], member: Callable[[], Any]
) -> None:
    """No limit of passwords counts there: a passkey cannot be guessed."""
    known = member()
    attack(300)
    assert visitor(OTHER).tries(known.login_id) == "refused"

    let_in = sign_ins.sign_in_passkey(known, registered_at=clock.now(), origin=Origin())

    assert let_in == known


@pytest.fixture
def reached(member: Callable[[], Any]) -> Any:
    """Somebody of the staff with a verified address."""
    people = User.objects.filter(pk=member().pk)
    people.update(email="duty@example.com", email_verified_at=clock.now())
    return people.get()


def asked(known: Any, mails: Mailbox) -> str:
    """Returns the link of the mail that the person asked for."""
    Client().post("/recovery/", {"who": known.login_id})
    clockwork.tick()
    return urlsplit(link_in(mails.to(known.email)[-1])).path


def test_a_mailed_link_makes_a_new_browser_of_staff_known_during_an_attack(
    visitor: type[Visitor], reached: Any, settings: Any
) -> None:
    attack(300)
    browser, before = visitor(), reached.password
    assert browser.tries(reached.login_id) == "refused"

    with mail_server(settings) as mails:
        link = asked(reached, mails)
    shown = browser.client.get(link, follow=True, headers={"accept-language": "en"})
    assert "Make this browser known" in shown.content.decode()
    assert browser.tries(reached.login_id) == "refused", "it was not confirmed yet"
    assert browser.client.post("/recovery/password/").status_code == 302

    assert browser.tries(reached.login_id) == "success"
    assert User.objects.get(pk=reached.pk).password == before
    shown = browser.client.get("/console/")
    assert shown.headers["Location"].startswith("/account/second-factor/"), "it is still asked for"
    (entry,) = AuditEntry.objects.filter(action="access.browser_known")
    assert (entry.subject, entry.actor) == (f"account:{reached.pk}", reached)


def test_who_asks_in_the_name_of_staff_does_not_keep_them_without_a_link(
    rehearsal_clock: Any, reached: Any, settings: Any
) -> None:
    """The attacker uses up the links of the hour. The owner has one that lives at any time."""
    with mail_server(settings) as mails:
        for _ in range(links.LINKS_PER_HOUR_MAX + 2):
            asked(reached, mails)
        assert len(mails.to(reached.email)) == links.LINKS_PER_HOUR_MAX
        rehearsal_clock.travel(clock.now() + links.VALID_FOR + dt.timedelta(minutes=1))

        link = asked(reached, mails)

    assert len(mails.to(reached.email)) == links.LINKS_PER_HOUR_MAX + 1
    assert Client().get(link).status_code == 302


def test_the_link_works_once_and_for_no_password(
    visitor: type[Visitor], reached: Any, settings: Any
) -> None:
    with mail_server(settings) as mails:
        link = asked(reached, mails)
    browser, other, late = visitor(), visitor(), visitor()
    for visit in (browser, other):
        visit.client.get(link, follow=True)
    sentence = "one more quite different sentence"
    sent = {"password": sentence, "again": sentence}
    assert browser.client.post("/recovery/password/", sent).status_code == 302

    assert User.objects.get(pk=reached.pk).password == reached.password
    assert other.client.post("/recovery/password/").status_code == 410
    assert late.client.get(link, follow=True).status_code == 410
    attack(300)
    assert other.tries(reached.login_id) == "refused"


def test_a_link_of_staff_dies_with_the_address_and_outlives_a_fence(
    visitor: type[Visitor], reached: Any, settings: Any, started: Callable[..., Any]
) -> None:
    with mail_server(settings) as mails:
        first, second = asked(reached, mails), asked(reached, mails)
    started("reset-all-passwords", mail="file")
    browser = visitor()
    browser.client.get(first, follow=True)
    assert browser.client.post("/recovery/password/").status_code == 302

    User.objects.filter(pk=reached.pk).update(email="other@example.com")

    assert visitor().client.get(second, follow=True).status_code == 410
    assert account_invariants.links_used_for_nothing() == []


@pytest.mark.parametrize("kind", ["staff", "customer"])
def test_the_database_gives_links_for_browsers_to_staff_alone(
    kind: str, member: Callable[[], Any], person: Callable[..., Any]
) -> None:
    whose = member() if kind == "staff" else person()
    purpose = OneTimeLink.Purpose.RECOVER if kind == "staff" else OneTimeLink.Purpose.BROWSER

    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        links.issue(purpose, address=Address("email", "a@example.com"), user=whose)

    assert sqlstate_of(refused.value) == SqlState.LINK_REFUSED


# --- without the server -------------------------------------------------------------------------


def test_sign_in_works_and_is_limited_without_the_server(
    visitor: type[Visitor], person: Callable[..., Any], server_gone: None
) -> None:
    known = person()

    assert visitor(OTHER).tries(known.login_id) == "success"
    outcomes = [visitor().tries(f"nobody-{n}", "guess") for n in range(20)]
    assert outcomes[:5] == ["unknown_login_id"] * 5
    assert outcomes[7:] == ["refused"] * 13
    assert visitor(OTHER).tries(known.login_id, "guess") == "wrong_password"
