"""A compensation that a forgotten file pays is in no other file, and takes nothing of the funds set
aside for refunds.
"""

from __future__ import annotations

import pytest
from django.db import transaction

from refunds.claims import holding
from refunds.models import Entitlement, PayoutBatch, Remedy
from refunds.models.payout_batch import RESTORE_CONFIRMED
from refunds.payouts import payout_batches
from tests.refunds.claims.scene import Scene, jst
from tests.refunds.conftest import House
from wallets.models import Wallet
from winddown.actors import SYSTEM
from winddown.errors import GuardNotMet
from winddown.evidence import audit
from winddown.models import Programme

pytestmark = [pytest.mark.django_db, pytest.mark.loads_files]


@pytest.fixture
def victim(scene: Scene) -> Wallet:
    wallet = scene.victim(own=2_000, spent=500)
    scene.confirmed(wallet)
    holding.secure(at=jst(2019, 7, 5), actor=scene.supervisor, reason="test")
    return wallet


@pytest.fixture
def remedy(victim: Wallet, house: House) -> Remedy:
    """500 of a victim's own value are to be paid, together with the refund of the rest."""
    house.close([victim.pk])
    house.seal()
    house.run("entitle")
    house.apply(Entitlement.objects.get(wallet=victim))
    house.check_payees()
    return Remedy.objects.get()


def forget(remedy: Remedy) -> None:
    """Two people confirmed a file that pays the remedy and that this database does not know."""
    line = [1_000, None, remedy.pk, remedy.amount_minor]
    file = {"name": "payout-file", "bank_code": "0001", "sequence": 2, "sha256": "f" * 64}
    with transaction.atomic():
        audit.append(
            RESTORE_CONFIRMED, "restore:test", actor=SYSTEM, files=[{**file, "payouts": [line]}]
        )


def pays(batch: PayoutBatch) -> list[int | None]:
    return list(batch.payouts.order_by("remedy_id").values_list("remedy_id", flat=True))


def test_a_compensation_is_paid_once_with_the_refund(remedy: Remedy, house: House) -> None:
    assert pays(house.paid_batch()) == [remedy.pk, None]
    again = house.run("pay", value_date="2019-11-15")
    assert set(again.plans.get().content["counts"].values()) == {0}


def test_a_compensation_in_a_forgotten_file_is_not_planned(remedy: Remedy, house: House) -> None:
    forget(remedy)
    assert pays(house.paid_batch()) == [None]


def test_a_file_that_pays_it_already_does_not_leave(remedy: Remedy, house: House) -> None:
    batch = house.approve(house.paid_batch())
    forget(remedy)
    with pytest.raises(GuardNotMet, match="is in payout-file"):
        payout_batches.export_batch(
            batch, directory=house.bank.inbox, actor=house.treasury, reason="test"
        )


def test_the_funds_set_aside_cover_refunds_alone(remedy: Remedy, house: House) -> None:
    batch = house.approve(house.paid_batch())
    refund = batch.payouts.get(remedy=None)
    Programme.objects.update(safeguarded_minor=refund.amount_minor - 1)
    with pytest.raises(GuardNotMet, match="1 short of the refunds under way"):
        payout_batches.release(batch, actor=house.treasury, reason="test")
    Programme.objects.update(safeguarded_minor=refund.amount_minor)
    assert payout_batches.release(batch, actor=house.treasury, reason="test").state == "releasing"
