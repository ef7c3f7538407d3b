"""Recovery by mail: request, mail, link, new password, sign-in; and every dead link."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from accounts import outbox
from accounts.models import AccessRequest, Message, OneTimeLink, Session, User
from accounts.recovery import access_requests, by_link, cases, links
from config.log import JsonFormatter, TextFormatter
from tests import factories
from tests.accounts.conftest import NEW, OLD
from tests.accounts.mail_server import Mailbox, link_in, mail_server, text_of
from tests.signing_in import is_signed_in
from winddown.evidence import invariants
from winddown.runs import clockwork

pytestmark = pytest.mark.django_db
EN = {"accept-language": "en"}


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    with mail_server(settings) as mails:
        yield mails


class Visitor:
    """Somebody's browser at the real site."""

    def __init__(self, **headers: str) -> None:
        self.client = Client(headers={**EN, **headers})

    def ask(self, who: str, **extra: Any) -> Any:
        return self.client.post("/recovery/", {"who": who}, follow=True, **extra)

    def open(self, url: str) -> Any:
        """What the browser shows after the mailed link was opened."""
        return self.client.get(urlsplit(url).path, follow=True)

    def choose(self, password: str, again: str = "") -> Any:
        return self.client.post(
            "/recovery/password/", {"password": password, "again": again or password}
        )

    def signs_in(self, login_id: str, password: str) -> bool:
        self.client.post("/sign-in/", {"login_id": login_id, "password": password})
        return "_auth_user_id" in self.client.session


@pytest.fixture
def visitor() -> Callable[..., Visitor]:
    return Visitor


@pytest.fixture
def mailed(mailbox: Mailbox, visitor: Callable[..., Visitor]) -> Callable[[User], str]:
    """`mailed(someone)` is the link that came with the mail that was asked for."""

    def ask(someone: User) -> str:
        Visitor().ask(someone.login_id)
        clockwork.tick()
        return link_in(mailbox.to(someone.email)[-1])

    return ask


def test_the_whole_way_from_the_request_to_the_sign_in(
    person: Callable[..., Any], visitor: Callable[..., Visitor], mailbox: Mailbox
) -> None:
    someone, browser, elsewhere = person(), visitor(), visitor()
    assert elsewhere.signs_in(someone.login_id, OLD)

    answer = browser.ask(someone.login_id)
    assert answer.redirect_chain[-1][0] == "/recovery/sent/"
    clockwork.tick()

    (mail,) = mailbox.to(someone.email)
    assert link_in(mail).startswith("http://127.0.0.1:8000/recovery/link/")
    assert "15 minutes" in text_of(mail)
    shown = browser.open(link_in(mail))
    # The address of the page on which the password is typed has no token in it.
    assert shown.redirect_chain[-1][0] == "/recovery/password/"
    assert shown.headers["Referrer-Policy"] == "same-origin"
    assert "no-store" in shown.headers["Cache-Control"]

    assert browser.choose(NEW).headers["Location"] == "/sign-in/"

    assert not Session.objects.filter(user=someone).exists()
    assert elsewhere.client.get("/").wsgi_request.user.is_anonymous
    assert browser.signs_in(someone.login_id, NEW)
    assert not visitor().signs_in(someone.login_id, OLD)
    clockwork.tick()
    told = mailbox.to(someone.email)[-1]
    assert "was changed" in text_of(told)
    assert "http" not in text_of(told)
    assert invariants.breached() == {}


def test_the_mail_speaks_the_language_in_which_it_was_asked_for(
    person: Callable[..., Any], mailbox: Mailbox
) -> None:
    someone = person()
    Visitor(**{"accept-language": "ja"}).ask(someone.login_id)

    clockwork.tick()

    assert "新しいパスワード" in mailbox.to(someone.email)[0]["Subject"]


@pytest.mark.parametrize("spelt", ["{email}", "  {EMAIL} ", "{login_id}"])
def test_people_are_found_by_login_id_or_verified_address_however_they_type_it(
    person: Callable[..., Any], mailbox: Mailbox, spelt: str
) -> None:
    someone = person()
    typed = spelt.format(
        email=someone.email, EMAIL=someone.email.upper(), login_id=someone.login_id
    )
    Visitor().ask(typed)

    clockwork.tick()

    assert len(mailbox.to(someone.email)) == 1


