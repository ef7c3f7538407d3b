"""A link that was used is dead by itself, also where its use changed nothing else of the account.
It serves its own purpose only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from accounts import addresses
from accounts.errors import LinkDead
from accounts.models import OneTimeLink, User
from accounts.recovery import by_link, links
from tests.accounts.conftest import NEW
from tests.accounts.recovery.visiting import disabled_before
from winddown import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def living(staff: Callable[..., Any]) -> OneTimeLink:
    """A link by which a browser becomes known: the password and the address stay as they are."""
    someone = staff("support", email="staff@example.com", email_verified_at=clock.now())
    address = addresses.channel_of(someone)
    assert address is not None
    link = links.issue("browser", address=address, user=someone)
    links.hand_over(link)
    link.refresh_from_db()
    assert links.lives(link)
    return link


@pytest.fixture
def used(living: OneTimeLink) -> OneTimeLink:
    with transaction.atomic():
        return links.use(living)


def test_a_used_link_does_not_live(used: OneTimeLink) -> None:
    assert not links.lives(used)
    with pytest.raises(LinkDead), transaction.atomic():
        links.use(used)


def test_the_database_refuses_a_second_use_alone(
    used: OneTimeLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DatabaseError, match="kept as it is"), transaction.atomic():
        OneTimeLink.objects.filter(pk=used.pk).update(used_at=clock.now())
    monkeypatch.setattr(links, "lives", lambda _: True)
    with pytest.raises(DatabaseError, match="kept as it is"), transaction.atomic():
        links.use(used)


def test_a_link_that_dies_just_before_its_use_opens_nothing(living: OneTimeLink) -> None:
    owner = User.objects.get(pk=living.user_id)
    dies = disabled_before('UPDATE "accounts_onetimelink"', owner)
    with dies, pytest.raises(LinkDead), transaction.atomic():
        links.use(living)

    assert OneTimeLink.objects.get().used_at is None


def test_a_link_serves_its_own_purpose_only(living: OneTimeLink, switches: None) -> None:
    with pytest.raises(AssertionError):
        links.address_for(living)
    address = addresses.understood("new@example.com")
    assert address is not None
    sign_up = links.issue("sign_up", address=address)
    links.hand_over(sign_up)
    with pytest.raises(AssertionError):
        by_link.choose_password(sign_up, NEW)

    assert not OneTimeLink.objects.exclude(used_at=None).exists()
