"""Which attempts are guesses, whom a fence lets in, and when a session is over: each rule alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from accounts.credentials import fencing, passwords, session_rules, sign_ins
from accounts.credentials.admissions import Admission, Origin
from accounts.errors import AuthorityFenced
from accounts.models import AuthEvent, User
from accounts.sign_in.sessions import SessionStore
from accounts.sign_in.validators import UnusedPasswordValidator
from tests.accounts.conftest import NEW, OLD, hashed
from winddown import clock
from winddown.errors import GuardNotMet
from winddown.programme import capabilities

pytestmark = pytest.mark.django_db
NOWHERE = Origin()


@pytest.fixture
def member(staff: Callable[..., Any]) -> User:
    """A member of staff with the password OLD."""
    person = staff("support")
    User.objects.filter(pk=person.pk).update(password=hashed(OLD), password_set_at=clock.now())
    return User.objects.get(pk=person.pk)


def test_only_a_password_that_opens_the_account_can_be_guessed(
    person: Callable[..., Any], member: User, started: Callable[..., Any]
) -> None:
    someone, without = person(), person(password="")

    def guessable(*users: User | None) -> list[bool]:
        return [sign_ins._guessable(each, at=clock.now()) for each in users]

    assert guessable(None, without, someone, member) == [False, False, True, True]
    started("reset-all-passwords")
    assert guessable(None, without, someone, member) == [False, False, False, True]


def test_the_fence_lets_staff_and_later_passwords_in(
    person: Callable[..., Any], member: User, started: Callable[..., Any]
) -> None:
    """Rules 9 and 16."""
    someone, other = person(), person()
    started("reset-all-passwords")
    passwords.choose_password(someone, NEW, authority_at=clock.now())

    assert sign_ins.sign_in(someone.login_id, NEW, origin=NOWHERE) == someone
    assert sign_ins.sign_in(member.login_id, OLD, origin=NOWHERE) == member
    assert sign_ins.sign_in(other.login_id, OLD, origin=NOWHERE) is None
    assert AuthEvent.objects.latest("pk").outcome == AuthEvent.Outcome.REFUSED


def test_a_hash_of_another_cost_is_renewed_when_it_lets_its_owner_in(
    person: Callable[..., Any],
) -> None:
    encoded = PBKDF2PasswordHasher().encode(OLD, "c2FsdA", 1)
    someone = person()
    User.objects.filter(pk=someone.pk).update(password=encoded)

    for typed, renewed in (("guess", False), (OLD, True)):
        sign_ins.sign_in(someone.login_id, typed, origin=NOWHERE)
        assert (User.objects.get(pk=someone.pk).password != encoded) is renewed


def test_a_service_opens_no_disabled_account(person: Callable[..., Any]) -> None:
    someone = person(provider="line")

    for is_active in (True, False):
        User.objects.filter(pk=someone.pk).update(is_active=is_active)
        let_in = sign_ins.sign_in_external("line", someone.login_id, origin=NOWHERE)
        assert (let_in == someone) is is_active


def test_without_a_fence_there_is_nothing_to_lift(two: tuple[Any, Any]) -> None:
    with pytest.raises(GuardNotMet, match="none stands"):
        fencing.request_lift(actor=two[0], reason="test")


def test_nothing_is_given_without_a_session(person: Callable[..., Any]) -> None:
    with pytest.raises(AuthorityFenced), passwords.giving(person(), authority_at=None):
        pytest.fail("a further credential would be given")


def test_a_password_that_no_fence_refused_is_not_remembered(person: Callable[..., Any]) -> None:
    someone = person()

    passwords.choose_password(someone, NEW, authority_at=clock.now())

    assert User.objects.get(pk=someone.pk).refused_hash == ""
    UnusedPasswordValidator().validate(OLD, someone)


@pytest.mark.parametrize("user", [None, User()], ids=["nobody", "not stored"])
def test_a_password_of_nobody_was_never_used(user: User | None) -> None:
    UnusedPasswordValidator().validate(OLD, user)


def test_a_session_without_an_admission_is_one_by_password(
    person: Callable[..., Any], member: User
) -> None:
    assert session_rules.session_refusal(person().pk, None) is None
    assert session_rules.session_refusal(member.pk, None) == session_rules.Refusal.TOO_OLD


@pytest.mark.parametrize(
    ("version", "refusal"), [(1, None), (2, session_rules.Refusal.PROVIDER_STOPPED)]
)
def test_a_session_of_another_version_of_the_switch_is_over(
    person: Callable[..., Any], version: int, refusal: str | None
) -> None:
    admission = Admission(clock.now(), "line", version)
    assert session_rules.session_refusal(person().pk, admission) == refusal


@pytest.mark.usefixtures("rehearsal_clock")
def test_a_session_may_last_to_its_last_instant(person: Callable[..., Any], member: User) -> None:
    at, instant = clock.now(), dt.timedelta.resolution
    clock.travel(at, frozen=True)
    for user, longest in (
        (person(), session_rules.CUSTOMER_SESSION_MAX),
        (member, session_rules.STAFF_SESSION_MAX),
    ):
        last = Admission(at - longest, "password", 1)
        over = Admission(at - longest - instant, "password", 1)
        assert session_rules.session_refusal(user.pk, last) is None
        assert session_rules.session_refusal(user.pk, over) == session_rules.Refusal.TOO_OLD


@pytest.mark.parametrize(
    ("method", "passwords_leak", "services_leak"),
    [("password", 1, 0), ("passkey", 1, 0), ("line", 0, 1)],
)
def test_a_late_session_counts_against_the_switch_of_its_method(
    person: Callable[..., Any],
    two: tuple[Any, Any],
    method: str,
    passwords_leak: int,
    services_leak: int,
) -> None:
    """I8. The switch of passwords governs passkeys too."""
    for code in ("login_password", "login_external:line"):
        capabilities.stop(code, actor=two[0], reason="attack")
    late = SessionStore()
    late["_auth_user_id"] = str(person().pk)
    late["admission"] = Admission(clock.now(), method, 1).as_json()
    late.save()

    assert capabilities.leaks("login_password") == passwords_leak
    assert capabilities.leaks("login_external:line") == services_leak
