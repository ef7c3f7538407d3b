"""What the tests of the pages share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

# Imported for what it adds to the registries of pages, as every request finds it.
import config.urls  # noqa: F401
from tests.signing_in import open_session
from winddown.site import money_table


@pytest.fixture
def fresh_figures(database: Any) -> None:
    """No count of an earlier test is shown in this one."""
    money_table.forget()


@pytest.fixture
def signed_in() -> Callable[..., Client]:
    """`signed_in(person)` is a browser in which that person is signed in and reads English."""

    def sign_in(person: Any, *, language: str = "en") -> Client:
        browser = Client(headers={"accept-language": language})
        open_session(browser, person)
        return browser

    return sign_in
