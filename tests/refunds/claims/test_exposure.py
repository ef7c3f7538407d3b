"""What the fraud can still cost, and the reserve for disputed claims."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, transaction

# Imported because it fills the registries of pages, as it does before every request.
import config.urls  # noqa: F401
from refunds.claims import appeals, deciding, exposure, holding, reporting, reserve, victims
from refunds.models import FraudClaim, ReserveRelease
from refunds.payouts import funding
from tests.config.test_every_door import browser_of
from tests.refunds.claims.scene import HIT_AT, Scene, balance
from tests.refunds.claims.test_claims_desk import run
from winddown import clock
from winddown.errors import GuardNotMet
from winddown.models import Approval
from winddown.programme import capabilities

pytestmark = pytest.mark.django_db
ENGLISH = {"accept-language": "en"}


def figures() -> dict[str, int]:
    found = exposure.now()
    return {"spendable": found.spendable_minor, **found.figures}


def test_every_figure_is_the_sum_of_its_rows(scene: Scene, staff: Callable[..., Any]) -> None:
    """One victim lost 31,000 and has 9,000 of the thief's left, one is only reported."""
    first = scene.victim(40_000, spent=31_000, own=5_000)
    second = scene.victim(20_000, funding="points", spent=4_000)
    third = scene.victim(10_000, funding="debit")
    scene.reported(first, second)
    (held,) = scene.reported(third)
    holding.hold_candidates([held], actor=scene.analyst, reason="test")
    found = exposure.now()
    assert {each.source: each.spendable_minor for each in found.sources} == {
        "credit_card": 9_000,
        "debit_card": 0,
        "points": 16_000,
    }
    pace = {each.source: each.per_hour_minor for each in found.sources}
    assert pace == {"credit_card": 1_667, "debit_card": 417, "points": 834}
    assert found.at_risk_minor == 1_667 + 417 + 834
    assert figures()["held"] == 10_000
    assert figures()["reserve"] == 70_000

    by_page = browser_of(staff("fraud_supervisor"), headers=ENGLISH)
    for code in exposure.CODES:
        assert sum(row.amount_minor for row in exposure.rows(code)) == figures()[code], code
        shown = by_page.get(f"/console/claims/exposure/?of={code}").content.decode()
        assert f"{figures()[code]:,}" in shown, code
    assert held.subject in by_page.get("/console/claims/exposure/?of=held").content.decode()
    printed = run("exposure", scene.analyst, json=True).splitlines()
    told = {
        row["figure"]: row["amount_minor"] for row in map(json.loads, printed) if "figure" in row
    }
    assert {code: told[code] for code in figures()} == figures()
    assert "claim:" in run("exposure", scene.analyst, rows="spendable")


def test_what_is_switched_off_brings_nothing_and_nothing_is_spent(scene: Scene) -> None:
    wallet = scene.victim(30_000)
    scene.reported(wallet)
    capabilities.stop("top_up:credit_card", actor=scene.analyst, reason="test")
    (source,) = exposure.now().sources
    assert (source.spendable_minor, source.per_hour_minor, source.at_risk_minor) == (
        30_000,
        1_250,
        0,
    )
    assert source.stopped_at == clock.now()
    clock.travel(HIT_AT + dt.timedelta(days=2), frozen=True)
    assert exposure.now().sources[0].per_hour_minor == 0
    capabilities.stop("spend", actor=scene.analyst, reason="test")
    assert (exposure.now().spendable_minor, exposure.rows("spendable")) == (0, [])


def test_after_the_decision_the_loss_is_on_its_account_and_nothing_is_reserved(
    scene: Scene, staff: Callable[..., Any]
) -> None:
    scene.confirmed(scene.victim(40_000, spent=31_000, funding="points"))
    run("recredit_losses", staff("fraud_supervisor"))
    found = figures()
    assert found == {
        "spendable": 0,
        "held": 0,
        "recovered": 9_000,
        "issuers": 0,
        "own_funds": 40_000,
        "loss_account": -balance("fraud_loss"),
        "reserve": 0,
    }
    for code in exposure.CODES:
        assert sum(row.amount_minor for row in exposure.rows(code)) == found[code], code


