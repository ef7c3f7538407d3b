"""A request for access is written whatever hinders the broker, and answered by one worker."""

from __future__ import annotations

from typing import Any

import pytest
from celery import Celery
from django.db import connection

from accounts import outbox
from accounts.models import AccessRequest
from accounts.recovery import access_requests
from tests.accounts.recovery.visiting import Visitor


def test_the_page_answers_whatever_hinders_the_broker(
    own_database: Any, switches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "current_app", Celery(broker="none://", set_as_current=False))

    assert Visitor().ask("somebody").status_code == 200
    assert AccessRequest.objects.get().answered_at is None


def test_a_request_that_another_worker_answers_is_passed_over(
    own_database: Any, switches: None
) -> None:
    access_requests.ask("recover", "somebody", language="en", network=None)

    with own_database.connect() as other, other.transaction():
        other.execute("SELECT FROM accounts_accessrequest FOR UPDATE")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '10ms'")
        assert access_requests.answer_due() == 0
    assert access_requests.answer_due() == 1
