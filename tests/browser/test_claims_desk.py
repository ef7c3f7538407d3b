"""The pages of the claims desk and of the issuer desk in a real browser, with a case under way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from refunds.remedies import chargebacks
from tests.browser import places
from tests.browser.checks import look_through
from tests.browser.conftest import entering, known, served
from tests.refunds.claims.conftest import scene
from tests.refunds.claims.scene import Scene, jst
from wallets.models import Payment

__all__ = ["scene"]
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser claims")]


@pytest.fixture
def site(own_database: Any, scene: Scene, staff: Any, tmp_path: Path) -> Iterator[Any]:
    def populate() -> dict[str, Any]:
        from accounts.sign_in import second_factor
        from refunds.claims import losses

        people = {
            role: known(staff(role)) for role in ("fraud_analyst", "fraud_supervisor", "support")
        }
        scene.confirmed(scene.victim(30_000, spent=30_000))
        scene.asked()
        (claim,) = scene.reported(scene.victim(20_000, spent=23_000, own=9_000))
        losses.name_losses(
            [(claim, Payment.objects.latest("pk"))], actor=scene.analyst, reason="test"
        )
        chargebacks.register(
            scene.issuer,
            chargeback_ref="CB-1",
            scheme="visa",
            scheme_reason="10.4",
            amount_minor=20_000,
            due_at=jst(2019, 8, 1, 12),
            arn="12345678",
            actor=scene.analyst,
            reason="test",
        )
        return {
            "claim": claim.pk,
            "secrets": {each.login_id: second_factor.add_app(each) for each in people.values()},
            "people": {role: each.login_id for role, each in people.items()},
        }

    log = tmp_path / "web.log"
    with served(own_database, log, populate) as (address, made):
        yield SimpleNamespace(address=address, log=log, **made)


def test_the_pages_of_claims_and_issuers_fit_and_are_accessible(
    site: Any, open_browser: Callable[..., Any], long_form: bool
) -> None:
    for role, addresses in places.of_claims(claim=site.claim).items():
        enter = entering(site, site.people[role])
        look_through(open_browser, enter, addresses, long_form=long_form)
