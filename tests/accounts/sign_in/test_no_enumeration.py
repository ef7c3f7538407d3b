"""A visitor can neither see nor measure whether an account exists."""

from __future__ import annotations

import datetime as dt
import math
import random
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client

from accounts.attempts import limits
from accounts.credentials import access, password_checks
from accounts.credentials.passwords import NO_PASSWORD
from accounts.models import AccessRequest, AuthEvent, User
from accounts.recovery import access_requests
from accounts.sign_in import second_factor
from tests import factories
from tests.accounts.conftest import OLD
from winddown import clock

pytestmark = pytest.mark.django_db

# A small difference needs many pairs of requests to be found: so many are sent in the proof.
PAIRS_OF_THE_PROOF = 300
PAIRS = 60
# A planted mistake is large, and fewer pairs show it.
PAIRS_OF_THE_CONTROL = 50
# By chance alone, one of ten thousand runs would exceed it.
SIGNIFICANT = 3.9


@pytest.fixture(autouse=True)
def real_but_quick_hashes(settings: Any, programme: Any) -> None:
    """The service's own code with less memory, so that hundreds of requests take seconds."""
    hasher = "tests.accounts.hashers.MiddlingArgon2"
    settings.PASSWORD_HASHERS = [hasher, *settings.PASSWORD_HASHERS]


@pytest.fixture
def pairs(long_form: bool) -> int:
    """How many pairs of requests are compared."""
    return PAIRS_OF_THE_PROOF if long_form else PAIRS


@pytest.fixture
def known(customer: Callable[..., Any]) -> User:
    person: User = customer(
        login_id=f"known-{uuid.uuid4().hex[:12]}", password=make_password(OLD), email=""
    )
    return person


# --- what can be measured -----------------------------------------------------------------------


def signed_rank(differences: list[float]) -> float:
    """Returns Wilcoxon's signed-rank statistic, in standard deviations from the value without a
    difference.

    It uses the order of the differences and not their size, so that one slow request counts as one
    request.
    """
    ordered = sorted(differences, key=abs)
    n = len(ordered)
    ranks = sum(rank for rank, value in enumerate(ordered, 1) if value > 0)
    spread = math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    return (ranks - n * (n + 1) / 4) / spread


@dataclass(frozen=True)
class Page:
    """A page that takes a name, what is sent there beside it, and how it answers everybody."""

    path: str
    name: str
    status: int
    others: dict[str, str] = field(default_factory=dict)


SIGN_IN = Page("/sign-in/", "login_id", 200, {"password": "not the password"})
RECOVERY = Page("/recovery/", "who", 302)
REGISTRATION = Page("/register/", "who", 302)


def measure(
    page: Page,
    pairs: int,
    settings: Any,
    first: Callable[[], str],
    second: Callable[[], str],
) -> float:
    """Returns how far the times of the page's answers to the two names differ."""
    dice, browser = random.Random(7), Client()
    differences = []
    for _ in range(pairs):
        took = {}
        for which in dice.sample([first, second], 2):
            # As many tries as it takes to measure: the limits are not what is measured.
            settings.COUNTERS_PREFIX = f"wd-count-{uuid.uuid4().hex[:12]}"
            browser.cookies.clear()
            sent = {page.name: which(), **page.others}
            began = time.perf_counter()
            answer = browser.post(page.path, sent)
            took[which] = time.perf_counter() - began
            assert answer.status_code == page.status
        differences.append(took[first] - took[second])
    return signed_rank(differences)


