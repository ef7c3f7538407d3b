"""The second factor: asked, used once, not guessed at, and never missing for staff."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import caches
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from accounts.credentials import passwords, sign_ins
from accounts.credentials.admissions import Origin
from accounts.errors import AuthorityFenced
from accounts.models import Session, User
from accounts.sign_in import second_factor
from tests.accounts.conftest import OLD
from tests.signing_in import is_signed_in, next_code, open_session, send_code, sign_in
from winddown import clock
from winddown.models import Capability
from winddown.runs import planning

pytestmark = pytest.mark.django_db


@pytest.fixture
def officer(staff: Callable[..., Any], programme: Any) -> Any:
    """A member of staff with a password and no second factor."""
    person = staff("incident_commander")
    person.set_password(OLD)
    person.save()
    return person


@pytest.fixture
def protected(person: Callable[..., Any]) -> Any:
    """A customer with an authenticator app."""
    someone = person()
    second_factor.add_app(someone)
    return someone


def half_in(someone: Any) -> Client:
    browser = Client(headers={"accept-language": "en"})
    browser.post("/sign-in/", {"login_id": someone.login_id, "password": OLD})
    return browser


def codes_of(someone: Any) -> list[str]:
    row, _ = Authenticator.objects.get_or_create(
        user=someone, type="recovery_codes", defaults={"data": {}}
    )
    if not row.data:
        row.delete()
        from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

        row = RecoveryCodes.activate(someone).instance
    codes: list[str] = row.wrap().get_unused_codes()
    return codes


# --- codes --------------------------------------------------------------------------------------


def test_the_password_alone_opens_nothing_and_the_code_does(protected: Any) -> None:
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
    # Not clear(), which empties the whole server, also of what tests beside this one count.
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


def test_after_five_wrong_codes_none_is_looked_at_for_a_while(protected: Any) -> None:
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


def test_a_right_code_in_between_forgets_the_wrong_ones(protected: Any) -> None:
    for _ in range(3):
        browser = half_in(protected)
        for _ in range(second_factor.WRONG_CODES_MAX - 1):
            browser.post("/sign-in/code/", {"code": "000000000"})
        code = codes_of(protected)[0]
        browser.post("/sign-in/code/", {"code": code})
        assert is_signed_in(browser)


def test_the_secret_is_not_in_the_database_in_clear(person: Callable[..., Any]) -> None:
    secret = second_factor.add_app(person())

    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM mfa_authenticator t")
        assert secret not in cursor.fetchone()[0]


def test_half_a_sign_in_is_given_up_after_ten_minutes(protected: Any, settings: Any) -> None:
    browser = half_in(protected)
    session = browser.session
    session["account_login"]["initiated_at"] = time.time() - settings.ACCOUNT_LOGIN_TIMEOUT - 1
    session.save()

    assert browser.post("/sign-in/code/", {"code": next_code(protected)})["Location"] == "/sign-in/"
    assert not is_signed_in(browser)


# --- adding and removing ------------------------------------------------------------------------


def add_app(browser: Client) -> Any:
    secret = browser.get("/account/second-factor/app/").context["form"].secret
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    return browser.post("/account/second-factor/app/", {"code": code})


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


def test_what_is_added_is_dated_by_the_programme_s_clock(
    rehearsal_clock: Any, person: Callable[..., Any]
) -> None:
    at = dt.datetime(2019, 7, 5, tzinfo=dt.UTC)
    rehearsal_clock.travel(at, frozen=True)
    someone = person()

    add_app(half_in(someone))

    assert Authenticator.objects.get(user=someone, type="totp").created_at == at


def test_adding_asks_again_when_the_sign_in_is_old(person: Callable[..., Any]) -> None:
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


def test_nothing_is_added_by_a_session_from_before_the_fence(
    person: Callable[..., Any], started: Callable[..., Any]
) -> None:
    """Rule 9: a thief who is signed in when the fence rises plants no key that opens the door later."""
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


def test_a_passkey_obeys_the_switch_and_the_end_of_the_account(
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


# --- staff --------------------------------------------------------------------------------------


def make_stale(browser: Client, *, minutes: int = 11) -> None:
    """Whoever is signed in was asked so many minutes ago."""
    session = browser.session
    for record in session["account_authentication_methods"]:
        record["at"] = time.time() - minutes * 60
    session.save()


def paths() -> list[str]:
    """Every page that has an address of its own."""
    found = []
    for prefix in ("console:", ""):
        names = get_resolver().namespace_dict["console"][1] if prefix else get_resolver()
        for name in {key for key in names.reverse_dict if isinstance(key, str)}:
            from django.urls import NoReverseMatch, reverse

            for arguments in ([], [1], ["spend"], [1, "approve"], ["spend", "stop"], ["line"]):
                try:
                    found.append(reverse(f"{prefix}{name}", args=arguments))
                except NoReverseMatch:
                    continue
    return found


def test_staff_without_a_second_factor_reach_nothing(officer: Any) -> None:
    browser = half_in(officer)
    allowed = {
        "/account/confirm/password/",
        "/account/second-factor/",
        "/account/second-factor/app/",
        "/account/second-factor/passkey/",
        "/language/",
        "/sign-in/",
        "/sign-out/",
    }
    tried = {path for path in paths() if not path.startswith("/admin/login")} - allowed
    assert {"/console/", "/account/sessions/", "/console/runs/1/approve/"} <= tried

    for path in [*sorted(tried), "/admin/", "/admin/winddown/run/"]:
        for answer in (browser.get(path), browser.post(path)):
            assert answer.status_code == 302, path
            assert answer["Location"] == "/account/second-factor/", path


def test_a_poll_of_staff_without_a_second_factor_reloads_the_page(officer: Any) -> None:
    answer = half_in(officer).get("/console/", headers={"HX-Request": "true"})

    assert answer["HX-Refresh"] == "true"


def test_setting_one_up_opens_the_console_and_the_next_sign_in_asks_for_it(officer: Any) -> None:
    browser = half_in(officer)
    add_app(browser)

    assert browser.get("/console/").status_code == 200
    assert browser.get("/admin/").status_code == 200
    assert half_in(officer).get("/console/")["Location"].startswith("/sign-in/")


def test_a_dangerous_act_asks_again_and_is_then_done_with_what_was_typed(
    officer: Any, staff: Callable[..., Any]
) -> None:
    second_factor.add_app(officer)
    browser = Client(headers={"accept-language": "en"})
    sign_in(browser, officer.login_id, OLD)
    make_stale(browser)
    assert browser.get("/console/switches/transfer/stop/").status_code == 200, "looking is free"

    answer = browser.post("/console/switches/transfer/stop/", {"reason": "money mules"})
    assert (
        answer["Location"]
        == "/account/confirm/code/?next=%2Fconsole%2Fswitches%2Ftransfer%2Fstop%2F"
    )
    assert Capability.objects.get(code="transfer").state == "enabled"

    browser.post(
        answer["Location"], {"code": "nonsense", "next": "/console/switches/transfer/stop/"}
    )
    assert Capability.objects.get(code="transfer").state == "enabled"
    done = browser.post(
        answer["Location"], {"code": next_code(officer), "next": "/console/switches/transfer/stop/"}
    )

    assert done["Location"] == "/console/switches/transfer/"
    switch = Capability.objects.get(code="transfer")
    assert (switch.state, switch.reason) == ("disabled", "money mules")


@pytest.mark.parametrize(
    "act",
    ["/console/runs/{run}/approve/", "/console/workflows/freeze-charges/plan/"],
)
def test_every_dangerous_form_of_the_console_asks(
    act: str, officer: Any, staff: Callable[..., Any]
) -> None:
    run = planning.plan("freeze-charges", actor=staff("incident_commander"), reason="test")
    second_factor.add_app(officer)
    browser = Client()
    open_session(browser, officer)
    make_stale(browser)

    answer = browser.post(
        act.format(run=run.pk), {"reason": "x", "digest": run.plan_digest, "params": "{}"}
    )

    assert answer.status_code == 302
    assert answer["Location"].startswith("/account/confirm/code/")
    run.refresh_from_db()
    assert run.state == "awaiting_approval"


def test_a_session_of_staff_ends_after_eight_hours_whatever_is_done_in_it(
    rehearsal_clock: Any, officer: Any
) -> None:
    browser = Client()
    open_session(browser, officer)
    at = clock.now()
    rehearsal_clock.travel(at + dt.timedelta(hours=7, minutes=59))
    assert browser.get("/console/").status_code == 200

    rehearsal_clock.travel(at + dt.timedelta(hours=8, minutes=1))

    assert browser.get("/console/")["Location"].startswith("/sign-in/")
    assert not Session.objects.filter(user=officer).exists()


def test_a_session_lives_half_an_hour_from_its_last_use_and_a_poll_is_no_use(officer: Any) -> None:
    browser = Client()
    open_session(browser, officer)

    def age(**session: Any) -> dt.timedelta:
        """How long the session lives on, after it stood idle for twenty minutes and then did this."""
        row = Session.objects.get(user=officer)
        data = row.get_decoded()
        data["used_at"] = int(time.time()) - 20 * 60
        row.session_data = browser.session.encode(data)
        row.expire_date = timezone.now() + dt.timedelta(minutes=10)
        row.save()
        browser.get("/console/", **session)
        lives: dt.timedelta = Session.objects.get(user=officer).expire_date - timezone.now()
        return lives

    assert age(headers={"HX-Request": "true"}) < dt.timedelta(minutes=11)
    assert age() > dt.timedelta(minutes=29)


def test_a_customer_s_session_ends_with_the_browser_unless_asked(
    person: Callable[..., Any],
) -> None:
    browser = half_in(person())

    assert browser.cookies["sessionid"]["max-age"] == ""
    assert browser.session.get_expire_at_browser_close()


def test_staff_are_not_remembered(officer: Any) -> None:
    second_factor.add_app(officer)
    browser = Client()

    sign_in(browser, officer.login_id, OLD, remember="on")

    assert browser.get("/console/").status_code == 200
    assert browser.session.get_expire_at_browser_close()


# --- one answer ---------------------------------------------------------------------------------


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


# --- one account --------------------------------------------------------------------------------


def test_the_owner_sees_and_ends_what_is_open(person: Callable[..., Any]) -> None:
    someone = person()
    here = half_in(someone)
    there = Client(headers={"user-agent": "Mozilla/5.0 (iPhone) Version/17 Safari/604.1"})
    sign_in(there, someone.login_id, OLD)
    listed = here.get("/account/sessions/").context["sessions"]
    assert [(each.browser, each.present) for each in listed] == [
        ("Safari, iPhone", False),
        ("", True),
    ]
    stranger = half_in(person())

    stranger.post(f"/account/sessions/{listed[0].number}/end/")
    assert is_signed_in(there), "nobody ends another person's"
    here.post(f"/account/sessions/{listed[0].number}/end/")

    assert not is_signed_in(there)
    assert is_signed_in(here)


def test_the_owner_signs_out_everywhere(person: Callable[..., Any]) -> None:
    someone = person()
    here, there = half_in(someone), half_in(someone)

    here.post("/sign-out/everywhere/")

    assert not is_signed_in(here)
    assert not is_signed_in(there)
    assert is_signed_in(half_in(someone))


def test_support_signs_an_account_out_and_does_not_disable_it(
    person: Callable[..., Any], staff: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    someone = person()
    browser = half_in(someone)
    by = {"by": staff("support").login_id, "reason": "lost phone", "account": someone.account_ref}
    call_command("sign_out_everywhere", **by)
    assert not is_signed_in(browser)

    with pytest.raises(SystemExit) as refused:
        call_command("disable_account", **by)
    assert refused.value.code == 1
    assert User.objects.get(pk=someone.pk).is_active


def test_a_disabled_account_is_let_in_again_by_undo(
    person: Callable[..., Any], staff: Callable[..., Any]
) -> None:
    someone = person()
    by = {
        "by": staff("incident_commander").login_id,
        "reason": "taken over",
        "account": someone.account_ref,
    }
    call_command("disable_account", **by)
    assert not is_signed_in(half_in(someone))

    call_command("disable_account", undo=True, **by)

    assert is_signed_in(half_in(someone))


def test_a_code_is_told_in_a_rehearsal_only(
    officer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    second_factor.add_app(officer)

    with pytest.raises(CommandError, match="not a rehearsal"):
        call_command("staff_code", officer.login_id)


def test_in_a_rehearsal_the_code_told_opens_the_console(
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


def test_the_devices_page_speaks_json(person: Callable[..., Any]) -> None:
    someone = person()
    browser = half_in(someone)

    assert browser.get("/account/devices/").json() == {"account_ref": someone.account_ref}
    bad = browser.post("/account/devices/", json.dumps([]), content_type="application/json")
    assert bad.status_code == 400
