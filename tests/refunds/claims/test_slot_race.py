"""Rule 17: many writers want the one slot of a loss by different routes, and one of them has it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from refunds.models import Loss, Remedy
from refunds.remedies import routes, slots
from tests.races.crowd import at_once, outcome
from tests.refunds.claims.scene import HIT_AT, Scene
from winddown import clock
from winddown.actors import SYSTEM
from winddown.evidence import audit

ROUNDS, ROUNDS_OF_THE_PROOF = 8, 200
# What can make a loss of each funding good; together the five routes.
ROUTES = {
    "credit": ("stop_debit", "issuer_refund", "chargeback_accepted", "compensation_payout"),
    "debit": ("debit_reimbursement", "issuer_refund", "chargeback_accepted", "compensation_payout"),
}


def noted(act: Callable[[], object]) -> None:
    with transaction.atomic():
        act()
        audit.append("test.race", "remedies", actor=SYSTEM)


def ways_in(loss: Loss, kinds: tuple[str, ...]) -> list[Callable[[], None]]:
    """Two writers for each route: into an empty slot, or out of the route that has it."""
    at, standing = clock.now(), list(Remedy.objects.filter(loss=loss, state="asked"))
    given = {"failure": "superseded", "at": at, "actor": SYSTEM}
    ways: list[Callable[[], object]] = []
    for kind in kinds:
        if standing:
            ways += [
                partial(slots.fall_back, standing, kind, **given),
                partial(slots.supersede, standing, kind, **given),
            ]
        else:
            ways += [partial(slots.open_routes, [(loss, kind)], at=at)] * 2
    return [partial(noted, way) for way in ways]


def test_eight_writers_by_five_routes_fill_one_slot_once(
    own_database: Any, rehearsal_clock: Any, programme: Any, long_form: bool
) -> None:
    rehearsal_clock.travel(HIT_AT, frozen=True)
    scene = Scene()
    scene.confirmed(scene.victim(30_000), scene.victim(30_000, funding="debit"))
    losses = list(Loss.objects.select_related("issuer").order_by("pk"))
    for number in range(ROUNDS_OF_THE_PROOF if long_form else ROUNDS):
        loss = losses[number % 2]
        live = Remedy.objects.filter(loss=loss).exclude(state="failed")
        taken, at = [each.pk for each in live], clock.now()
        if number % 4 > 1:
            noted(partial(slots.mark_asked, taken, at=at, actor=SYSTEM))
        else:
            noted(partial(slots.fail, taken, failure="declined", at=at, actor=SYSTEM))
        answers = at_once(*ways_in(loss, ROUTES[loss.funding]))
        assert outcome(answers) == {"RemedyTaken": 7, "done": 1}, answers
        assert live.count() == 1


@pytest.mark.parametrize(
    ("funding", "kind"), [("debit", "stop_debit"), ("credit", "debit_reimbursement")]
)
def test_a_route_of_another_funding_is_refused_in_words(
    scene: Scene, funding: str, kind: str
) -> None:
    """Rule 20."""
    scene.reported(scene.victim(30_000, funding=funding))
    with pytest.raises(routes.WrongRoute, match=f"{kind} is no route for a {funding} loss"):
        slots.open_routes([(Loss.objects.get(), kind)], at=clock.now())
    assert not Remedy.objects.exists()
