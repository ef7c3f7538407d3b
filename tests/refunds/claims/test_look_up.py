"""The look-up shows a claim with its reference and the sum of its losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.config.test_every_door import browser_of
from tests.refunds.claims.scene import Scene
from winddown.templatetags.spoken import amount


def test_a_claim_is_shown_with_reference_state_and_amount(
    scene: Scene, staff: Callable[..., Any]
) -> None:
    (claim,) = scene.reported(scene.victim(30_000))
    browser = browser_of(staff("support"), headers={"accept-language": "en"})
    for typed in (claim.reference.lower(), f"account:{claim.wallet.account_id}"):
        given = {"q": typed, "reason": "the customer called"}
        answer = browser.post("/console/look-up/find/", given, follow=True)
        found = [each for each in answer.context["seen"].cards if each.subject == claim.subject]
        assert len(found) == 1, typed
    (card,) = found
    lost = sum(claim.losses.values_list("amount_minor", flat=True))
    assert lost
    assert card.state == claim.state
    said = answer.content.decode()
    for shown in (claim.reference, amount(lost, "JPY")):
        assert shown in said
