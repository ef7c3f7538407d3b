"""A form of the recovery that is sent twice acts once."""

from __future__ import annotations

import datetime as dt
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import AccessRequest, RecoveryCase
from accounts.recovery import access_requests
from tests.accounts.recovery import casework


def form_of(browser: Client, page: str) -> dict[str, str]:
    """Returns the hidden fields of the page's form."""
    shown = browser.get(page).content.decode()
    return dict(re.findall(r'<input type="hidden" name="(once)" value="([^"]+)"', shown))


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["/recovery/", "/register/"])
def test_a_form_that_is_sent_twice_acts_once(page: str, switches: None) -> None:
    browser = Client()
    sent = {"who": "someone@example.com", **form_of(browser, page)}
    assert len(sent) == 2

    answers = [browser.post(page, sent) for _ in range(2)]

    assert [answer["Location"] for answer in answers] == ["/recovery/sent/"] * 2
    (asked,) = AccessRequest.objects.all()
    assert browser.session["access_request"] == str(asked.key)
    # Another text, and the page asked for anew, are other requests.
    browser.post(page, {**sent, "who": "other@example.com"})
    browser.post(page, {**sent, **form_of(browser, page)})
    assert AccessRequest.objects.count() == 3


@pytest.mark.django_db
def test_the_same_form_asks_again_after_ten_minutes(rehearsal_clock: Any, programme: Any) -> None:
    """A browser shows an old page when somebody goes back. No message came, so the person asks."""
    at, sent = dt.datetime(2019, 7, 3, 3, 0, tzinfo=dt.UTC), {"who": "someone", "once": "a key"}
    for minutes in (0, 10, 11, 30):
        rehearsal_clock.travel(at + dt.timedelta(minutes=minutes), frozen=True)
        Client().post("/recovery/", sent)

    assert AccessRequest.objects.count() == 3


@pytest.mark.django_db
def test_one_text_in_two_forms_of_one_key_is_two_requests(switches: None) -> None:
    sent = {"who": "someone@example.com", "once": "the same"}
    Client().post("/recovery/", sent)
    Client().post("/register/", sent)

    assert AccessRequest.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("once", ["", "\0", "x" * 100_000, "\N{GRINNING FACE}", "[" * 2_000])
def test_the_key_of_a_form_may_be_anything(once: str, switches: None) -> None:
    answer = Client().post("/recovery/", {"who": "someone", "once": once})

    assert answer.status_code in (200, 302)


@pytest.mark.django_db
def test_the_same_text_to_support_is_one_case_and_another_text_is_another(switches: None) -> None:
    for story, cases in (("lost", 1), ("lost", 1), ("stolen", 2)):
        sent = {"name": "Taro", "who": "reached@example.com", "story": story}
        assert Client().post("/recovery/help/", sent).status_code == 302
        assert RecoveryCase.objects.count() == cases


def test_a_form_that_is_sent_twice_at_once_acts_once(own_database: Any, switches: None) -> None:
    def send() -> str:
        try:
            answer = Client().post("/recovery/", {"who": "someone@example.com", "once": "a key"})
            return str(answer["Location"])
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(send) for _ in range(8)]

    assert {answer.result() for answer in answers} == {"/recovery/sent/"}
    assert AccessRequest.objects.count() == 1


def test_a_request_that_another_worker_answers_is_left_to_it(
    own_database: Any, switches: None
) -> None:
    for who in ("one", "two"):
        access_requests.ask("recover", who, language="en", network=None)
    with own_database.connect() as other, other.transaction():
        other.execute("SELECT FROM accounts_accessrequest ORDER BY id LIMIT 1 FOR UPDATE")
        assert access_requests.answer_due() == 1
    assert access_requests.answer_due() == 1


@pytest.mark.django_db
def test_the_link_of_a_case_is_asked_for_once(
    helper: Any, supervisor: Any, locked_out: Any
) -> None:
    case, browser = casework.approved(helper, supervisor, locked_out), Client()
    browser.post("/recovery/case/", {"reference": case.reference})
    sent = form_of(browser, "/recovery/case/")
    assert sent

    for _ in range(2):
        assert browser.post("/recovery/case/link/", sent).status_code == 302

    assert AccessRequest.objects.count() == 1
