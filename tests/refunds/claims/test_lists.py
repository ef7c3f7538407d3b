"""Nobody signs many claims at once: bands by amount, lists by rule group, and a sample seen twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, transaction

# Imported because it fills the registries of pages, as it does before every request.
import config.urls  # noqa: F401
from refunds.claims import deciding, lists
from refunds.models import ClaimDecision, ClaimReview, ClaimTerms, FraudClaim
from tests import factories
from tests.config.test_every_door import browser_of
from tests.refunds.claims.scene import Scene
from tests.refunds.claims.test_claims_desk import run
from tests.unguarded import give_past_the_guards, past_the_guards
from winddown import clock
from winddown.authority import approvals
from winddown.errors import GuardNotMet, SamePerson

pytestmark = pytest.mark.django_db


def rules(sample_every: int, *bands: list[int]) -> None:
    ClaimTerms.objects.create(
        bands=list(bands), sample_every=sample_every, source="test", adopted_at=clock.now()
    )


def proposed(scene: Scene, *amounts: int) -> list[ClaimDecision]:
    wallets = [scene.victim(amount, spent=amount) for amount in amounts]
    return deciding.propose_lists(
        scene.reported(*wallets), verdict="confirm", actor=scene.analyst, reason="test"
    )


def decide(decision: ClaimDecision, actor: Any, *, approve: bool = True) -> int:
    return deciding.decide(
        decision, actor=actor, digest=decision.digest, reason="test", approve=approve
    )


def sample_of(decision: ClaimDecision) -> list[int]:
    found: list[int] = approvals.newest(decision.subject).summary["sample"]
    return found


def test_claims_are_proposed_in_lists_by_way_and_band(scene: Scene) -> None:
    rules(100, [20_000, 2], [50_000, 1])
    wallets = [scene.victim(amount) for amount in (10_000, 20_000, 15_000, 50_000, 60_000, 10_001)]
    claims = scene.reported(*wallets)
    past_the_guards(f"UPDATE refunds_fraudclaim SET channel = 'issuer' WHERE id = {claims[-1].pk}")
    found = deciding.propose_lists(claims, verdict="confirm", actor=scene.analyst, reason="test")
    told = [(each.found_by, each.up_to_minor, each.claims_count) for each in found]
    assert told == [
        ("customer", None, 1),
        ("customer", 20_000, 2),
        ("customer", 20_000, 1),
        ("customer", 50_000, 1),
        ("issuer", 20_000, 1),
    ]


def test_a_list_of_several_kinds_or_too_many_claims_is_refused(scene: Scene) -> None:
    rules(100, [20_000, 2])
    claims = scene.reported(*(scene.victim(10_000) for _ in range(3)), scene.victim(30_000))
    for chosen in (claims[:3], claims[2:]):
        with pytest.raises(GuardNotMet, match="in one way, of one band"):
            deciding.propose(chosen, verdict="confirm", actor=scene.analyst, reason="test")
    assert not ClaimDecision.objects.exists()


def test_one_of_so_many_claims_is_in_a_sample_however_the_lists_are_cut(scene: Scene) -> None:
    rules(3, [20_000, 2], [50_000, 2])
    sampled = [each.sampled for each in proposed(scene, *[10_000] * 5, *[30_000] * 3)]
    assert sampled == [0, 1, 0, 1, 0]
    assert [each.sampled for each in proposed(scene, 10_000)] == [1]


def test_the_sample_follows_from_the_stored_seed(scene: Scene) -> None:
    rules(2, [20_000, 10])
    (decision,) = proposed(scene, *[10_000] * 4)
    ids = [int(each) for each in approvals.newest(decision.subject).summary["claims"]]
    by_hash = sorted(
        ids, key=lambda each: hashlib.sha256(f"{decision.seed}:{each}".encode()).digest()
    )
    assert sample_of(decision) == sorted(by_hash[:2])
    assert lists.waiting() == sample_of(decision)
    (other,) = proposed(scene, *[10_000] * 2)
    assert other.seed != decision.seed


def test_a_list_waits_for_the_second_review_of_its_sample(scene: Scene) -> None:
    rules(2, [20_000, 10])
    (decision,) = proposed(scene, *[10_000] * 2)
    (chosen,) = FraudClaim.objects.filter(pk__in=sample_of(decision))
    other = factories.make_staff("fraud_supervisor")
    with pytest.raises(GuardNotMet, match=f"has to review {chosen.reference} first"):
        decide(decision, scene.supervisor)
    same = factories.make_staff(staff_number=scene.analyst.staff_number)
    give_past_the_guards(same, "fraud_supervisor")
    with pytest.raises(SamePerson):
        lists.review([chosen], agrees=True, actor=same, reason="mine")
    lists.review([chosen], agrees=True, actor=scene.supervisor, reason="read")
    with pytest.raises(GuardNotMet, match="another supervisor has to review"):
        decide(decision, scene.supervisor)
    assert lists.review([chosen], agrees=True, actor=other, reason="read too") == 0
    assert decide(decision, other) == 2
    assert lists.waiting() == []


def test_a_list_that_a_reviewer_doubts_goes_back(scene: Scene) -> None:
    rules(2, [20_000, 10])
    (decision,) = proposed(scene, *[10_000] * 2)
    chosen = FraudClaim.objects.filter(pk__in=sample_of(decision))
    other = factories.make_staff("fraud_supervisor")
    lists.review(chosen, agrees=False, actor=other, reason="no sign of a thief")
    with pytest.raises(GuardNotMet, match="disagrees: send it back"):
        decide(decision, scene.supervisor)
    assert decide(decision, scene.supervisor, approve=False) == 2
    with pytest.raises(GuardNotMet, match="on no list"):
        lists.review(chosen, agrees=True, actor=other, reason="after all")


def test_the_database_refuses_a_list_without_its_reviews(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules(2, [20_000, 10])
    (decision,) = proposed(scene, *[10_000] * 2)
    (chosen,) = FraudClaim.objects.filter(pk__in=sample_of(decision))
    monkeypatch.setattr(lists, "refuse_unreviewed", lambda *_args, **_kwargs: None)
    with pytest.raises(DatabaseError, match="has no second review"), transaction.atomic():
        decide(decision, scene.supervisor)
    with pytest.raises(DatabaseError, match="not for this person"), transaction.atomic():
        ClaimReview.objects.create(
            decision=decision,
            claim=chosen,
            reviewer=scene.analyst,
            agrees=True,
            reviewed_at=clock.now(),
        )
    with pytest.raises(DatabaseError, match="claim_list_within_its_band"), transaction.atomic():
        ClaimDecision.objects.create(
            verdict="confirm",
            maker=scene.analyst,
            digest="x",
            claims_count=3,
            claims_max=2,
            amount_minor=1,
            proposed_at=clock.now(),
        )


def test_a_sample_is_reviewed_by_command_and_page(scene: Scene, staff: Callable[..., Any]) -> None:
    rules(1, [20_000, 10])
    (decision,) = proposed(scene, *[10_000] * 2)
    first, second = FraudClaim.objects.filter(pk__in=sample_of(decision)).order_by("pk")
    other = staff("fraud_supervisor")
    desk = browser_of(other, headers={"accept-language": "en"})
    assert second.reference in desk.get("/console/claims/?queue=sample").content.decode()
    run("review_claims", other, claims=first.reference, finding="agrees")
    given = {"claims": second.reference, "finding": "agrees", "reason": "read"}
    for _ in range(2):
        desk.post("/console/claims/review/", given)
    assert second.reference not in desk.get("/console/claims/?queue=sample").content.decode()
    analyst = browser_of(staff("fraud_analyst"))
    assert analyst.post("/console/claims/review/", given).status_code == 403
    assert decide(decision, scene.supervisor) == 2
