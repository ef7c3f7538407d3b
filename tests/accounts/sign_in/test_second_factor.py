"""Codes, passkeys and recovery codes: how they are added, used and removed."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import caches
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from accounts.credentials import passwords, sign_ins
from accounts.credentials.admissions import Origin
from accounts.errors import AuthorityFenced
from accounts.models import User
from accounts.sign_in import second_factor
from tests.accounts.conftest import OLD
from tests.accounts.sign_in.signing import add_app, codes_of, half_in, make_stale
from tests.signing_in import is_signed_in, next_code, open_session, send_code
from winddown import clock

pytestmark = pytest.mark.django_db

# --- codes --------------------------------------------------------------------------------------


def test_the_password_opens_an_account_only_with_the_code(protected: Any) -> None:
    browser = half_in(protected)
    assert not is_signed_in(browser)

    assert send_code(browser, protected)["Location"] == "/"

    assert is_signed_in(browser)


def test_a_code_works_once_even_with_an_empty_cache(
    protected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = next_code(protected)
    first, second = half_in(protected), half_in(protected)
    first.post("/sign-in/code/", {"code": code})
    # clear() would empty the whole server, with the counts of tests that run beside this one.
    monkeypatch.setattr(caches["default"], "key_prefix", "emptied")

    second.post("/sign-in/code/", {"code": code})

    assert is_signed_in(first)
    assert not is_signed_in(second)


def test_a_recovery_code_works_once(protected: Any) -> None:
    code = codes_of(protected)[3]
    first, second = half_in(protected), half_in(protected)

    first.post("/sign-in/code/", {"code": f"{code[:4]} {code[4:]}"})
    second.post("/sign-in/code/", {"code": code})

    assert is_signed_in(first)
    assert not is_signed_in(second)
    assert len(codes_of(protected)) == 9


def test_every_code_is_refused_for_a_while_after_five_wrong_ones(protected: Any) -> None:
    browser = half_in(protected)
    for _ in range(second_factor.WRONG_CODES_MAX):
        assert browser.post("/sign-in/code/", {"code": "abcdef"}).status_code == 200

    send_code(browser, protected)
    assert not is_signed_in(browser)

    row = Authenticator.objects.get(user=protected)
    assert row.data["paused_until"] > time.time()
    row.data["paused_until"] = time.time() - 1
    row.save()
    send_code(browser, protected)
    assert is_signed_in(browser)


def test_a_right_code_resets_the_count_of_wrong_ones(protected: Any) -> None:
    for _ in range(3):
        browser = half_in(protected)
        for _ in range(second_factor.WRONG_CODES_MAX - 1):
            browser.post("/sign-in/code/", {"code": "000000000"})
        code = codes_of(protected)[0]
        browser.post("/sign-in/code/", {"code": code})
        assert is_signed_in(browser)


def test_the_database_stores_no_secret_in_plain(person: Callable[..., Any]) -> None:
    secret = second_factor.add_app(person())

    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM mfa_authenticator t")
        assert secret not in cursor.fetchone()[0]


def test_half_a_sign_in_expires_after_ten_minutes(protected: Any, settings: Any) -> None:
    browser = half_in(protected)
    session = browser.session
    session["account_login"]["initiated_at"] = time.time() - settings.ACCOUNT_LOGIN_TIMEOUT - 1
    session.save()

    assert browser.post("/sign-in/code/", {"code": next_code(protected)})["Location"] == "/sign-in/"
    assert not is_signed_in(browser)


# --- adding and removing ------------------------------------------------------------------------


def test_an_app_is_added_by_its_code_and_recovery_codes_are_shown_once(
    person: Callable[..., Any],
) -> None:
    someone = person()
    browser = half_in(someone)
    assert is_signed_in(browser)

    assert browser.post("/account/second-factor/app/", {"code": "abc"}).status_code == 200
    assert not Authenticator.objects.exists()
    assert add_app(browser)["Location"] == "/account/second-factor/codes/"

    shown = browser.get("/account/second-factor/codes/").content.decode()
    again = browser.get("/account/second-factor/codes/").content.decode()
    codes = [f"{code[:4]} {code[4:]}" for code in codes_of(someone)]
    assert all(code in shown for code in codes)
    assert not any(code in again for code in codes)


def test_codes_that_were_seen_are_not_shown_after_a_further_factor(
    person: Callable[..., Any],
) -> None:
    someone, browser = person(), Client()
    Authenticator.objects.create(user=someone, type="webauthn", data={})
    codes_of(someone)
    open_session(browser, someone)
    browser.get("/account/second-factor/codes/")

    assert add_app(browser)["Location"] == "/account/second-factor/"


def test_the_page_of_second_factors_says_what_is_set_up_and_what_must_be(
    person: Callable[..., Any], officer: Any
) -> None:
    someone = person()

    def shown(who: Any) -> tuple[str, int, bool]:
        browser = Client()
        open_session(browser, who)
        said = browser.get("/account/second-factor/").context
        return said["frame"], said["unused_codes"], said["must_set_up"]

    assert shown(someone) == ("portal.html", 0, False)
    assert shown(officer) == ("base.html", 0, True)
    for each in (someone, officer):
        second_factor.add_app(each)
        codes_of(each)
    assert shown(someone) == ("portal.html", 10, False)
    assert shown(officer) == ("base.html", 10, False)


def test_an_added_factor_is_dated_by_the_clock_of_the_programme(
    rehearsal_clock: Any, person: Callable[..., Any]
) -> None:
    at = dt.datetime(2019, 7, 5, tzinfo=dt.UTC)
    rehearsal_clock.travel(at, frozen=True)
    someone = person()

    add_app(half_in(someone))

    assert Authenticator.objects.get(user=someone, type="totp").created_at == at


def test_adding_a_factor_asks_again_after_an_old_sign_in(person: Callable[..., Any]) -> None:
    someone = person()
    browser = half_in(someone)
    make_stale(browser)

    answer = browser.get("/account/second-factor/app/")
    assert (
        answer["Location"] == "/account/confirm/password/?next=%2Faccount%2Fsecond-factor%2Fapp%2F"
    )
    wrong = browser.post(answer["Location"], {"password": "not it"})
    assert wrong.status_code == 200
    assert browser.get("/account/second-factor/app/").status_code == 302

    right = browser.post(
        answer["Location"], {"password": OLD, "next": "/account/second-factor/app/"}
    )
    assert right["Location"] == "/account/second-factor/app/"
    assert browser.get("/account/second-factor/app/").status_code == 200


def test_a_session_from_before_the_fence_cannot_add_a_factor(
    person: Callable[..., Any], started: Callable[..., Any]
) -> None:
    """Rule 9: a thief who is signed in when the fence rises cannot add a key for later."""
    someone = person()
    before = clock.now()
    started("reset-all-passwords")

    with (
        pytest.raises(AuthorityFenced),
        passwords.giving(someone, authority_at=before),
    ):
        raise AssertionError("nothing is given")
    with passwords.giving(someone, authority_at=clock.now()) as at:
        assert at > before


def test_a_passkey_from_before_the_fence_opens_nothing_by_itself(
    person: Callable[..., Any], started: Callable[..., Any]
) -> None:
    """Rule 9."""
    someone, origin = person(), Origin()
    old = clock.now()
    let_in = sign_ins.sign_in_passkey(someone, registered_at=old, origin=origin)
    assert let_in is not None
    assert let_in.admission.method == "passkey"

    started("reset-all-passwords")

    assert sign_ins.sign_in_passkey(someone, registered_at=old, origin=origin) is None
    assert sign_ins.sign_in_passkey(someone, registered_at=clock.now(), origin=origin)


def test_a_passkey_obeys_the_stop_of_sign_in_and_a_disabled_account(
    person: Callable[..., Any], officer: Any, two: tuple[Any, Any]
) -> None:
    someone, origin, at = person(), Origin(), clock.now()
    from winddown.programme import capabilities

    capabilities.stop("login_password", actor=two[0], reason="attack")
    assert sign_ins.sign_in_passkey(someone, registered_at=at, origin=origin) is None
    assert sign_ins.sign_in_passkey(officer, registered_at=at, origin=origin) == officer
    User.objects.filter(pk=officer.pk).update(is_active=False)
    assert sign_ins.sign_in_passkey(officer, registered_at=at, origin=origin) is None


def test_a_customer_may_remove_the_last_factor_and_staff_may_not(
    person: Callable[..., Any], officer: Any
) -> None:
    customer, colleague = half_in(person()), Client()
    add_app(customer)
    customer.post("/account/second-factor/app/remove/")
    assert not Authenticator.objects.exists()

    second_factor.add_app(officer)
    open_session(colleague, officer)
    answer = colleague.post("/account/second-factor/app/remove/")
    assert answer.status_code == 200
    assert Authenticator.objects.filter(user=officer, type="totp").exists()


# --- in a rehearsal -----------------------------------------------------------------------------


def test_staff_code_prints_a_code_only_in_a_rehearsal(
    officer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    second_factor.add_app(officer)

    with pytest.raises(CommandError, match="not a rehearsal"):
        call_command("staff_code", officer.login_id)


def test_the_code_printed_in_a_rehearsal_opens_the_console(
    rehearsal_clock: Any,
    programme: Any,
    staff: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    person = staff("auditor")
    person.set_password(OLD)
    person.save()
    second_factor.add_app(person)
    call_command("staff_code", person.login_id)
    browser = half_in(person)

    browser.post("/sign-in/code/", {"code": capsys.readouterr().out.strip()})

    assert browser.get("/console/").status_code == 200
    with pytest.raises(CommandError, match="no authenticator app"):
        call_command("staff_code", "nobody")
