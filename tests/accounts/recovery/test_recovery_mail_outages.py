"""The recovery answers while the mail server or the broker is down, and the mail goes out later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from accounts import outbox
from accounts.models import AccessRequest, Message
from accounts.recovery import access_requests, by_link
from tests.accounts.mail_server import Mailbox, link_in, mail_server
from tests.accounts.recovery.visiting import Visitor
from winddown.runs import clockwork

pytestmark = pytest.mark.django_db


def test_the_page_answers_while_the_mail_server_is_down_and_the_mail_goes_later(
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


def test_the_page_answers_whatever_is_wrong_with_the_broker(
    person: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    from celery import Celery

    nowhere = Celery(broker="nowhere://", set_as_current=False)
    monkeypatch.setattr(outbox, "current_app", nowhere)

    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        assert Visitor().ask(person().login_id).status_code == 200

    assert outbox.wake in callbacks


def test_a_message_leased_by_a_killed_sender_is_sent_after_its_lease(
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


def test_a_refused_mailbox_is_given_up_and_the_others_get_their_mail(
    person: Callable[..., Any], mailbox: Mailbox
) -> None:
    one, other = person(), person()
    mailbox.refused.add(one.email)
    for someone in (one, other):
        Visitor().ask(someone.login_id)

    clockwork.tick()

    assert len(mailbox.mails) == 1
    assert Message.objects.get(user=one).given_up_at is not None


def test_a_request_that_cannot_be_answered_does_not_delay_the_others(
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
