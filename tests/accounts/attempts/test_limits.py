"""Who may try how often: one person, one network, everybody; against the real server, and without it."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.contrib.auth import authenticate
from django.core import signing
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.attacks import live
from accounts.attempts import counters, limits
from accounts.attempts.counters import Count, Counter, count
from accounts.credentials import devices
from accounts.models import AuthEvent, SignInStorm, User
from accounts.sign_in.origins import network_of
from tests.accounts.conftest import OLD, hashed
from winddown import clock
from winddown.models import AuditEntry
from winddown.site import panels

pytestmark = pytest.mark.django_db

AT = 1_561_939_200.0
HOME, OTHER = "198.51.100.7", "203.0.113.9"


REDIS_URL = django_settings.REDIS_URL


@pytest.fixture
def server() -> redis.Redis:
    return redis.Redis.from_url(REDIS_URL, decode_responses=True)


@pytest.fixture
def server_gone(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The counters' server does not answer; afterwards it is asked again."""
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock"
    monkeypatch.setattr(counters, "_lost_until", [0.0])
    monkeypatch.setattr(counters, "_alone", counters._Alone())
    yield
    counters._shared.cache_clear()


# --- counters -----------------------------------------------------------------------------------


def tries(number: int, *, at_s: float = AT, most: int = 5, window_s: int = 60) -> int:
    """How many of so many attempts are let through."""
    wanted = [Count(Counter("test", window_s), most=most)]
    return sum(count(wanted, at_s=at_s).reached is None for _ in range(number))


def test_no_more_attempts_pass_than_the_limit_says() -> None:
    assert tries(8, most=5) == 5
    assert tries(8, most=5) == 0


def test_a_refused_attempt_does_not_prolong_the_waiting() -> None:
    tries(100, most=5)

    assert tries(1, at_s=AT + 61, most=5) == 1


def test_a_window_slides_and_does_not_begin_anew_at_once() -> None:
    """With windows one after the other, twice the limit would pass around their border."""
    assert tries(5, at_s=AT + 59.9) == 5
    assert tries(5, at_s=AT + 60.1) == 0
    assert tries(5, at_s=AT + 120) == 5


def test_when_one_limit_is_reached_none_is_counted() -> None:
    narrow, wide = Counter("narrow", 60), Counter("wide", 60)
    for _ in range(9):
        count([Count(wide, most=100), Count(narrow, most=2)], at_s=AT)

    assert count([Count(wide, step=0), Count(narrow, step=0)], at_s=AT).now == [2, 2]


