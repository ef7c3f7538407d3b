"""The commands of detection hold candidates at once, and a second run holds nothing."""

from __future__ import annotations

import datetime as dt
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from refunds.claims import victims
from refunds.models import FraudClaim
from tests.refunds.claims.scene import HIT_AT, Scene
from tests.signing_in import code_typed
from wallets.models import Hold, Wallet
from winddown import clock
from winddown.models import AuditEntry

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def robbed(scene: Scene) -> Wallet:
    wallet = scene.victim(30_000, 30_000, 30_000, spent=50_000)
    scene.sign_in(wallet, HIT_AT - 24 * HOUR, device="phone")
    scene.sign_in(wallet, HIT_AT - HOUR / 60, device="thief", country="XA")
    clock.travel(HIT_AT + HOUR, frozen=True)
    victims.claim_candidates(as_of=clock.now())
    return wallet


def told(**options: Any) -> str:
    out = StringIO()
    call_command("hold_candidates", stdout=out, json=True, **options)
    return out.getvalue()


def test_the_plan_changes_nothing_and_the_hold_does_what_the_plan_said(
    scene: Scene, robbed: Wallet
) -> None:
    """Rules 4 and 5."""
    assert '"candidates": 1, "wallets": 1, "amount_minor": 40000' in told()
    assert not Hold.objects.exists()
    said = {"hold": True, "by": scene.analyst.login_id, "reason": "attack"}
    assert '"held": 1' in told(**said)
    assert Wallet.objects.get(pk=robbed.pk).held_minor == 40_000
    assert '"held": 0' in told(**said)
    assert '"wallets": 0, "amount_minor": 0' in told()


def test_another_person_releases_and_drops_a_suspicion(
    scene: Scene, robbed: Wallet, staff: Any
) -> None:
    (claim,) = FraudClaim.objects.all()

    def released(actor: Any, *claim_ids: int, **options: Any) -> str:
        out = StringIO()
        options = {"by": actor.login_id, "reason": "cleared", "json": True, **options}
        if claim_ids:
            options["claim"] = list(claim_ids)
        with code_typed(actor):
            call_command("release_holds", stdout=out, **options)
        return out.getvalue()

    told(hold=True, by=scene.supervisor.login_id, reason="attack")
    with pytest.raises(CommandError, match="no claim 77; nothing was released"):
        released(scene.supervisor, claim.pk, 77)
    with pytest.raises(SystemExit):
        released(scene.supervisor, claim.pk, drop=True)
    claim.refresh_from_db()
    assert claim.state == FraudClaim.State.CANDIDATE
    other = staff("fraud_supervisor")
    assert '"released": 0, "dropped": 0' in released(other)
    assert '"released": 1, "dropped": 1' in released(other, claim.pk, drop=True)
    claim.refresh_from_db()
    assert claim.state == FraudClaim.State.EXPIRED
    assert Wallet.objects.get(pk=robbed.pk).held_minor == 0
    assert '"released": 0, "dropped": 0' in released(other, claim.pk, drop=True)
    for action in ("claims.expire", "claims.release"):
        assert AuditEntry.objects.get(action=action).facts["n"] == 1


def test_a_hold_without_a_named_person_is_refused(robbed: Wallet) -> None:
    with pytest.raises(CommandError):
        told(hold=True)
    assert not Hold.objects.exists()


def test_a_person_without_the_role_cannot_hold(robbed: Wallet, staff: Any) -> None:
    with pytest.raises(SystemExit):
        told(hold=True, by=staff("auditor").login_id, reason="curious")
    assert not Hold.objects.exists()


def test_a_whole_wallet_can_be_held_with_its_clean_value(scene: Scene, robbed: Wallet) -> None:
    said = {"hold": True, "whole": True, "by": scene.analyst.login_id, "reason": "attack"}
    assert '"held": 1' in told(**said)
    assert Wallet.objects.get(pk=robbed.pk).state == Wallet.State.HELD
    assert '"held": 0' in told(**said)