def test_an_address_of_two_accounts_gets_a_link_for_each(
    person: Callable[..., Any], mailbox: Mailbox
) -> None:
    """Loaded accounts may share an address."""
    one = person(email="both@example.com")
    other = person(email="both@example.com")
    Visitor().ask("both@example.com")

    clockwork.tick()

    texts = [text_of(mail) for mail in mailbox.to("both@example.com")]
    assert len(texts) == 2
    assert one.login_id in texts[0]
    assert other.login_id in texts[1]


def test_an_address_that_was_never_verified_gets_nothing(
    person: Callable[..., Any], mailbox: Mailbox
) -> None:
    someone = person(email_verified_at=None)
    Visitor().ask(someone.email)
    Visitor().ask(someone.login_id)

    clockwork.tick()

    assert mailbox.mails == []


def test_the_answer_is_the_same_for_a_stranger(
    person: Callable[..., Any], mailbox: Mailbox, staff: Callable[..., Any]
) -> None:
    """Fault 62: neither text, status, redirect, cookies' names nor the work of the page tells."""
    colleague = staff("support")
    answers = []
    for who in (
        person().login_id,
        person(password="").email,
        "nobody@example.com",
        "?",
        colleague.login_id,
    ):
        visitor = Visitor()
        queries: list[str] = []
        with connection.execute_wrapper(
            lambda run, sql, params, many, context, seen=queries: (
                "SAVEPOINT" in sql or seen.append(sql.split(" VALUES ")[0]),
                run(sql, params, many, context),
            )[1]
        ):
            answer = visitor.ask(who)
        text = answer.content.decode().replace(str(answer.context["csrf_token"]), "")
        answers.append(
            (
                answer.status_code,
                answer.redirect_chain,
                text,
                sorted(visitor.client.cookies),
                queries,
            )
        )

    assert all(each == answers[0] for each in answers)


def test_staff_never_get_a_link_by_the_customers_route(
    staff: Callable[..., Any], mailbox: Mailbox
) -> None:
    """Rule 16."""
    from winddown import clock

    colleague = staff("support", email="colleague@example.com", email_verified_at=clock.now())
    for typed in (colleague.login_id, colleague.email):
        Visitor().ask(typed)

    clockwork.tick()

    assert mailbox.mails == []
    assert set(AccessRequest.objects.values_list("answer", flat=True)) == {"nobody"}
    with pytest.raises(DatabaseError, match="no link to recover"), transaction.atomic():
        OneTimeLink.objects.create(
            purpose="recover", user=colleague, issued_at=clock.now(), channel="email"
        )


# --- the stock trap and its kin -----------------------------------------------------------------


def test_whoever_lost_the_password_in_a_mass_reset_gets_back_in(
    person: Callable[..., Any], done: Callable[..., Any], mailed: Callable[[User], str]
) -> None:
    """Rule 10: Django's own form would send nothing to an unusable password."""
    someone, browser = person(), Visitor()
    done("reset-all-passwords")
    someone.refresh_from_db()
    assert not someone.has_usable_password()

    browser.open(mailed(someone))
    browser.choose(NEW)

    assert browser.signs_in(someone.login_id, NEW)


def test_the_password_that_the_reset_took_away_is_refused_and_the_link_still_lives(
    person: Callable[..., Any], done: Callable[..., Any], mailed: Callable[[User], str]
) -> None:
    """Rule 11."""
    someone, browser = person(), Visitor()
    done("reset-all-passwords")
    browser.open(mailed(someone))

    again = browser.choose(OLD)

    assert again.status_code == 200
    assert "used for the account before" in again.content.decode()
    assert browser.choose(NEW).status_code == 302


def test_a_link_asked_for_between_fence_and_sweep_survives_the_sweep(
    person: Callable[..., Any], started: Callable[..., Any], mailed: Callable[[User], str]
) -> None:
    someone, browser = person(), Visitor()
    run = started("reset-all-passwords")
    link = mailed(someone)
    factories.worked_off(run)

    browser.open(link)
    browser.choose(NEW)

    assert browser.signs_in(someone.login_id, NEW)


