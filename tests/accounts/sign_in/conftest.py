"""A member of staff without a second factor, a customer with one, and one with another service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.sign_in import second_factor
from tests.accounts.conftest import OLD
from tests.accounts.oidc_provider import Provider


@pytest.fixture
def officer(staff: Callable[..., Any], programme: Any) -> Any:
    """A member of staff with a password and no second factor."""
    person = staff("incident_commander")
    person.set_password(OLD)
    person.save()
    return person


@pytest.fixture
def protected(person: Callable[..., Any]) -> Any:
    """A customer with an authenticator app."""
    someone = person()
    second_factor.add_app(someone)
    return someone


@pytest.fixture
def linked(person: Callable[..., Any], provider: Provider) -> Any:
    """A customer whom the provider names."""
    someone = person(provider="line")
    provider.subject = someone.login_id
    return someone
