"""Which credentials are accepted before and after the fence, through real requests."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from accounts import addresses
from accounts.credentials import fencing, passwords, sign_ins
from accounts.credentials.admissions import Origin
from accounts.errors import (
    AuthorityFenced,
    LinkDead,
    PasswordChangedMeanwhile,
    PasswordReused,
)
from accounts.models import AuthEvent, CredentialFence, Session, User
from accounts.recovery import links
from accounts.sign_in import second_factor
from accounts.sign_in.sessions import SessionStore
from accounts.sign_in.validators import UnusedPasswordValidator
from tests import factories
from tests.accounts.conftest import NEW, OLD
from winddown import clock
from winddown.actors import SYSTEM
from winddown.authority import approvals
from winddown.errors import GuardNotMet
from winddown.models import Run
from winddown.programme import capabilities
from winddown.runs import planning

NOWHERE = Origin()


@pytest.fixture(params=["fence alone", "fence and batches"])
def reset(request: Any, started: Callable[..., Any]) -> Callable[[], Run]:
    """The workflow, before any batch and after all batches: a customer meets the same."""

    def act() -> Run:
        run: Run = started("reset-all-passwords")
        return run if request.param == "fence alone" else factories.worked_off(run)

    return act


def test_a_right_password_opens_a_session_that_records_time_and_method(
    person: Any, browser: Any
) -> None:
    someone, window = person(), browser()
    before = clock.now()

    assert window.sign_in(someone.login_id.upper())

    assert window.who() == someone.login_id
    session = Session.objects.get(user=someone)
    assert before < session.issued_at < clock.now()
    assert (session.method, session.switch_version) == ("password", 1)


@pytest.mark.parametrize("hashed", [OLD, ""], ids=["with a password", "without"])
def test_a_wrong_password_opens_nothing(person: Any, browser: Any, hashed: str) -> None:
    someone, window = person(password=hashed), browser()

    assert not window.sign_in(someone.login_id, "something else")
    assert window.who() == ""


def test_an_old_password_is_refused_after_the_fence(person: Any, browser: Any, reset: Any) -> None:
    """Rule 9."""
    someone = person()
    assert browser().sign_in(someone.login_id)

    reset()

    assert not browser().sign_in(someone.login_id)


def test_an_old_session_is_refused_at_the_next_request(
    person: Any, browser: Any, reset: Any
) -> None:
    """Rule 9."""
    someone, window = person(), browser()
    window.sign_in(someone.login_id)
    assert window.who() == someone.login_id

    reset()

    assert someone.login_id not in window.who()
    assert window.who() == ""
    assert not Session.objects.filter(user=someone).exists()


def test_an_old_session_from_a_provider_is_refused_too(
    person: Any, browser: Any, reset: Any
) -> None:
    """Rule 9."""
    someone, window = person(provider="line"), browser()
    assert window.come_back_from("line", someone.login_id)
    assert window.who() == someone.login_id

    reset()

    assert someone.login_id not in window.who()
    assert window.come_back_from("line", someone.login_id), "the provider itself was not stopped"
    assert window.who() == someone.login_id


def test_an_old_reset_link_is_dead_and_a_new_one_works(person: Any, reset: Any) -> None:
    """Rule 9."""

    def token() -> str:
        someone = User.objects.get(pk=owner.pk)
        address = addresses.channel_of(someone)
        assert address is not None
        link = links.issue("recover", address=address, user=someone)
        links.hand_over(link)
        return links.token(link)

    owner = person()
    old = token()
    assert links.by_token(old).user == owner

    reset()

    with pytest.raises(LinkDead):
        links.by_token(old)
    assert links.by_token(token()).user == owner


def test_a_password_set_after_the_fence_works_and_survives_the_batches(
    person: Any, browser: Any, started: Any
) -> None:
    """Rule 9, the accepted case."""
    someone = person()
    run = started("reset-all-passwords")

    passwords.choose_password(someone, NEW, authority_at=clock.now())

    window = browser()
    assert window.sign_in(someone.login_id, NEW)
    assert factories.worked_off(run).state == "succeeded"
    assert window.who() == someone.login_id
    assert browser().sign_in(someone.login_id, NEW)


def test_a_session_issued_at_the_instant_of_the_fence_is_accepted() -> None:
    instant = dt.datetime(2019, 7, 30, tzinfo=dt.UTC)
    fence = fencing.Fence(at=instant, not_before=instant)

    assert fence.accepts(instant)
    assert not fence.accepts(instant - dt.timedelta(microseconds=1))
    assert not fence.accepts(None)
    assert fencing.Fence(at=instant, not_before=None).accepts(None)


def test_a_fence_for_customers_does_not_touch_staff(
    staff: Any, browser: Any, customer: Any, reset: Any
) -> None:
    """Rule 16."""
    officer = staff("support")
    officer.set_password(OLD)
    officer.save()
    second_factor.add_app(officer)
    window = browser()
    window.sign_in(officer.login_id)

    reset()

    assert window.who() == officer.login_id
    assert browser().sign_in(officer.login_id)


def test_a_stopped_password_sign_in_refuses_customers_and_not_staff(
    person: Any, staff: Any, two: Any, browser: Any
) -> None:
    """Rule 16, I8."""
    someone, officer = person(), staff("support")
    officer.set_password(OLD)
    officer.save()
    second_factor.add_app(officer)
    capabilities.stop("login_password", actor=two[0], reason="attack")

    assert not browser().sign_in(someone.login_id)
    assert browser().sign_in(officer.login_id)
    assert AuthEvent.objects.get(user_id=someone.pk).outcome == "refused"
    assert capabilities.leaks("login_password") == 0


def test_a_session_issued_after_the_stop_is_counted_as_a_leak(person: Any, two: Any) -> None:
    """I8."""
    someone = person()
    capabilities.stop("login_password", actor=two[0], reason="attack")
    forged = SessionStore()
    forged["_auth_user_id"] = str(someone.pk)
    forged.create()
    forged.save()

    assert capabilities.leaks("login_password") == 1


def test_a_closed_account_is_refused(person: Any, browser: Any) -> None:
    someone = person(is_active=False)

    assert not browser().sign_in(someone.login_id)


def test_every_attempt_leaves_an_event_without_the_password(person: Any, browser: Any) -> None:
    someone = person()

    browser().sign_in("nobody@example.com")
    browser().sign_in(someone.login_id, "wrong")
    browser().sign_in(someone.login_id)

    events = AuthEvent.objects.order_by("occurred_at")
    assert [(event.login_id, event.user_id, event.outcome) for event in events] == [
        ("nobody@example.com", None, "unknown_login_id"),
        (someone.login_id, someone.pk, "wrong_password"),
        (someone.login_id, someone.pk, "success"),
    ]
    assert {(event.method, event.network) for event in events} == {("password", "127.0.0.1")}


@pytest.mark.parametrize("login_id", ["nobody", "a\0b", "x" * 5_000, "", "ＩＤ" * 200])
def test_an_unknown_login_id_costs_a_hash_like_a_known_one(
    switches: None, database: Any, monkeypatch: pytest.MonkeyPatch, login_id: str
) -> None:
    from django.contrib.auth.hashers import Argon2PasswordHasher

    hashed = []
    encode = Argon2PasswordHasher.encode
    monkeypatch.setattr(
        Argon2PasswordHasher, "encode", lambda *args: hashed.append(1) or encode(*args)
    )

    assert sign_ins.sign_in(login_id, "guess", origin=NOWHERE) is None
    assert hashed == [1]


def test_a_hash_of_an_older_method_is_rewritten_and_keeps_its_date(person: Any) -> None:
    someone = person()
    at = clock.now() - dt.timedelta(days=100)
    User.objects.filter(pk=someone.pk).update(
        password=make_password(OLD, hasher="pbkdf2_sha256"), password_set_at=at
    )

    assert sign_ins.sign_in(someone.login_id, OLD, origin=NOWHERE)

    someone.refresh_from_db()
    assert someone.password.startswith("argon2")
    assert someone.password_set_at == at


def test_a_rewritten_hash_does_not_restore_a_removed_password(
    person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I24. A reset removes the hash at the moment of the rewriting."""
    someone = person()
    User.objects.filter(pk=someone.pk).update(password=make_password(OLD, hasher="pbkdf2_sha256"))
    renew = sign_ins._renew

    def late(user: User, encoded: str) -> None:
        User.objects.filter(pk=user.pk).update(password="!")
        renew(user, encoded)

    monkeypatch.setattr(sign_ins, "_renew", late)

    sign_ins.sign_in(someone.login_id, OLD, origin=NOWHERE)

    someone.refresh_from_db()
    assert someone.password == "!"


