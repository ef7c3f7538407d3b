"""A customer gets back in by a link that is mailed to the verified address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import AccessRequest, OneTimeLink, Session, User
from accounts.recovery import cases
from tests import factories
from tests.accounts.conftest import NEW, OLD
from tests.accounts.mail_server import Mailbox, link_in, text_of
from tests.accounts.recovery.visiting import Visitor
from winddown.evidence import invariants
from winddown.runs import clockwork

pytestmark = pytest.mark.django_db


def test_a_customer_asks_for_a_link_sets_a_password_and_signs_in(
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
    # The URL of the page on which the password is typed contains no token.
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


def test_the_mail_is_in_the_language_of_the_request(
    person: Callable[..., Any], mailbox: Mailbox
) -> None:
    someone = person()
    Visitor(**{"accept-language": "ja"}).ask(someone.login_id)

    clockwork.tick()

    assert "新しいパスワード" in mailbox.to(someone.email)[0]["Subject"]


@pytest.mark.parametrize("spelt", ["{email}", "  {EMAIL} ", "{login_id}"])
def test_a_customer_is_found_by_login_id_or_verified_address_in_any_spelling(
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
    """Fault 62: text, status, redirect, names of cookies and queries of the page are the same."""
    colleague = staff("support")
    # The key of the house is made with the first value that is sealed under it.
    Visitor().ask("first@example.com")
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


def test_staff_never_get_a_link_for_a_new_password_from_the_page_for_customers(
    staff: Callable[..., Any], mailbox: Mailbox
) -> None:
    """Rule 16."""
    from winddown import clock

    colleague = staff("support", email="colleague@example.com", email_verified_at=clock.now())
    for typed in (colleague.login_id, colleague.email):
        Visitor().ask(typed)

    clockwork.tick()

    assert set(OneTimeLink.objects.values_list("purpose", flat=True)) == {"browser"}
    for mail in mailbox.to("colleague@example.com"):
        browser = Visitor()
        browser.open(link_in(mail))
        browser.choose(NEW)
    assert User.objects.get(pk=colleague.pk).password == colleague.password
    with pytest.raises(DatabaseError, match="no link to recover"), transaction.atomic():
        OneTimeLink.objects.create(
            purpose="recover", user=colleague, issued_at=clock.now(), channel="email"
        )


# --- the stock trap and its kin -----------------------------------------------------------------


def test_a_customer_whose_password_a_mass_reset_removed_gets_back_in(
    person: Callable[..., Any], done: Callable[..., Any], mailed: Callable[[User], str]
) -> None:
    """Rule 10: Django's own form sends nothing to an account with an unusable password."""
    someone, browser = person(), Visitor()
    done("reset-all-passwords")
    someone.refresh_from_db()
    assert not someone.has_usable_password()

    browser.open(mailed(someone))
    browser.choose(NEW)

    assert browser.signs_in(someone.login_id, NEW)


def test_the_removed_password_is_refused_and_the_link_stays_valid(
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


def test_a_link_requested_after_the_fence_survives_the_batches(
    person: Callable[..., Any], started: Callable[..., Any], mailed: Callable[[User], str]
) -> None:
    someone, browser = person(), Visitor()
    run = started("reset-all-passwords")
    link = mailed(someone)
    factories.worked_off(run)

    browser.open(link)
    browser.choose(NEW)

    assert browser.signs_in(someone.login_id, NEW)


def test_a_customer_with_only_an_external_login_sets_a_first_password_by_mail(
    person: Callable[..., Any], done: Callable[..., Any], mailed: Callable[[User], str]
) -> None:
    """Rule 14: this works while the provider is suspended."""
    someone, browser = person(provider="line", password=""), Visitor()
    done("suspend-external-login", providers=["line"])

    browser.open(mailed(someone))
    browser.choose(NEW)

    assert browser.signs_in(someone.login_id, NEW)


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


def test_a_request_that_names_a_foreign_host_is_refused(
    person: Callable[..., Any], mailbox: Mailbox
) -> None:
    answer = Visitor().ask(person().login_id, headers={"host": "evil.example"})

    assert answer.status_code == 400
    assert not AccessRequest.objects.exists()


def test_no_personal_data_is_stored_or_logged_in_plain(
    person: Callable[..., Any], mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Rule 65: this holds for the requests, the links, the messages and every log line."""
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
