"""A link that was used is dead by itself, also where its use changed nothing else of the account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from accounts import addresses
from accounts.errors import LinkDead
from accounts.models import OneTimeLink
from accounts.recovery import links
from winddown import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def used(staff: Callable[..., Any]) -> OneTimeLink:
    """A link by which a browser became known: the password and the address stay as they were."""
    someone = staff("support", email="staff@example.com", email_verified_at=clock.now())
    address = addresses.channel_of(someone)
    assert address is not None
    link = links.issue("browser", address=address, user=someone)
    links.hand_over(link)
    link.refresh_from_db()
    assert links.lives(link)
    with transaction.atomic():
        return links.use(link)


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
    with pytest.raises((LinkDead, DatabaseError)), transaction.atomic():
        links.use(used)