def test_whoever_only_had_an_external_login_chooses_a_first_password_by_mail(
    person: Callable[..., Any], done: Callable[..., Any], mailed: Callable[[User], str]
) -> None:
    """Rule 14: also, and above all, while the provider is suspended."""
    someone, browser = person(provider="line", password=""), Visitor()
    done("suspend-external-login", providers=["line"])

    browser.open(mailed(someone))
    browser.choose(NEW)

    assert browser.signs_in(someone.login_id, NEW)


# --- dead links ---------------------------------------------------------------------------------


def dead(link: str) -> bool:
    """The link shows the page that says so, and a password sent all the same changes nothing."""
    browser, before = Visitor(), list(User.objects.order_by("pk").values_list("password"))
    shown = browser.open(link)
    refused = browser.choose("one more quite different sentence")
    unchanged = list(User.objects.order_by("pk").values_list("password")) == before
    return shown.status_code == refused.status_code == 410 and unchanged


def test_a_link_works_once(person: Callable[..., Any], mailed: Callable[[User], str]) -> None:
    link, browser = mailed(person()), Visitor()
    browser.open(link)
    browser.choose(NEW)

    assert dead(link)


def test_opening_a_link_does_not_use_it(
    person: Callable[..., Any], mailed: Callable[[User], str]
) -> None:
    """Mail scanners open every link before its reader does."""
    link, browser = mailed(person()), Visitor()
    for _ in range(3):
        Visitor().open(link)

    browser.open(link)

    assert browser.choose(NEW).status_code == 302


def test_a_link_lives_15_minutes_of_the_programmes_clock(
    rehearsal_clock: Any, person: Callable[..., Any], mailed: Callable[[User], str]
) -> None:
    someone = person()
    rehearsal_clock.travel(rehearsal_clock.now(), frozen=True)
    link = mailed(someone)
    sent_at = rehearsal_clock.now()

    rehearsal_clock.travel(sent_at + links.VALID_FOR - dt.timedelta(microseconds=1), frozen=True)
    assert Visitor().open(link).status_code == 200

    rehearsal_clock.travel(sent_at + links.VALID_FOR, frozen=True)
    assert dead(link)


def test_a_link_dies_with_every_change_of_the_password(
    person: Callable[..., Any], mailed: Callable[[User], str]
) -> None:
    someone = person()
    first, second = mailed(someone), mailed(someone)
    browser = Visitor()
    browser.open(second)
    browser.choose(NEW)

    assert dead(first)


def test_a_link_dies_with_a_change_of_the_address(
    person: Callable[..., Any], mailed: Callable[[User], str]
) -> None:
    someone = person()
    link = mailed(someone)
    User.objects.filter(pk=someone.pk).update(email="elsewhere@example.com")

    assert dead(link)


def test_a_link_dies_with_the_fence(
    person: Callable[..., Any], started: Callable[..., Any], mailed: Callable[[User], str]
) -> None:
    """Rule 9: from the commit on, before any sweep."""
    link = mailed(person())
    started("reset-all-passwords")

    assert dead(link)


def test_a_link_dies_with_the_account(
    person: Callable[..., Any], mailed: Callable[[User], str]
) -> None:
    someone = person()
    link = mailed(someone)
    User.objects.filter(pk=someone.pk).update(is_active=False)

    assert dead(link)


@pytest.mark.parametrize("end", ["another digit", "", "x" * 43, "ä"])
def test_a_token_that_was_changed_opens_nothing(
    person: Callable[..., Any], mailed: Callable[[User], str], end: str
) -> None:
    link = mailed(person()).rstrip("/")
    if end == "another digit":
        end = link[-43:-1] + ("1" if link[-1] == "0" else "0")
    assert dead(f"{link[:-43]}{end}/")


