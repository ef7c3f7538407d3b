"""Every action has limits by name and by network, and so has every sign-in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.core import signing

from accounts.attacks import live
from accounts.attempts import limits
from accounts.credentials import devices
from accounts.models import AuthEvent
from tests.accounts.attempts.visiting import HOME, OTHER, Visitor, attack, everywhere
from winddown import clock

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


@pytest.mark.slow
def test_staff_sign_in_after_ten_thousand_refused_attempts_from_their_network(
    visitor: type[Visitor], member: Callable[[], Any], noon: dt.datetime
) -> None:
    people = [member() for _ in range(3)]
    for n in range(25):
        visitor().tries(f"nobody-{n}", "guess")
    storm_of = [limits.Attempt(key=f"nobody-{n}", network=HOME, at=noon) for n in range(10_000)]

    assert not any(limits.admit(each) for each in storm_of)
    assert visitor().tries("nobody", "guess") == "refused"
    assert [visitor().tries(each.login_id) for each in people] == ["success"] * 3


def test_a_storm_on_customers_does_not_slow_staff_down(
    visitor: type[Visitor], member: Callable[[], Any], person: Callable[..., Any]
) -> None:
    known = member()
    attack(300)
    assert live.under_way(clock.now())

    assert visitor(everywhere(7)).tries(known.login_id) == "success"


def test_guesses_at_passwords_of_staff_are_limited_too(
    visitor: type[Visitor], member: Callable[[], Any]
) -> None:
    people = [member() for _ in range(7)]

    outcomes = [visitor().tries(each.login_id, "guess") for each in people]

    assert outcomes == ["wrong_password"] * 5 + ["refused"] * 2
    assert visitor(OTHER).tries(people[0].login_id) == "success"


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
