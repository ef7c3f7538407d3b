"""Celery tasks: requests are answered and messages sent, soon after they were written."""

from __future__ import annotations

from celery import shared_task

from accounts import outbox
from accounts.recovery import access_requests


@shared_task(name=outbox.SEND)
def answer_and_send() -> None:
    """Every owed answer and message is handled. The tick does the same."""
    access_requests.answer_due()
    outbox.send_due()