def nobody() -> str:
    return f"known-{uuid.uuid4().hex[:12]}"


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_the_time_of_a_refusal_does_not_tell_whether_a_login_id_is_known(
    known: User, pairs: int, settings: Any
) -> None:
    apart = measure(SIGN_IN, pairs, settings, lambda: known.login_id, nobody)

    outcomes = AuthEvent.objects.values_list("outcome", flat=True)
    assert sorted(set(outcomes)) == ["unknown_login_id", "wrong_password"]
    assert len(outcomes) == 2 * pairs
    assert abs(apart) < SIGNIFICANT


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_the_measure_finds_a_refusal_without_a_hash(
    known: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The most frequent mistake is planted: an unknown login id is refused at once."""
    whole = password_checks.compare

    def early(raw: str, encoded: str) -> password_checks.Compared:
        wrong = password_checks.Compared(right=False)
        return wrong if encoded == NO_PASSWORD else whole(raw, encoded)

    monkeypatch.setattr(password_checks, "compare", early)

    apart = measure(SIGN_IN, PAIRS_OF_THE_CONTROL, settings, lambda: known.login_id, nobody)

    assert apart > SIGNIFICANT


@pytest.fixture
def addresses(
    pairs: int, customer: Callable[..., Any]
) -> tuple[Callable[[], str], Callable[[], str]]:
    """As many known addresses as pairs, one after the other, and unknown ones of the same form."""
    at = clock.now() - dt.timedelta(days=1)
    for number in range(pairs):
        customer(email=f"known{number:03}@example.com", email_verified_at=at)
    known, unknown = count(), count()
    return (
        lambda: f"known{next(known):03}@example.com",
        lambda: f"nobod{next(unknown):03}@example.com",
    )


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("page", [RECOVERY, REGISTRATION], ids=lambda page: page.path)
def test_the_time_of_a_request_for_a_link_does_not_tell_whether_an_address_is_known(
    page: Page,
    pairs: int,
    addresses: tuple[Callable[[], str], Callable[[], str]],
    settings: Any,
) -> None:
    apart = measure(page, pairs, settings, *addresses)

    assert AccessRequest.objects.count() == 2 * pairs
    assert abs(apart) < SIGNIFICANT
    access_requests.answer_due()
    answers = AccessRequest.objects.values_list("answer", flat=True)
    assert len(set(answers)) == 2, "the answer behind the page tells them apart"


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize(
    "page",
    [RECOVERY, pytest.param(REGISTRATION, marks=pytest.mark.long_form)],
    ids=lambda page: page.path,
)
def test_the_measure_finds_a_page_that_looks_the_person_up(
    page: Page,
    addresses: tuple[Callable[[], str], Callable[[], str]],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The usual mistake is planted: a known person is written to before the page answers."""
    written = access_requests.ask

    def at_once(purpose: str, typed: str, **options: Any) -> AccessRequest:
        request = written(purpose, typed, **options)
        if User.objects.filter(email=typed).exists():
            access_requests.answer_due()
        return request

    monkeypatch.setattr(access_requests, "ask", at_once)

    assert abs(measure(page, PAIRS_OF_THE_CONTROL, settings, *addresses)) > SIGNIFICANT


def test_a_refusal_by_the_limits_does_not_hash(
    known: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time is short for known and unknown login ids alike."""
    browser = Client()
    for _ in range(5):
        browser.post("/sign-in/", {"login_id": known.login_id, "password": "guess"})
    monkeypatch.setattr(password_checks, "compare", None)

    browser.post("/sign-in/", {"login_id": known.login_id, "password": OLD})

    assert AuthEvent.objects.latest("id").outcome == "refused"


# --- what can be seen ---------------------------------------------------------------------------

_SECRETS = re.compile(r'name="csrfmiddlewaretoken" value="[^"]+"')


def seen(answer: Any, *, typed: str) -> dict[str, Any]:
    """Returns all of an answer that could differ, without what differs in each request."""
    body = _SECRETS.sub("", answer.content.decode()).replace(typed, "TYPED")
    cookies = {
        name: sorted((key, str(value)) for key, value in morsel.items() if key != "expires")
        for name, morsel in answer.cookies.items()
    }
    of_the_moment = ("Content-Length", "Expires")
    headers = {name: value for name, value in answer.headers.items() if name not in of_the_moment}
    return {
        "status": answer.status_code,
        "place": answer.headers.get("Location"),
        "headers": headers,
        "cookies": cookies,
        "body": body,
    }


def of_every_kind(known: User, staff: Callable[..., Any]) -> dict[str, str]:
    """Returns a login id of every kind whose sign-in fails."""

    def one(name: str, **fields: Any) -> User:
        fields = {"password": make_password(OLD), **fields}
        return factories.make_customer(login_id=f"{name}-{uuid.uuid4().hex[:8]}", **fields)

    disabled = one("disabled")
    access.disable(disabled, actor=staff("incident_commander"), reason="test")
    member = staff("auditor")
    User.objects.filter(pk=member.pk).update(password=make_password(OLD))
    limited = one("limited")
    at = clock.now()
    for _ in range(5):
        limits.admit(limits.Attempt(key=limited.login_id, network="198.51.100.1", at=at))
    return {
        "unknown": nobody(),
        "known": known.login_id,
        "without a password": one("reset", password="!").login_id,
        "disabled": disabled.login_id,
        "staff": member.login_id,
        "limited": limited.login_id,
    }


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_refused_sign_in_looks_the_same(
    known: User, staff: Callable[..., Any], language: str
) -> None:
    answers = {}
    for kind, login_id in of_every_kind(known, staff).items():
        browser = Client(headers={"accept-language": language})
        sent = {"login_id": login_id, "password": "not the password"}
        answers[kind] = seen(browser.post("/sign-in/", sent), typed=login_id)

    assert {AuthEvent.objects.filter(login_id__startswith="limited-").get().outcome} == {"refused"}
    for kind, answer in answers.items():
        assert answer == answers["unknown"], kind
    assert answers["unknown"]["status"] == 200
    assert "Retry-After" not in answers["limited"]["headers"]
    assert set(answers["unknown"]["cookies"]) == {"device", "csrftoken"} | (
        set(answers["unknown"]["cookies"]) & {"sessionid"}
    )


@pytest.mark.parametrize("right", ["disabled", "limited"])
def test_the_right_password_of_a_closed_account_looks_like_a_wrong_one(
    known: User, staff: Callable[..., Any], right: str
) -> None:
    kinds = of_every_kind(known, staff)

    answers = [
        seen(Client().post("/sign-in/", {"login_id": kinds[k], "password": OLD}), typed=kinds[k])
        for k in (right, "unknown")
    ]

    assert answers[0] == answers[1]


@pytest.mark.parametrize("page", ["/recovery/", "/register/"])
def test_asking_for_a_link_looks_the_same_for_everybody(
    known: User, page: str, customer: Callable[..., Any]
) -> None:
    at = clock.now()
    addresses = {"known": "known@example.com", "unknown": "nobodys@example.com"}
    customer(email=addresses["known"], email_verified_at=at - dt.timedelta(days=1))
    answers = {}
    for kind, address in addresses.items():
        first = Client().post(page, {"who": address})
        browser = Client()
        answers[kind] = (
            seen(first, typed=address),
            seen(browser.post(page, {"who": address}, follow=True), typed=address),
        )
    for _ in range(9):
        Client().post(page, {"who": "limited@example.com"})
    last = Client().post(page, {"who": "limited@example.com"})
    answers["limited"] = (
        seen(last, typed="limited@example.com"),
        seen(
            Client().post(page, {"who": "limited@example.com"}, follow=True),
            typed="limited@example.com",
        ),
    )

    for kind, answer in answers.items():
        assert answer == answers["unknown"], kind
    assert answers["unknown"][0]["status"] == 302


def test_every_refused_password_gets_the_same_answer(
    person: Callable[..., Any],
    staff: Callable[..., Any],
    programme: Any,
    started: Callable[..., Any],
) -> None:
    """ASVS 6.3.8: neither text nor status nor redirect tells whether an account exists."""
    disabled = person(is_active=False)
    without = person(password="")
    protected = person()
    second_factor.add_app(protected)
    fenced = person()
    started("reset-all-passwords")
    attempts = [
        ("nobody@example.com", OLD),
        (disabled.login_id, OLD),
        (without.login_id, OLD),
        (protected.login_id, "wrong"),
        (fenced.login_id, OLD),
        (staff().login_id, OLD),
    ]

    answers = set()
    for login_id, password in attempts:
        browser = Client()
        answer = browser.post("/sign-in/", {"login_id": login_id, "password": password})
        text = answer.content.decode().replace(login_id, "-")
        token = answer.context["csrf_token"]
        answers.add((answer.status_code, text.replace(str(token), "-"), tuple(browser.cookies)))

    assert len(answers) == 1
    assert {status for status, *_rest in answers} == {200}
