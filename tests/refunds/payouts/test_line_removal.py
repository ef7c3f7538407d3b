"""Single payouts are taken out of a file that the bank does not have, by two people."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from refunds.models import Payout, PayoutBatch
from refunds.payouts import line_removal, payment_blocks, payout_batches
from tests import factories
from tests.config.test_every_door import browser_of
from tests.refunds.conftest import House, person
from tests.refunds.payouts.test_payout_doors import IN_ENGLISH, decided, run, sent
from winddown import clock
from winddown.errors import GuardNotMet, NothingToDecide, PlanChanged, SamePerson
from winddown.models import Approval, AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(house: House) -> PayoutBatch:
    """Three refunds of 1,000 in a sealed batch that waits for approval."""
    for row in house.entitled(3):
        house.apply(row)
    house.check_payees()
    return house.paid_batch()


def exported(house: House, batch: PayoutBatch) -> None:
    payout_batches.export_batch(
        house.approve(batch), directory=house.bank.inbox, actor=house.treasury, reason="test"
    )


STAGES: dict[str, Callable[[House, PayoutBatch], object]] = {
    "it waits for approval": lambda house, batch: None,
    "it was exported": exported,
}


@pytest.mark.parametrize("stage", STAGES)
def test_the_rest_is_a_new_file_and_the_payout_waits(
    house: House, waiting: PayoutBatch, stage: str
) -> None:
    """Rules 52 and 53: the sealed file never changes, and nobody is in two files."""
    STAGES[stage](house, waiting)
    out, *left = Payout.objects.order_by("pk")
    asker = person("refunds.make_payout_batch")
    sent(asker, "payouts/lines", number=waiting.pk, payouts=str(out.pk))
    assert Approval.objects.filter(stage="take_out_lines").count() == 1
    request = Approval.objects.latest("pk")
    approver = browser_of(house.approver2, headers=IN_ENGLISH)
    page = approver.get(f"/console/approvals/{request.pk}/approve/").content.decode()
    assert f"Payouts taken out of payout batch {waiting.pk}" in page
    assert "JPY 2,000" in page
    decided(house)

    waiting.refresh_from_db()
    following = PayoutBatch.objects.get(replaces=waiting)
    assert (waiting.state, following.state) == ("voided", "submitted_for_approval")
    assert (following.items, following.total_minor) == (2, 2_000)
    assert following.sequence == waiting.sequence + 1
    assert len({waiting.sha256, following.sha256}) == len({waiting.digest, following.digest}) == 2
    assert set(Payout.objects.filter(batch=following)) == set(left)
    out.refresh_from_db()
    assert (out.state, out.batch) == ("ready", None)
    seen = approver.get(f"/console/payouts/{following.pk}/").content.decode()
    assert "Replaces batch" in seen
    # Who asked for the new version made it, and cannot approve it.
    with pytest.raises(SamePerson):
        payout_batches.approve_batch(
            following,
            actor=factories.make_staff(staff_number=asker.staff_number, is_superuser=True),
            digest=following.digest,
            reason="my own",
        )
    house.send(following)
    assert house.paid_batch("2019-11-18").items == 1
    house.money_holds()


def test_who_may_be_paid_nothing_by_now_is_not_in_the_new_file(
    house: House, waiting: PayoutBatch
) -> None:
    """Rule 46: the page of the request says how many are left."""
    out, blocked, left = Payout.objects.order_by("pk")
    payment_blocks.enter(
        blocked.holder,
        kind="dispute",
        evidence="file 7",
        ends_at=clock.now().replace(year=2021),
        actor=person("refunds.block_payment"),
        reason="test",
    )
    run(house.treasury, "take_out_payouts", f"--number={waiting.pk}", f"--payouts={out.pk}")
    decided(house)
    assert list(PayoutBatch.objects.get(replaces=waiting).payouts.all()) == [left]
    house.money_holds()


def test_what_changed_since_is_not_taken_out(house: House, waiting: PayoutBatch) -> None:
    out, blocked, _left = Payout.objects.order_by("pk")
    request = line_removal.ask(waiting, [out.pk], actor=house.treasury, reason="test")
    payment_blocks.enter(
        blocked.holder,
        kind="dispute",
        evidence="file 7",
        ends_at=clock.now().replace(year=2021),
        actor=person("refunds.block_payment"),
        reason="test",
    )
    with pytest.raises(PlanChanged):
        house.agreed(request)
    assert PayoutBatch.objects.get().state == "submitted_for_approval"


def test_what_cannot_be_taken_out_is_refused(house: House, waiting: PayoutBatch) -> None:
    ids = list(Payout.objects.values_list("pk", flat=True))
    for chosen, why in (([], "not all"), ([ids[0], 10**9], "not all"), (ids, "would be left")):
        with pytest.raises(GuardNotMet, match=why):
            line_removal.ask(waiting, chosen, actor=house.treasury, reason="test")
    request = line_removal.ask(waiting, ids[:1], actor=house.treasury, reason="test")
    batch = house.send(waiting)
    for late in (
        lambda: line_removal.ask(batch, ids[:1], actor=house.treasury, reason="again"),
        lambda: house.agreed(request),
    ):
        with pytest.raises(NothingToDecide):
            late()
    assert not AuditEntry.objects.filter(action="payout_batch.take_out_lines").exists()
    assert PayoutBatch.objects.get().state == "transmitted"
