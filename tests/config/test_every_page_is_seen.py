"""Every address of the site is looked at in a browser, or it is said why not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from types import SimpleNamespace

from django.urls import resolve

from tests.browser import places
from tests.config.test_every_door import DOORS, PARTS


def seen() -> Iterator[str]:
    """The addresses at which the tests of tests/browser look."""
    keys = {"filing": PARTS["key"], "unwritten": PARTS["key"]}
    site = SimpleNamespace(
        **dict.fromkeys(("policy", "run", "request", "alarm", "draft", "member", "account"), 1),
        **dict.fromkeys(
            ("customer", "deputy", "compliance", "treasury", "analyst", "support", "auditor"), ""
        ),
        **keys,
    )
    for _who, found in places.of_the_site(site):
        yield from found
    yield places.BEGIN
    yield from places.OF_RECOVERY
    yield "/recovery/link/token/"
    yield places.FIRST_PASSWORD
    yield places.NEW_PASSWORD
    for of_role in (
        places.of_recovery_cases(defaultdict(lambda: 1, opened=1)),
        places.of_refunds(application=1, batch=1, answer="0" * 64),
        places.of_application(),
        places.of_claims(claim=1),
    ):
        for found in of_role.values():
            yield from found


def test_every_page_is_looked_at_in_a_browser_or_says_why_not() -> None:
    """A new address is refused here until a browser opens it."""
    looked_at = set()
    for place in seen():
        found = resolve(place.partition("?")[0])
        looked_at.add(found.view_name or found.route)
    names = {door.name for door in DOORS}
    assert looked_at <= names
    assert names - looked_at == set(places.UNSEEN)