def test_the_database_refuses_the_use_of_a_dead_link_to_every_writer(
    person: Callable[..., Any], started: Callable[..., Any], mailed: Callable[[User], str]
) -> None:
    mailed(person())
    started("reset-all-passwords")

    with pytest.raises(DatabaseError, match="is dead"), transaction.atomic():
        OneTimeLink.objects.update(used_at=dt.datetime.now(dt.UTC))
    for change in ("used_at = NULL, issued_at = now() + interval '1 day'", "user_id = user_id + 1"):
        with pytest.raises(DatabaseError, match="kept as it is"), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"UPDATE accounts_onetimelink SET {change}")


def test_an_account_gets_three_links_an_hour(
    person: Callable[..., Any], mailbox: Mailbox, rehearsal_clock: Any
) -> None:
    someone = person()
    for _ in range(5):
        Visitor().ask(someone.login_id)
    clockwork.tick()
    assert len(mailbox.to(someone.email)) == 3

    rehearsal_clock.travel(rehearsal_clock.now() + dt.timedelta(hours=1, seconds=1))
    Visitor().ask(someone.login_id)
    clockwork.tick()
    assert len(mailbox.to(someone.email)) == 4


def test_whoever_asks_too_often_gets_the_same_answer_and_nothing_is_written(
    person: Callable[..., Any], mailbox: Mailbox
) -> None:
    someone = person()
    answers = {Visitor().ask(someone.login_id).status_code for _ in range(8)}

    assert answers == {200}
    assert AccessRequest.objects.count() == 5


# --- the host that a visitor names ---------------------------------------------------------------


