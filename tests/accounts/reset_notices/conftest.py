"""Fixtures of the notices: a mail server, people with addresses, a running reset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import factories
from tests.accounts.reset_notices.sending import (
    RESET,
)
from tests.mail import MailServer
from winddown import clock
from winddown.models import Run


@pytest.fixture
def mail(tmp_path: Path, settings: Any) -> Any:
    """A mail server, and the settings that lead to it."""
    with MailServer(tmp_path / "mail") as server:
        settings.EMAIL_BACKEND = "winddown.mail.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_USE_TLS, settings.EMAIL_TIMEOUT = False, 10
        settings.DEFAULT_FROM_EMAIL = "Test <notices@service.example>"
        yield server


@pytest.fixture
def people(switches: None) -> Any:
    """`people(3, "refused")` are three customers with addresses like refused7@example.com."""

    def make(number: int, word: str = "p", **fields: Any) -> list[Any]:
        return [
            factories.make_customer(
                email=f"{word}{factories.unique('x')}@example.com",
                email_verified_at=clock.now(),
                password="argon2$old",
                password_set_at=clock.now(),
                **fields,
            )
            for _ in range(number)
        ]

    return make


@pytest.fixture
def reset(two: Any) -> Any:
    """`reset()` is a running run of which no row was moved."""

    def start(**params: Any) -> Run:
        return factories.started_run(RESET, maker=two[0], checker=two[1], params=params)

    return start
