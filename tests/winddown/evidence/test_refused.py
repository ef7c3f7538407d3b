"""The journal says who was not permitted what, and no customer fills it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from winddown.actors import SYSTEM
from winddown.errors import GuardNotMet, NotPermitted, WinddownError
from winddown.evidence import refused
from winddown.models import AuditEntry

pytestmark = pytest.mark.usefixtures("database")

NOT_PERMITTED = NotPermitted(actor=1, action="act", permission="some")


@pytest.mark.parametrize(
    ("refusal", "entries"),
    [(NOT_PERMITTED, 1), (GuardNotMet(action="act", why="it is too early"), 0)],
)
def test_a_refusal_that_is_noted_leaves_an_entry(
    staff: Callable[..., Any], refusal: WinddownError, entries: int
) -> None:
    refused.note(refusal, staff())
    assert AuditEntry.objects.filter(action="refused").count() == entries


def test_the_system_leaves_no_entry() -> None:
    refused.note(NOT_PERMITTED, SYSTEM)
    assert not AuditEntry.objects.exists()


def test_a_customer_leaves_a_few_entries_of_an_hour_and_staff_each_one(
    rehearsal_clock: Any, staff: Callable[..., Any], customer: Callable[..., Any]
) -> None:
    person, other = customer(), staff()
    began = rehearsal_clock.now()
    for hour in range(2):
        rehearsal_clock.travel(began + hour * refused.COUNTED, frozen=True)
        for _ in range(refused.OF_A_CUSTOMER_MAX + 1):
            refused.note(NOT_PERMITTED, person)
            refused.note(NOT_PERMITTED, other)
    of = AuditEntry.objects.values_list("actor", flat=True)
    assert of.filter(actor=person).count() == 2 * refused.OF_A_CUSTOMER_MAX
    assert of.filter(actor=other).count() == 2 * (refused.OF_A_CUSTOMER_MAX + 1)