def test_the_link_names_our_site_whatever_host_the_request_named(
    person: Callable[..., Any], mailbox: Mailbox, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    someone = person()
    Visitor().ask(
        someone.login_id,
        headers={"host": "evil.example", "x-forwarded-host": "evil.example"},
    )

    clockwork.tick()

    (mail,) = mailbox.to(someone.email)
    assert "evil" not in text_of(mail)
    assert link_in(mail).startswith(settings.SITE_URL)


def test_a_host_that_is_not_ours_is_not_answered(
    person: Callable[..., Any], mailbox: Mailbox
) -> None:
    answer = Visitor().ask(person().login_id, headers={"host": "evil.example"})

    assert answer.status_code == 400
    assert not AccessRequest.objects.exists()


# --- a mail server or a broker that is down ------------------------------------------------------


def test_the_page_answers_and_the_mail_is_sent_later_when_nobody_takes_mail(
    person: Callable[..., Any], settings: Any
) -> None:
    someone = person()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 1
    settings.EMAIL_HOST, settings.EMAIL_USE_TLS = "127.0.0.1", False
    settings.EMAIL_USE_SSL = False
    assert Visitor().ask(someone.login_id).status_code == 200
    clockwork.tick()
    assert Message.objects.get().attempts == 0

    with mail_server(settings) as mailbox:
        clockwork.tick()
        (mail,) = mailbox.to(someone.email)

    # Its 15 minutes began with the sending, not with the request.
    assert Visitor().open(link_in(mail)).status_code == 200
    sent = Message.objects.get()
    assert sent.sent_at is not None
    assert sent.to_sealed is None


def test_the_page_answers_without_a_broker(
    person: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    from celery import Celery, current_app

    away = Celery(broker="redis://127.0.0.1:1/0", set_as_current=False)
    away.conf.task_publish_retry_policy = current_app.conf.task_publish_retry_policy
    monkeypatch.setattr(outbox, "current_app", away)

    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        assert Visitor().ask(person().login_id).status_code == 200

    assert outbox.wake in callbacks


def test_what_a_killed_sender_had_leased_goes_out_when_its_lease_is_over(
    person: Callable[..., Any], mailbox: Mailbox
) -> None:
    someone = person()
    Visitor().ask(someone.login_id)
    access_requests.answer_due()
    (leased,) = outbox._claim(10)

    clockwork.tick()
    assert mailbox.mails == []

    Message.objects.update(lease_until=dt.datetime.now(dt.UTC))
    clockwork.tick()
    (mail,) = mailbox.to(someone.email)
    assert leased.key.hex in mail["Message-ID"]
    clockwork.tick()
    assert len(mailbox.mails) == 1


def test_a_refused_mailbox_is_given_up_and_the_others_get_theirs(
    person: Callable[..., Any], mailbox: Mailbox
) -> None:
    one, other = person(), person()
    mailbox.refused.add(one.email)
    for someone in (one, other):
        Visitor().ask(someone.login_id)

    clockwork.tick()

    assert len(mailbox.mails) == 1
    assert Message.objects.get(user=one).given_up_at is not None


def test_a_request_that_cannot_be_answered_does_not_stand_before_the_others(
    person: Callable[..., Any], mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone = person()
    Visitor().ask("poison@example.com")
    Visitor().ask(someone.login_id)
    answer = by_link.answer

    def fails(request: AccessRequest, typed: str) -> AccessRequest.Answer:
        if typed.startswith("poison"):
            raise ZeroDivisionError
        return answer(request, typed)

    monkeypatch.setitem(access_requests.ANSWERS.entries, "recover", fails)
    clockwork.tick()

    assert len(mailbox.to(someone.email)) == 1
    assert AccessRequest.objects.get(answer="failed").answered_at is not None


def test_nothing_that_identifies_anybody_stands_in_plain(
    person: Callable[..., Any], mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Rule 65: not in the requests, the links, the messages, nor in any log line."""
    someone = person()
    Visitor().ask(someone.email)
    clockwork.tick()
    token = link_in(mailbox.mails[0]).rstrip("/").rpartition("/")[2]

    with connection.cursor() as cursor:
        for table in ("accessrequest", "onetimelink", "message"):
            cursor.execute(f"SELECT t::text FROM accounts_{table} t")
            stored = str(cursor.fetchall())
            for secret in (someone.email, token, token.partition("-")[2]):
                assert secret not in stored
                assert secret.encode().hex() not in stored
    assert someone.email not in caplog.text
    assert token not in caplog.text
    assert cases.STAGE  # the module is loaded: its answers are registered too


# --- what a link says of itself -----------------------------------------------------------------


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """All that is logged, as our own formatters write it and as any other would."""
    written: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(f"{record.getMessage()} {vars(record)}")

    keeper = Keeper()
    logging.getLogger().addHandler(keeper)
    yield written
    logging.getLogger().removeHandler(keeper)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "OPTIONS", "TRACE", "NONSENSE"])
@pytest.mark.parametrize("more", [{}, {"CONTENT_TYPE": "text/plain; charset=utf-7"}])
def test_a_living_token_never_reaches_a_log(
    method: str,
    more: dict[str, str],
    person: Callable[..., Any],
    mailed: Callable[[User], str],
    lines: list[str],
) -> None:
    path = urlsplit(mailed(person())).path
    token = path.rstrip("/").rpartition("/")[2]
    lines.clear()
    for address in (path, path.rstrip("/"), f"{path}more/", f"{path}?a=b"):
        browser = Client(enforce_csrf_checks=True, raise_request_exception=False)
        browser.generic(method, address, **more)
    assert token not in "".join(lines)
    assert OneTimeLink.objects.get().used_at is None


def test_a_server_logs_no_token_either() -> None:
    said = logging.makeLogRecord({"msg": '"HEAD /recovery/link/abc-DEF_1/ HTTP/1.1" 200'})
    for formatter in (JsonFormatter(), TextFormatter("%(message)s")):
        assert "abc" not in formatter.format(said)
        assert "/recovery/link/" in formatter.format(said)


def test_a_link_signs_nobody_out_who_opens_it(
    person: Callable[..., Any], mailed: Callable[[User], str], visitor: Callable[..., Visitor]
) -> None:
    owner, reader = person(), visitor()
    assert reader.signs_in(person().login_id, OLD)
    url = mailed(owner)

    for dead in ("/recovery/link/x/", f"{url[:-3]}zz/", "/recovery/link/%00/"):
        assert reader.client.get(urlsplit(dead).path).status_code in (404, 410)
    assert is_signed_in(reader.client)
    assert reader.open(url).status_code == 200
    assert is_signed_in(reader.client)
    # A dead link does not take a living one out of the hand.
    reader.open("/recovery/link/x/")
    assert reader.choose(NEW).status_code == 302
    assert visitor().signs_in(owner.login_id, NEW)