def test_what_is_disputed_is_reserved_until_two_people_release_it(
    scene: Scene, staff: Callable[..., Any]
) -> None:
    claim, other = scene.reported(scene.victim(30_000), scene.victim(20_000))
    assert funding.reserve_minor() == 50_000
    supervisor = staff("fraud_supervisor")
    desk = browser_of(supervisor, headers=ENGLISH)
    desk.post("/console/claims/release-reserve/", {"claims": claim.reference, "reason": "insured"})
    asked = Approval.objects.latest("pk")
    assert (asked.subject.partition(":")[0], asked.summary) == (
        "claim_reserve",
        {"claims": {str(claim.pk): 30_000}},
    )
    assert funding.reserve_minor() == 50_000
    reserve.ask_release([other], actor=scene.supervisor, reason="beside the first")
    browser_of(supervisor).post(
        f"/console/approvals/{asked.pk}/approve/",
        {"digest": asked.digest, "reason": "mine", "amount": "30000"},
    )
    assert not ReserveRelease.objects.exists()
    answer = browser_of(staff("fraud_supervisor")).post(
        f"/console/approvals/{asked.pk}/approve/",
        {"digest": asked.digest, "reason": "agreed", "amount": "30000"},
    )
    assert answer.status_code == 302
    assert (funding.reserve_minor(), ReserveRelease.objects.get().amount_minor) == (20_000, 30_000)

    with pytest.raises(GuardNotMet, match="1 of the claims have none"):
        reserve.ask_release([claim, other], actor=supervisor, reason="again")
    with pytest.raises(SystemExit):
        run("release_reserve", supervisor, claims=claim.reference)
    assert "A second person decides" in run("release_reserve", supervisor, claims=other.reference)


def test_a_rejection_leaves_the_reserve_until_nobody_can_appeal(scene: Scene) -> None:
    (claim,) = scene.reported(scene.victim(30_000))
    decision = deciding.propose(
        [claim], verdict="reject", rejection="no_loss", actor=scene.analyst, reason="test"
    )
    assert funding.reserve_minor() == 30_000
    deciding.decide(decision, actor=scene.supervisor, digest=decision.digest, reason="test")
    assert funding.reserve_minor() == 30_000
    clock.travel(clock.now() + deciding.APPEAL_FOR, frozen=True)
    assert appeals.close_after_appeal_time() == 1
    assert funding.reserve_minor() == 0


def test_a_suspicion_is_no_dispute_and_a_report_is_one(scene: Scene) -> None:
    """Before losses are named, the charges in the evidence are disputed."""
    wallet = scene.victim(10_000, 10_000, 10_000)
    clock.travel(HIT_AT + dt.timedelta(minutes=30), frozen=True)
    scene.sign_in(wallet, HIT_AT - dt.timedelta(days=9), device="own")
    scene.sign_in(wallet, HIT_AT - dt.timedelta(minutes=1), device="new", country="CN")
    (claim,) = victims.claim_candidates(as_of=clock.now()).candidates
    assert (claim.state, funding.reserve_minor()) == ("candidate", 0)
    reporting.take_up([claim], actor=scene.analyst, reason="test")
    assert funding.reserve_minor() == 30_000


def test_no_release_is_written_without_its_two_people(scene: Scene) -> None:
    (claim,) = scene.reported(scene.victim(30_000))
    asked = reserve.ask_release([claim], actor=scene.supervisor, reason="test")
    with pytest.raises(DatabaseError, match="released by two people"), transaction.atomic():
        ReserveRelease.objects.create(
            claim=claim, amount_minor=30_000, approval=asked, released_at=clock.now()
        )
    assert FraudClaim.objects.get(pk=claim.pk).reserve_releases.count() == 0