def test_a_hundred_attempts_at_once_are_no_more_than_one_after_the_other() -> None:
    passed: list[bool] = []
    start = threading.Barrier(20)

    def crowd() -> None:
        start.wait()
        for _ in range(5):
            reached = count([Count(Counter("crowd", 60), most=7)], at_s=AT).reached
            passed.append(reached is None)

    threads = [threading.Thread(target=crowd) for _ in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert (len(passed), sum(passed)) == (100, 7)


def test_different_members_are_counted_once_each() -> None:
    for _ in range(3):
        for member in ("a", "b", "c"):
            last = count([Count(Counter("members", 3600, member))], at_s=AT)

    assert last.now == [3]


def test_every_counter_is_forgotten_by_itself(server: redis.Redis, settings: Any) -> None:
    count([Count(Counter("a", 60)), Count(Counter("b", 3600, "member"))], at_s=AT)

    kept = list(server.scan_iter(f"{settings.COUNTERS_PREFIX}:*"))
    assert len(kept) == 2
    assert all(0 < server.ttl(key) <= 7200 for key in kept)


# --- the doors beside sign-in -------------------------------------------------------------------


def test_an_action_has_limits_by_name_and_by_network() -> None:
    asked = [limits.allow("reset_request", key="a@example.com", network=HOME) for _ in range(7)]
    assert asked == [True] * 5 + [False] * 2

    assert limits.allow("reset_request", key="A@EXAMPLE.com", network=OTHER) is False
    asked = [limits.allow("reset_request", key=f"{n}@example.com", network=HOME) for n in range(20)]
    assert asked == [True] * 15 + [False] * 5
    assert limits.allow("reset_request", key="b@example.com", network=OTHER)


def test_neighbours_in_one_range_share_a_limit() -> None:
    asked = [limits.allow("notice_check", network=f"198.51.100.{n % 250}") for n in range(120)]

    assert asked == [True] * 100 + [False] * 20
    assert limits.allow("notice_check", network=OTHER)


def test_an_address_of_the_next_generation_counts_by_what_one_connection_has() -> None:
    """A visitor has 2**64 addresses of IPv6, and would otherwise have as many tries."""
    asked = [limits.allow("notice_check", network=f"2001:db8:1:2::{n:x}") for n in range(25)]

    assert asked == [True] * 20 + [False] * 5
    assert limits.allow("notice_check", network="2001:db8:1:3::1")


def test_an_action_without_limits_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        limits.allow("reset_requests", key="a", network=HOME)


def test_every_limit_says_where_its_number_comes_from() -> None:
    every = [
        limit
        for table in (limits.ACTIONS, limits.SIGN_IN)
        for listed in table.values()
        for limit in listed
    ]

    assert all(limit.source and limit.most > 0 and limit.window_s >= 60 for limit in every)
    assert len({limit.code for limit in every}) == len(every)


def test_neither_address_nor_name_stands_in_the_server(server: redis.Redis, settings: Any) -> None:
    limits.allow("reset_request", key="hanako.suzuki@example.com", network=HOME)

    kept = list(server.scan_iter(f"{settings.COUNTERS_PREFIX}:*"))
    assert len(kept) == 3
    assert not [key for key in kept if "hanako" in key or "198.51" in key]


# --- without the server -------------------------------------------------------------------------


def test_without_the_server_a_process_counts_by_itself_and_allows_less(server_gone: None) -> None:
    asked = [limits.allow("reset_request", key=str(n), network=HOME) for n in range(20)]

    assert asked == [True] * 5 + [False] * 15
    assert limits.allow("reset_request", key="somebody", network=OTHER)


def test_without_the_server_memory_stays_bounded(
    server_gone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "ALONE_KEYS_MAX", 100)
    for n in range(1_000):
        count([Count(Counter(f"name-{n}", 60)), Count(Counter("all", 60, str(n)))], at_s=AT)

    assert len(counters._alone._numbers) == 100
    assert [len(members) for members in counters._alone._members.values()] == [100]


def test_when_the_server_is_back_it_counts_again(
    server: redis.Redis, server_gone: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries(3)
    gone_since = counters._lost_until[0]
    tries(3)
    assert counters._lost_until[0] == gone_since, "it is not asked with every attempt"
    assert not list(server.scan_iter(f"{settings.COUNTERS_PREFIX}:*"))

    settings.REDIS_URL = REDIS_URL
    monkeypatch.setattr(counters, "_lost_until", [0.0])
    tries(1)

    assert list(server.scan_iter(f"{settings.COUNTERS_PREFIX}:*"))


# --- whose address it is ------------------------------------------------------------------------


@pytest.fixture
def came(rf: RequestFactory, settings: Any) -> Callable[..., str | None]:
    """`came(1, "1.2.3.4, 5.6.7.8")` is the visitor's address behind one proxy of ours."""

    def address(proxies: int, forwarded: str = "", *, seen: str = "192.0.2.1") -> str | None:
        settings.TRUSTED_PROXIES = proxies
        more = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
        return network_of(rf.get("/", REMOTE_ADDR=seen, **more))

    return address


def test_what_a_visitor_writes_about_the_own_address_is_never_believed(
    came: Callable[..., str | None],
) -> None:
    assert came(0, "198.51.100.7") == "192.0.2.1"
    assert came(1, "198.51.100.7, 203.0.113.9") == "203.0.113.9"
    assert came(2, "198.51.100.7, 203.0.113.9, 10.0.0.1") == "203.0.113.9"
    assert came(2, "203.0.113.9") == "192.0.2.1", "it came past the proxies"
    assert came(1) == "192.0.2.1"


def test_an_address_that_is_none_is_nobodys(came: Callable[..., str | None]) -> None:
    assert came(1, "203.0.113.9, <script>") is None
    assert came(0, seen="") is None


def test_one_address_has_one_spelling(came: Callable[..., str | None]) -> None:
    assert came(0, seen="::ffff:203.0.113.9") == "203.0.113.9"
    assert came(0, seen="2001:DB8::0001") == "2001:db8::1"
    assert came(0, seen="fe80::1%eth0") == "fe80::1"


# --- signing in ---------------------------------------------------------------------------------


@pytest.fixture
def noon(rehearsal_clock: Any) -> dt.datetime:
    """The clock stands still at the beginning of a window."""
    at = dt.datetime(2019, 7, 3, 3, 0, tzinfo=dt.UTC)
    rehearsal_clock.travel(at, frozen=True)
    return at


@dataclass
class Visitor:
    """One person's device in one network, at the real address of the sign-in."""

    network: str = HOME
    client: Client = field(default_factory=Client)

    def tries(self, login_id: str, password: str = OLD) -> str:
        """What came of it, as the attempt's record says."""
        sent = {"login_id": login_id, "password": password}
        self.client.post("/sign-in/", sent, REMOTE_ADDR=self.network)
        outcome: str = AuthEvent.objects.latest("id").outcome
        return outcome


@pytest.fixture
def visitor(browser: Any, noon: dt.datetime) -> type[Visitor]:
    return Visitor


def everywhere(number: int) -> str:
    """An address of its own for every number, each in a range of its own."""
    return f"10.{number // 250 % 250}.{number % 250}.1"


def stranger(number: int, login_id: str, password: str = OLD) -> str:
    """The same from a device without a cookie in a network of its own, past the page itself."""
    request = RequestFactory().post("/sign-in/", REMOTE_ADDR=everywhere(number))
    authenticate(request, username=login_id, password=password)
    outcome: str = AuthEvent.objects.latest("id").outcome
    return outcome


def attack(number: int, *, people: list[str] | None = None) -> list[str]:
    """A list-type attack: every login id is tried once, from an address of its own."""
    ids = people or [f"nobody-{n}" for n in range(number)]
    return [stranger(n, ids[n % len(ids)], "guess") for n in range(number)]


def test_a_name_is_tried_five_times_whether_anybody_has_it(
    visitor: type[Visitor], person: Callable[..., Any]
) -> None:
    known, unknown = person().login_id, "nobody"

    tried = {name: [visitor().tries(name, "guess") for _ in range(6)] for name in (known, unknown)}

    assert tried[known] == ["wrong_password"] * 5 + ["refused"]
    assert tried[unknown] == ["unknown_login_id"] * 5 + ["refused"]
    assert visitor(OTHER).tries(known) == "refused", "nor with the right password"


def test_who_has_signed_in_there_before_is_not_locked_out_by_a_stranger(
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


def test_a_device_is_known_to_the_accounts_it_opened_and_to_no_other(
    visitor: type[Visitor], person: Callable[..., Any]
) -> None:
    own, other, device = person(), person(), visitor()
    device.tries(own.login_id)

    outcomes = [device.tries(other.login_id, "guess") for _ in range(6)]

    assert outcomes[-1] == "refused"
    assert device.tries(own.login_id) == "success"


def test_a_device_does_not_make_itself_known(
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
    """Otherwise one account of the attacker's own would open the network's limit again and again."""
    own = person().login_id
    outcomes = []
    for n in range(30):
        outcomes.append(visitor().tries(f"nobody-{n}", "guess"))
        visitor().tries(own)

    assert outcomes.count("unknown_login_id") <= 20
    assert outcomes[-1] == "refused"


def test_a_spoofed_address_does_not_open_the_limit_again(
    visitor: type[Visitor], settings: Any
) -> None:
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


@pytest.fixture
def member(staff: Callable[..., Any]) -> Callable[[], Any]:
    """`member()` is somebody of the staff with the password OLD."""

    def make() -> Any:
        person = staff("auditor")
        User.objects.filter(pk=person.pk).update(password=hashed(OLD))
        return person

    return make


@pytest.mark.slow
def test_ten_thousand_refused_attempts_from_the_same_network_keep_no_staff_out(
    visitor: type[Visitor], member: Callable[[], Any], noon: dt.datetime
) -> None:
    people = [member() for _ in range(3)]
    for n in range(25):
        visitor().tries(f"nobody-{n}", "guess")
    storm_of = [limits.Attempt(key=f"nobody-{n}", network=HOME, at=noon) for n in range(10_000)]

    assert not any(limits.admit(each) for each in storm_of)
    assert visitor().tries("nobody", "guess") == "refused"
    assert [visitor().tries(each.login_id) for each in people] == ["success"] * 3


def test_a_storm_on_customers_does_not_reach_staff(
    visitor: type[Visitor], member: Callable[[], Any], person: Callable[..., Any]
) -> None:
    known = member()
    attack(300)
    assert live.under_way(clock.now())

    assert visitor(everywhere(7)).tries(known.login_id) == "success"


def test_guessing_at_staff_is_limited_too(
    visitor: type[Visitor], member: Callable[[], Any]
) -> None:
    people = [member() for _ in range(7)]

    outcomes = [visitor().tries(each.login_id, "guess") for each in people]

    assert outcomes == ["wrong_password"] * 5 + ["refused"] * 2
    assert visitor(OTHER).tries(people[0].login_id) == "success"


# --- storms -------------------------------------------------------------------------------------


def test_one_try_per_login_id_from_everywhere_is_seen_and_slowed_down(noon: dt.datetime) -> None:
    """No limit by name or by network sees it; only all attempts together do."""
    outcomes = attack(400)

    storm = SignInStorm.objects.get()
    assert storm.signs == {"attempts": 100, "unknown": 100, "wrong": 0}
    assert outcomes[:100] == ["unknown_login_id"] * 100
    assert outcomes.count("unknown_login_id") == 160, "the storm's allowance is 60 a minute"
    assert AuditEntry.objects.filter(action="sign_in_storm.begin").count() == 1


def test_a_burst_of_wrong_passwords_at_known_login_ids_is_seen_too(
    noon: dt.datetime, person: Callable[..., Any]
) -> None:
    people = [person().login_id for _ in range(120)]

    outcomes = attack(240, people=people)

    assert SignInStorm.objects.get().signs["wrong"] == 100
    assert outcomes.count("refused") == 80


def test_in_a_storm_a_known_device_signs_in_as_always(
    visitor: type[Visitor], person: Callable[..., Any]
) -> None:
    known, own = person(), visitor()
    own.tries(known.login_id)
    attack(300)

    assert visitor(OTHER).tries(known.login_id) == "refused"
    assert own.tries(known.login_id) == "success"


def test_the_honest_burst_after_a_mass_reset_is_no_storm(
    noon: dt.datetime, person: Callable[..., Any]
) -> None:
    """Hundreds try the password that was taken from them; some mistype, the rest have a new one."""
    reset = [person(password="").login_id for _ in range(280)]
    back = [person().login_id for _ in range(80)]
    for n, login_id in enumerate(reset):
        stranger(n, login_id, OLD)
        if n % 10 == 0:
            stranger(n, f"{login_id}x", OLD)
        if n % 8 == 0:
            stranger(n, back[n % 80], "mistyped")
        if n < len(back):
            assert stranger(1_000 + n, back[n]) == "success"

    assert not SignInStorm.objects.exists()
    assert not AuthEvent.objects.filter(outcome="refused").exists()


def test_before_the_sweep_a_fenced_password_is_nothing_to_guess_either(
    person: Callable[..., Any],
    started: Callable[..., Any],
    rehearsal_clock: Any,
    noon: dt.datetime,
) -> None:
    people = [person().login_id for _ in range(150)]
    rehearsal_clock.travel(noon + dt.timedelta(minutes=1), frozen=True)
    started("reset-all-passwords")

    outcomes = {stranger(n, each) for n, each in enumerate(people)}

    assert outcomes == {"refused"}, "by the fence, not by a limit"
    assert not SignInStorm.objects.exists()


def test_a_storm_holds_while_its_signs_last_and_then_ends_by_itself(
    rehearsal_clock: Any, noon: dt.datetime
) -> None:
    attack(120)
    began = SignInStorm.objects.get().holds_until
    assert began == noon + live.HOLDS

    later = noon + dt.timedelta(minutes=9)
    rehearsal_clock.travel(later, frozen=True)
    attack(40)
    assert SignInStorm.objects.get().holds_until == later + live.HOLDS

    rehearsal_clock.travel(later + live.HOLDS - dt.timedelta(seconds=1), frozen=True)
    assert live.under_way(clock.now())
    rehearsal_clock.travel(later + live.HOLDS, frozen=True)
    assert live.under_way(clock.now()) is None
    assert (live.end_past(), live.end_past()) == (1, 0)
    assert SignInStorm.objects.get().state == "over"


def test_a_few_mistakes_do_not_keep_a_storm_alive(rehearsal_clock: Any, noon: dt.datetime) -> None:
    attack(120)
    rehearsal_clock.travel(noon + dt.timedelta(minutes=8), frozen=True)

    attack(10)

    assert SignInStorm.objects.get().holds_until == noon + live.HOLDS


def test_a_second_storm_begins_when_the_first_is_past(
    rehearsal_clock: Any, noon: dt.datetime
) -> None:
    attack(120)
    rehearsal_clock.travel(noon + dt.timedelta(hours=3), frozen=True)
    attack(120)

    states = SignInStorm.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["over", "under_way"]


def test_a_storm_is_an_alarm_on_the_incident_page(noon: dt.datetime, settings: Any) -> None:
    attack(120)
    settings.ROOT_URLCONF = "config.urls"
    reverse("home")  # Imports what fills the pages.
    found = panels.alarms(clock.now())

    assert [(alarm.grave, alarm.url) for alarm in found] == [
        (True, "/console/switches/login_password/")
    ]
    assert "100" in found[0].sentence


# --- without the server -------------------------------------------------------------------------


def test_sign_in_works_without_the_server_and_is_still_limited(
    visitor: type[Visitor], person: Callable[..., Any], server_gone: None
) -> None:
    known = person()

    assert visitor(OTHER).tries(known.login_id) == "success"
    outcomes = [visitor().tries(f"nobody-{n}", "guess") for n in range(20)]
    assert outcomes[:5] == ["unknown_login_id"] * 5
    assert outcomes[7:] == ["refused"] * 13
    assert visitor(OTHER).tries(known.login_id, "guess") == "wrong_password"


# --- what a hash takes --------------------------------------------------------------------------


MEASURE = """
import resource, sys, threading
from django.conf import settings
settings.configure(PASSWORD_HASHERS=[])
from accounts.sign_in.hashers import BoundedArgon2PasswordHasher as BoundedArgon2
from django.contrib.auth.hashers import Argon2PasswordHasher as Argon2
hasher = globals()[sys.argv[1]]()
def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak_mib()
threads = [threading.Thread(target=hasher.encode, args=("a password", "somesalt1234")) for _ in range(8)]
for each in threads: each.start()
for each in threads: each.join()
print(peak_mib() - before)
"""


def memory_of_eight(hasher: str) -> int:
    """By how many MiB a process grows in which eight threads hash at once."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, hasher], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_no_more_hashes_run_at_once_than_memory_was_meant_for() -> None:
    """Eight threads hash; by itself argon2 takes 100 MiB for each of them."""
    taken = {name: memory_of_eight(name) for name in ("Argon2", "BoundedArgon2")}

    assert taken["BoundedArgon2"] < 2.5 * 100
    assert taken["Argon2"] > 2.5 * 100, "so the measure sees what it must see"
