"""A claim is secured when no thief can use its account any more."""

from __future__ import annotations

from accounts.models import CredentialFence
from refunds.claims import holding
from tests import factories
from tests.refunds.claims.scene import Scene


def test_the_standing_fence_secures_the_claims_that_were_compromised_before_it(
    scene: Scene,
) -> None:
    """The system does it, which holds no permission."""
    (claim,) = scene.confirmed(scene.victim(30_000))
    assert holding.secure_by_fence() == 0
    scene.at(2019, 7, 5, 9)
    maker, checker = (factories.make_staff("incident_commander") for _ in range(2))
    factories.started_run("reset-all-passwords", maker=maker, checker=checker)
    fence = CredentialFence.objects.get()
    assert [holding.secure_by_fence() for _ in range(2)] == [1, 0]
    claim.refresh_from_db(fields=["secured_at"])
    assert claim.secured_at == fence.not_before
