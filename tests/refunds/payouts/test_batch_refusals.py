"""Each guard of a batch refuses alone, and nothing changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from accounts import person_keys
from refunds.applications import payees
from refunds.bankfiles import zengin_transfer
from refunds.bankfiles.transfer_items import NewCode
from refunds.models import Entitlement, Payout, PayoutBatch, PayoutFilePart
from refunds.payouts import payout_batches, refund_limits
from tests import factories
from tests.refunds.conftest import House, jst, person
from tests.refunds.payouts.test_payable import adopt, forget
from tests.unguarded import past_the_guards
from wallets.movements import posting
from winddown import clock
from winddown.actors import SYSTEM
from winddown.authority import approvals
from winddown.errors import (
    CapabilityStopped,
    GuardNotMet,
    NothingToDecide,
    TransitionRefused,
    WinddownError,
)
from winddown.models import Signature
from winddown.personal_data import HOUSE, DataClass
from winddown.programme import capabilities
from winddown.runs import working

pytestmark = pytest.mark.django_db


def stop_payouts() -> None:
    capabilities.stop("payout", actor=person("winddown.stop_capability"), reason="look first")


def let_the_day_pass() -> None:
    clock.travel(jst("2019-11-18T09:00"), frozen=True)


def forget_a_file() -> None:
    forget(Entitlement.objects.earliest("pk"))


def restore_a_backup(monkeypatch: pytest.MonkeyPatch, settings: Any, directory: Path) -> None:
    """The directory outside knows a file that the database does not."""
    monkeypatch.setattr(clock, "is_rehearsal", lambda: False)
    settings.AUDIT_HEADS_DIR = directory
    (directory / "payout-file-0001-000009-ffff.json").write_text("{}")


@pytest.fixture
def applied(house: House) -> None:
    """Two refunds of 1,000 that may be paid."""
    for row in house.entitled(2):
        house.apply(row)
    house.check_payees()


@pytest.fixture
def filled(house: House, applied: None) -> PayoutBatch:
    """A batch with two payouts whose run has not sealed it yet."""
    run = factories.started_run(
        "refund-balances",
        maker=house.treasury,
        checker=house.approver,
        params={"part": "pay", "value_date": "2019-11-15"},
    )
    while Payout.objects.filter(state="batched").count() < 2:
        working.work(run.pk, batches_max=1)
    return PayoutBatch.objects.get()


@pytest.mark.parametrize(
    ("spoil", "error", "why"),
    [
        (stop_payouts, CapabilityStopped, "payout"),
        (let_the_day_pass, GuardNotMet, "is past"),
        (forget_a_file, GuardNotMet, "is in payout-file"),
    ],
)
def test_a_batch_is_not_sealed(
    filled: PayoutBatch, spoil: Callable[[], None], error: type[WinddownError], why: str
) -> None:
    spoil()
    with pytest.raises(error, match=why), transaction.atomic():
        payout_batches.seal(filled, run=filled.run)
    assert PayoutBatch.objects.get().state == filled.state == "open"
    assert not PayoutFilePart.objects.exists()


def test_a_batch_is_not_sealed_after_a_restore(
    filled: PayoutBatch, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    restore_a_backup(monkeypatch, settings, tmp_path)
    with pytest.raises(GuardNotMet, match="restored from an older backup"), transaction.atomic():
        payout_batches.seal(filled, run=filled.run)
    assert PayoutBatch.objects.get().state == "open"


@pytest.mark.parametrize(
    ("spoil", "error", "why"),
    [(stop_payouts, CapabilityStopped, "payout"), (let_the_day_pass, GuardNotMet, "is past")],
)
def test_an_exported_file_is_not_transmitted(
    house: House,
    applied: None,
    spoil: Callable[[], None],
    error: type[WinddownError],
    why: str,
) -> None:
    batch = house.approve(house.paid_batch())
    payout_batches.export_batch(batch, directory=house.bank.inbox, actor=house.treasury)
    spoil()
    with pytest.raises(error, match=why):
        payout_batches.mark_transmitted(batch, actor=house.sender, reason="test")
    assert PayoutBatch.objects.get().state == "exported"


def breach_an_invariant() -> None:
    posting.post(
        [("refunds_payable", None, 5), ("bank", None, -5)],
        source="test",
        source_id=1,
        kind="wrong",
        occurred_at=clock.now(),
        actor=SYSTEM,
    )


@pytest.mark.parametrize(
    ("spoil", "why"),
    [(breach_an_invariant, "I60 is breached"), (forget_a_file, "is in payout-file")],
)
def test_an_approved_batch_is_not_exported(
    house: House, applied: None, spoil: Callable[[], None], why: str
) -> None:
    batch = house.approve(house.paid_batch())
    spoil()
    with pytest.raises(GuardNotMet, match=why):
        payout_batches.export_batch(batch, directory=house.bank.inbox, actor=house.treasury)
    assert PayoutBatch.objects.get().state == "approved"
    assert not list(house.bank.inbox.glob("transfer*"))


def test_a_batch_at_the_limit_requires_one_approval(house: House, applied: None) -> None:
    """Rule 54, the other side of the limit."""
    adopt(two_approvers_above_minor=2_000)
    assert house.paid_batch().approvals_needed == 1


def test_a_batch_that_was_voided_is_neither_approved_nor_rejected(
    house: House, applied: None
) -> None:
    adopt(two_approvers_above_minor=1_999)
    batch = house.paid_batch()
    house.void(batch)
    for verb, refusal in (
        (payout_batches.approve_batch, NothingToDecide),
        (payout_batches.reject_batch, TransitionRefused),
    ):
        with pytest.raises(refusal):
            verb(batch, actor=house.approver2, digest=batch.digest, reason="late")
    assert not Signature.objects.filter(subject=batch.subject).exclude(part="maker").exists()


@pytest.mark.parametrize(
    ("approve", "state", "part"), [(True, "approved", "approved"), (False, "rejected", "rejected")]
)
def test_a_request_about_a_batch_is_carried_out_as_it_was_decided(
    house: House, applied: None, *, approve: bool, state: str, part: str
) -> None:
    batch = house.paid_batch()
    request = approvals.newest(batch.subject)
    approvals.carry_out(
        request, shown=request.digest, actor=house.approver2, reason="test", approve=approve
    )
    with pytest.raises(NothingToDecide):
        payout_batches.reject_batch(
            batch, actor=house.approver, digest=batch.digest, reason="too late"
        )
    assert PayoutBatch.objects.get().state == state
    signed = Signature.objects.exclude(part="maker").get(subject=batch.subject)
    assert (signed.part, signed.signer) == (part, house.approver2)


def test_bytes_that_changed_in_the_database_never_become_a_file(
    house: House, applied: None
) -> None:
    batch = house.approve(house.paid_batch())
    part = PayoutFilePart.objects.get(number=0)
    place = payout_batches.part_place(batch.pk, part.number)
    forged = person_keys.seal(
        part.opened() + b" ",
        place=place,
        person_id=HOUSE,
        data_class=DataClass.MONEY_RECORDS,
    )
    past_the_guards(
        f"UPDATE refunds_payoutfilepart SET content_sealed = '\\x{forged.hex()}' WHERE number = 0"
    )
    with pytest.raises(GuardNotMet, match="its bytes changed"):
        list(payout_batches.content(batch))


def test_the_file_tells_the_bank_which_accounts_are_new(house: House) -> None:
    first, changed = house.entitled(2)
    for row in (first, changed):
        house.apply(row)
    holder = changed.wallet.account
    payees.enter(holder, house.account(), actor=holder)
    clock.travel(jst("2019-11-06T10:00"), frozen=True)
    house.check_payees()
    content = b"".join(payout_batches.content(house.paid_batch()))
    codes = [item.new_code for item in zengin_transfer.read(content).items]
    assert codes == [NewCode.FIRST, NewCode.CHANGED]


def test_nothing_is_paid_before_limits_are_adopted() -> None:
    with pytest.raises(GuardNotMet, match="no limits of the refund were adopted"):
        refund_limits.current()