# --- choosing a password ----------------------------------------------------------------------


def test_the_removed_password_cannot_be_chosen_again(person: Any, reset: Any) -> None:
    """Rule 11."""
    someone = person()
    reset()

    with pytest.raises(PasswordReused):
        passwords.choose_password(someone, OLD, authority_at=clock.now())
    with pytest.raises(ValidationError):
        UnusedPasswordValidator().validate(OLD, someone)
    UnusedPasswordValidator().validate(NEW, someone)
    passwords.choose_password(someone, NEW, authority_at=clock.now())

    # Neither later, nor for the new password itself.
    for used in (OLD, NEW):
        with pytest.raises(PasswordReused):
            passwords.choose_password(someone, used, authority_at=clock.now())


def test_the_refused_hash_signs_nobody_in(person: Any, done: Any) -> None:
    """Rule 11."""
    someone = person()
    done("reset-all-passwords")
    someone.refresh_from_db()

    assert someone.refused_hash.startswith("argon2")
    assert not someone.has_usable_password()
    assert sign_ins.sign_in(someone.login_id, OLD, origin=NOWHERE) is None


def test_an_old_session_cannot_set_a_new_password_after_the_fence(person: Any, reset: Any) -> None:
    """Rule 9: a thief may be signed in when the fence rises."""
    someone = person()
    issued_at = clock.now()
    reset()

    with pytest.raises(AuthorityFenced):
        passwords.choose_password(someone, NEW, authority_at=issued_at)

    assert sign_ins.sign_in(someone.login_id, NEW, origin=NOWHERE) is None


