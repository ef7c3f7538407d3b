"""A database that was restored from an older backup pays nobody twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction

from refunds.models import PayoutBatch
from refunds.payouts import payout_batches, sent_files
from tests.refunds.conftest import House
from tests.signing_in import code_typed
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import GuardNotMet, NothingToDecide
from winddown.evidence import audit
from winddown.models import Approval

pytestmark = pytest.mark.django_db


@pytest.fixture
def approved(house: House, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> Any:
    """A batch that may leave, in a database whose clock is the real one as far as files go."""
    for row in house.entitled(2):
        house.apply(row)
    house.check_payees()
    monkeypatch.setattr(clock, "is_rehearsal", lambda: False)
    settings.AUDIT_HEADS_DIR = tmp_path / "heads"
    return house.approve(house.paid_batch())


def export(house: House, batch: PayoutBatch) -> Path:
    return payout_batches.export_batch(batch, directory=house.bank.inbox, actor=house.treasury)


def forget_the_export(house: House, batch: PayoutBatch) -> bytes:
    """The file left, and the database is yesterday's again. Returns the file."""
    with transaction.atomic():
        content = export(house, batch).read_bytes()
        transaction.set_rollback(True)
    return content


def confirm(house: House, approver: Any) -> None:
    with code_typed(house.treasury):
        call_command("confirm_restore", by=house.treasury.login_id, reason="the bank was asked")
    request = Approval.objects.latest("pk")
    with code_typed(approver):
        call_command(
            "approve",
            request.subject,
            by=approver.login_id,
            reason="the bank has these files",
            digest=request.digest,
        )


def test_a_recorded_export_stops_no_payouts(house: House, approved: PayoutBatch) -> None:
    export(house, approved)
    assert sent_files.unknown() == []
    with pytest.raises(NothingToDecide):
        sent_files.ask(actor=house.treasury, reason="test")


def test_payouts_stay_stopped_until_two_people_confirmed_the_files(
    house: House, approved: PayoutBatch
) -> None:
    sent = forget_the_export(house, approved)
    with pytest.raises(GuardNotMet, match="restored from an older backup. Ask the bank which"):
        export(house, approved)
    with pytest.raises(GuardNotMet, match="restored from an older backup"):
        payout_batches.seal(approved, run=approved.run)
    with pytest.raises(SystemExit):
        confirm(house, house.treasury)
    with pytest.raises(GuardNotMet):
        export(house, approved)

    confirm(house, house.approver2)

    # The same bytes under the same name: the state is again what the bank knows.
    assert export(house, approved).read_bytes() == sent
    house.money_holds()


def test_a_file_number_that_the_bank_has_seen_is_not_used_again(
    house: House, approved: PayoutBatch
) -> None:
    sent_files.keep(
        PayoutBatch(bank_code=approved.bank_code, sequence=approved.sequence + 1, sha256="f" * 64)
    )
    confirm(house, house.approver2)
    with transaction.atomic():
        number = payout_batches._next_number(approved.bank_code)
    assert number == approved.sequence + 2
    house.money_holds()


def test_an_exported_head_that_the_chain_lacks_stops_payouts(
    house: House, approved: PayoutBatch, settings: Any
) -> None:
    with transaction.atomic():
        audit.append("test", "test", actor=SYSTEM)
        assert audit.keep_head(settings.AUDIT_HEADS_DIR)
        transaction.set_rollback(True)
    with pytest.raises(GuardNotMet, match="has audit-head-"):
        export(house, approved)
    confirm(house, house.approver2)
    export(house, approved)
