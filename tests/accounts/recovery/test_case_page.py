"""The page of a recovery case says what can be decided, and what is missing."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from accounts.recovery import case_page
from accounts.recovery.case_page import SHOWN_MAX, Queue
from tests.accounts.recovery.casework import collecting, console
from winddown import clock

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("kinds", "refused"),
    [
        ([], {"propose": "It takes 2 proofs of different kinds; there are 0."}),
        (["call_back"], {"propose": "It takes 2 proofs of different kinds; there are 1."}),
        (["call_back", "card_last4"], {}),
    ],
)
def test_a_proposal_waits_for_two_proofs(
    kinds: list[str], refused: dict[str, str], helper: Any
) -> None:
    seen = case_page.look(collecting(helper, *kinds), actor=helper)

    assert [each.verb for each in seen.decisions] == ["proof", "propose", "decline", "contact"]
    with translation.override("en"):
        assert {each.verb: str(each.refused) for each in seen.decisions if each.refused} == refused


def test_each_decision_has_a_page_of_its_own(helper: Any) -> None:
    place, browser = f"/console/recovery/{collecting(helper).pk}/", console(helper)

    for verb in ("proof", "propose", "decline"):
        assert browser.get(f"{place}{verb}/").context["decision"].verb == verb
    assert browser.get(f"{place}take/")["Location"] == place, "it was taken already"


@pytest.mark.parametrize(("beyond", "more"), [(0, False), (1, True)])
def test_the_queue_has_another_page_for_the_cases_that_are_left(beyond: int, more: bool) -> None:
    for page in (1, 2):
        total = page * SHOWN_MAX + beyond
        assert Queue(at=clock.now(), cases=[], total=total, page=page).more is more
