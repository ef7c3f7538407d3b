"""A member of staff without a second factor, and a customer with one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.sign_in import second_factor
from tests.accounts.conftest import OLD


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
