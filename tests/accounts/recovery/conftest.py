"""A mail server, the two people who work on a recovery case, and a customer who cannot sign in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from tests.accounts.mail_server import Mailbox, link_in
from tests.accounts.recovery.visiting import Visitor
from winddown.runs import clockwork


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


@pytest.fixture
def helper(staff: Callable[..., Any]) -> Any:
    return staff("support")


@pytest.fixture
def supervisor(staff: Callable[..., Any]) -> Any:
    return staff("fraud_supervisor")


@pytest.fixture
def locked_out(person: Callable[..., Any]) -> Any:
    """A customer whose old address is no longer read."""
    return person(email="old@example.com")
