"""A visitor's network is the address that our own proxies saw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import RequestFactory

from accounts.sign_in.origins import network_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def came(rf: RequestFactory, settings: Any) -> Callable[..., str | None]:
    """`came(1, "1.2.3.4, 5.6.7.8")` is the visitor's address behind one proxy of ours."""

    def address(proxies: int, forwarded: str = "", *, seen: str = "192.0.2.1") -> str | None:
        settings.TRUSTED_PROXIES = proxies
        more = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
        return network_of(rf.get("/", REMOTE_ADDR=seen, **more))

    return address


def test_an_address_that_the_visitor_claims_is_never_believed(
    came: Callable[..., str | None],
) -> None:
    assert came(0, "198.51.100.7") == "192.0.2.1"
    assert came(1, "198.51.100.7, 203.0.113.9") == "203.0.113.9"
    assert came(2, "198.51.100.7, 203.0.113.9, 10.0.0.1") == "203.0.113.9"
    assert came(2, "203.0.113.9") == "192.0.2.1", "it came past the proxies"
    assert came(1) == "192.0.2.1"


def test_an_invalid_address_gives_no_network(came: Callable[..., str | None]) -> None:
    assert came(1, "203.0.113.9, <script>") is None
    assert came(0, seen="") is None


def test_one_address_has_one_spelling(came: Callable[..., str | None]) -> None:
    assert came(0, seen="::ffff:203.0.113.9") == "203.0.113.9"
    assert came(0, seen="2001:DB8::0001") == "2001:db8::1"
    assert came(0, seen="fe80::1%eth0") == "fe80::1"