def test_setting_a_password_records_the_time(person: Any, staff: Any) -> None:
    someone, officer = person(), staff()
    before = clock.now()

    passwords.choose_password(someone, NEW, authority_at=before)
    officer.set_password(NEW)

    assert someone.password_set_at > before
    assert officer.password_set_at > before


# --- the fence's lock -------------------------------------------------------------------------


def _wait_until_locked_out(other: threading.Thread) -> bool:
    """Returns True when somebody waits for an advisory lock, and False when `other` ended without a
    wait.
    """
    for _ in range(2_000):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
            if cursor.fetchone()[0]:
                return True
        if not other.is_alive():
            return False
        time.sleep(0.005)
    raise AssertionError("neither waiting nor done")


def test_a_sign_in_waits_while_the_fence_rises_and_is_refused(
    own_database: Any, person: Any, two: Any
) -> None:
    """Rule 9: no sign-in is accepted under the old fence and dated after the new one."""
    someone = person()
    run = factories.approved_run("reset-all-passwords", maker=two[0], checker=two[1])
    answers: list[User | None] = []

    def attempt() -> None:
        answers.append(sign_ins.sign_in(someone.login_id, OLD, origin=NOWHERE))
        connection.close()

    thread = threading.Thread(target=attempt)
    with transaction.atomic():
        planning.start(run, actor=two[0])
        thread.start()
        waited = _wait_until_locked_out(thread)
    thread.join()

    assert waited
    assert answers == [None]


def test_the_fence_waits_for_a_sign_in_under_way_and_has_a_later_time(
    own_database: Any, person: Any, two: Any
) -> None:
    """Rule 9."""
    run = factories.approved_run("reset-all-passwords", maker=two[0], checker=two[1])

    def start() -> None:
        planning.start(run, actor=two[0])
        connection.close()

    thread = threading.Thread(target=start)
    with transaction.atomic():
        fencing.take_fence()
        thread.start()
        waited = _wait_until_locked_out(thread)
        last = clock.now()
    thread.join()

    assert waited
    assert CredentialFence.objects.get().not_before > last


def test_a_password_that_changed_while_the_new_one_was_hashed_is_not_replaced(
    person: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    someone = person()

    def hashed_while_another_was_first(raw: str) -> str:
        User.objects.filter(pk=someone.pk).update(password="!another")
        return make_password(raw)

    monkeypatch.setattr(passwords, "make_password", hashed_while_another_was_first)
    with pytest.raises(PasswordChangedMeanwhile):
        passwords.choose_password(someone, NEW, authority_at=clock.now())
    assert User.objects.get(pk=someone.pk).password == "!another"


def test_the_lift_of_a_fence_is_agreed_to_or_left_undecided() -> None:
    rejected = approvals.Decided("1", "lift", SYSTEM, "", "test", approve=False)
    with pytest.raises(GuardNotMet, match="leave it undecided"):
        approvals.DECIDERS["credential_fence"](rejected)
