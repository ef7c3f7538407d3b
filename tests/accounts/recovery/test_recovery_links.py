"""A recovery link works once, for a short time, and its token reaches no log."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from accounts import addresses
from accounts.addresses import Address
from accounts.models import AccessRequest, OneTimeLink, User
from accounts.recovery import links
from config.log import JsonFormatter, TextFormatter
from tests.accounts.conftest import NEW, OLD
from tests.accounts.mail_server import Mailbox
from tests.accounts.recovery.visiting import Visitor, dead
from tests.signing_in import is_signed_in
from winddown import clock
from winddown.runs import clockwork

pytestmark = pytest.mark.django_db


def test_a_link_works_once(person: Callable[..., Any], mailed: Callable[[User], str]) -> None:
    link, browser = mailed(person()), Visitor()
    browser.open(link)
    browser.choose(NEW)

    assert dead(link)


def test_opening_a_link_does_not_use_it(
    person: Callable[..., Any], mailed: Callable[[User], str]
) -> None:
    """Mail scanners open every link before the reader does."""
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


@pytest.mark.parametrize("changed", ["password_set_at", "channel_changed_at"])
def test_a_link_dies_with_a_change_after_its_issue_and_not_of_its_own_instant(
    person: Callable[..., Any], mailed: Callable[[User], str], changed: str
) -> None:
    someone = person()
    mailed(someone)
    link = OneTimeLink.objects.get()

    for after, lives in ((dt.timedelta(0), True), (dt.timedelta(microseconds=1), False)):
        User.objects.filter(pk=someone.pk).update(**{changed: link.issued_at + after})
        assert links.lives(link) is lives


def test_a_link_dies_with_the_fence(
    person: Callable[..., Any], started: Callable[..., Any], mailed: Callable[[User], str]
) -> None:
    """Rule 9: it is dead from the commit on, before any batch."""
    link = mailed(person())
    started("reset-all-passwords")

    assert dead(link)


def test_the_fence_ends_the_links_of_customers_and_not_those_of_staff(
    person: Callable[..., Any], staff: Callable[..., Any], started: Callable[..., Any]
) -> None:
    """Rules 9 and 16."""
    issued = []
    for purpose, owner in (("recover", person()), ("browser", staff("support"))):
        User.objects.filter(pk=owner.pk).update(
            email="one@example.com", email_verified_at=clock.now()
        )
        address = addresses.understood("one@example.com")
        assert address is not None
        link = links.issue(purpose, address=address, user=owner)
        links.hand_over(link)
        issued.append(link)
    assert [links.lives(each) for each in issued] == [True, True]

    started("reset-all-passwords")

    assert [links.lives(each) for each in issued] == [False, True]


def test_a_link_dies_with_the_account(
    person: Callable[..., Any], mailed: Callable[[User], str]
) -> None:
    someone = person()
    link = mailed(someone)
    User.objects.filter(pk=someone.pk).update(is_active=False)

    assert dead(link)


@pytest.mark.parametrize("end", ["another digit", "", "x" * 43, "ä"])
def test_a_changed_token_opens_nothing(
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
    answers = AccessRequest.objects.order_by("pk").values_list("answer", flat=True)
    assert list(answers) == ["links"] * 3 + ["too_many"] * 2

    rehearsal_clock.travel(rehearsal_clock.now() + dt.timedelta(hours=1, seconds=1))
    Visitor().ask(someone.login_id)
    clockwork.tick()
    assert len(mailbox.to(someone.email)) == 4


def test_of_the_links_of_staff_only_those_that_may_still_work_count(
    person: Callable[..., Any], staff: Callable[..., Any], rehearsal_clock: Any
) -> None:
    customer, colleague = person(), staff("support")
    for purpose, owner in (("recover", customer), ("browser", colleague)):
        for _ in range(links.LINKS_PER_HOUR_MAX):
            assert not links.too_many(owner)
            links.issue(purpose, address=Address("email", "a@example.com"), user=owner)
        assert links.too_many(owner)

    rehearsal_clock.travel(rehearsal_clock.now() + links.VALID_FOR, frozen=True)

    assert links.too_many(customer)
    assert not links.too_many(colleague)


def test_a_visitor_who_asks_too_often_gets_the_same_answer_and_leaves_no_row(
    person: Callable[..., Any], mailbox: Mailbox
) -> None:
    someone = person()
    answers = {Visitor().ask(someone.login_id).status_code for _ in range(8)}

    assert answers == {200}
    assert AccessRequest.objects.count() == 5


# --- what a link says of itself -----------------------------------------------------------------


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """All log lines, as our own formatters write them and as any other would."""
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


def test_the_log_formatters_hide_the_token_in_a_url() -> None:
    said = logging.makeLogRecord({"msg": '"HEAD /recovery/link/abc-DEF_1/ HTTP/1.1" 200'})
    for formatter in (JsonFormatter(), TextFormatter("%(message)s")):
        assert "abc" not in formatter.format(said)
        assert "/recovery/link/" in formatter.format(said)


def test_opening_a_link_signs_nobody_out(
    person: Callable[..., Any], mailed: Callable[[User], str], visitor: Callable[..., Visitor]
) -> None:
    owner, reader = person(), visitor()
    assert reader.signs_in(person().login_id, OLD)
    url = mailed(owner)

    for broken in ("/recovery/link/x/", f"{url[:-3]}zz/", "/recovery/link/%00/"):
        assert reader.client.get(urlsplit(broken).path).status_code in (404, 410)
    assert is_signed_in(reader.client)
    assert reader.open(url).status_code == 200
    assert is_signed_in(reader.client)
    # Opening a dead link does not forget a living one.
    reader.open("/recovery/link/x/")
    assert reader.choose(NEW).status_code == 302
    assert visitor().signs_in(owner.login_id, NEW)
