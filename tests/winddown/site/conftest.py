"""Shared by the tests of the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

# Imported because it fills the registries of pages, as it does before every request.
import config.urls  # noqa: F401
from tests import factories
from tests.signing_in import open_session
from winddown import clock
from winddown.site import money_table


@pytest.fixture
def fresh_figures(database: Any) -> None:
    """This test shows no count of an earlier test."""
    money_table.forget()


@pytest.fixture
def signed_in() -> Callable[..., Client]:
    """`signed_in(person)` is a browser in which that person is signed in and reads English."""

    def sign_in(person: Any, *, language: str = "en") -> Client:
        browser = Client(headers={"accept-language": language})
        open_session(browser, person)
        return browser

    return sign_in


@pytest.fixture
def auditor(staff: Callable[..., Any], programme: Any) -> Any:
    return staff("auditor", display_name="Ito")


@pytest.fixture
def browser(auditor: Any, signed_in: Callable[..., Client]) -> Client:
    return signed_in(auditor)


@pytest.fixture
def holder(programme: Any) -> Any:
    """A customer with a wallet that was frozen and held."""
    wallet = factories.make_wallet(paid_minor=12_345, bonus_minor=50)
    account = wallet.account
    account.login_id = "hanako@example.jp"
    account.email = "hanako@example.jp"
    account.email_verified_at = clock.now()
    account.phone = "090-1234-5678"
    account.display_name = "Suzuki Hanako"
    account.account_ref = "REF-77"
    account.save()
    return factories.bring_to(wallet, "held")
