"""Yesterday's backup pays nobody a second time, whatever was sent since and whoever confirmed it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from refunds.bankfiles import zengin_transfer
from refunds.models import Entitlement, Payout, PayoutBatch
from refunds.models.payout import inclusion_of
from refunds.payouts import forgotten, payout_batches
from tests.conftest import ROLES, connect_as
from tests.refunds.conftest import House, jst
from tests.refunds.payouts.test_sent_files import confirm
from tests.signing_in import code_typed
from winddown import clock
from winddown.errors import GuardNotMet, NothingToDecide
from winddown.evidence import backups
from winddown.models import Approval


@dataclass
class Yesterday:
    """A database restored from a backup that is older than the file `sent`."""

    house: House
    sent: Path
    paid: list[Entitlement]
    """Whom the forgotten file pays; the account of the last one sends the transfer back."""
    other: Entitlement
    """Somebody who applies after the restore."""
    batch: PayoutBatch | None
    """The batch of the file, where the backup has it: it waits for its approval."""

    def pay(self, value_date: str = "2019-11-18") -> PayoutBatch:
        """Everybody who may be paid is in one file that left."""
        batch = self.house.approve(self.house.paid_batch(value_date))
        payout_batches.export_batch(
            batch, directory=self.house.bank.inbox, actor=self.house.treasury, reason="test"
        )
        return PayoutBatch.objects.get(pk=batch.pk)

    def answered(self) -> None:
        """The bank carried the forgotten file out, and its answer is imported."""
        clock.travel(jst("2019-11-15T15:00"), frozen=True)
        self.house.answers()


# The bank's answers are loaded.
pytestmark = [pytest.mark.loads_files, pytest.mark.xdist_group("backups")]


@pytest.fixture(
    params=[
        pytest.param("before the payouts were booked", marks=pytest.mark.long_form),
        "before the file was approved",
    ]
)
def yesterday(
    request: pytest.FixtureRequest,
    own_database: Any,
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    tmp_path: Path,
) -> Iterator[Yesterday]:
    """A real dump, restored by PostgreSQL's own programs while the directory outside lives on."""
    rows = house.entitled(4)
    for row, quality in zip(rows[:3], ("ok", "ok", "always_bad"), strict=True):
        house.apply(row, quality=quality)
    house.check_payees()
    monkeypatch.setattr(clock, "is_rehearsal", lambda: False)
    settings.AUDIT_HEADS_DIR = tmp_path / "heads"
    booked = request.param == "before the file was approved"
    batch = house.paid_batch() if booked else None
    connect_as("")
    dump = backups.take(tmp_path / "backups")
    connect_as(ROLES.loader)
    approved = house.approve(batch or house.paid_batch())
    sent = payout_batches.export_batch(
        approved, directory=house.bank.inbox, actor=house.treasury, reason="test"
    )
    connect_as("")
    with backups._scratch(""):
        backups._run(backups._program("pg_restore"), "--exit-on-error", "--no-owner", str(dump))
        assert not Payout.objects.filter(state="exported").exists()
        connect_as(ROLES.loader)
        yield Yesterday(house, sent, rows[:3], rows[3], batch)
        connect_as("")


def paid_by(path: Path) -> set[str]:
    """The accounts to which the file sends money."""
    return {item.account_number for item in zengin_transfer.read(path.read_bytes()).items}


def numbers_in(path: Path) -> set[int]:
    found = zengin_transfer.read(path.read_bytes()).items
    return {inclusion_of(item.reference)[1] or 0 for item in found}


def in_the_file_of(batch: PayoutBatch) -> list[int]:
    return list(batch.payouts.order_by("entitlement").values_list("entitlement_id", flat=True))


def release(yesterday: Yesterday, payouts: list[int]) -> None:
    house = yesterday.house
    with code_typed(house.treasury):
        call_command(
            "release_forgotten_payouts",
            *map(str, payouts),
            by=house.treasury.login_id,
            reason="the bank never paid it",
        )
    request = Approval.objects.latest("pk")
    with code_typed(house.approver2):
        call_command(
            "approve",
            request.subject,
            by=house.approver2.login_id,
            reason="the bank says so",
            digest=request.digest,
        )


def test_nothing_is_planned_before_the_restore_is_confirmed(yesterday: Yesterday) -> None:
    with pytest.raises(GuardNotMet, match="restored from an older backup"):
        yesterday.house.run("pay", value_date="2019-11-18")


def test_the_confirmation_names_every_file_and_payout(
    yesterday: Yesterday, capsys: pytest.CaptureFixture[str]
) -> None:
    confirm(yesterday.house, yesterday.house.approver2)
    said = capsys.readouterr().out
    assert "payout-file-0001-000001-" in said
    assert "3 payouts of 3000" in said
    for row, number in zip(yesterday.paid, sorted(numbers_in(yesterday.sent)), strict=True):
        assert f"payout {number}: 1000 for entitlement {row.pk}" in said


def test_who_is_in_a_forgotten_file_is_in_no_other(yesterday: Yesterday) -> None:
    """After a careless confirmation too, and although somebody rejects the batch that was there."""
    house = yesterday.house
    confirm(house, house.approver2)
    if yesterday.batch is not None:
        house.void(yesterday.batch)
    house.apply(yesterday.other)
    house.check_payees()

    batch = yesterday.pay()

    assert in_the_file_of(batch) == [yesterday.other.pk]
    plan = batch.run.plans.get().content
    key = "left_out_sent_before_restore"
    assert plan["estimates"].get(key, 0) == (0 if yesterday.batch else 3)
    path = house.bank.inbox / payout_batches.file_name(batch)
    assert not paid_by(path) & paid_by(yesterday.sent)
    assert min(numbers_in(path)) > max(numbers_in(yesterday.sent))
    assert batch.sequence == 2
    house.money_holds()


def test_what_the_bank_returned_is_paid_again_and_what_it_paid_is_not(yesterday: Yesterday) -> None:
    house = yesterday.house
    confirm(house, house.approver2)
    if yesterday.batch is not None:
        house.void(yesterday.batch)
    yesterday.answered()
    house.clear_all()
    assert in_the_file_of(yesterday.pay()) == [yesterday.paid[2].pk]
    house.money_holds()


def test_two_people_release_a_payout_of_a_forgotten_file(yesterday: Yesterday) -> None:
    house = yesterday.house
    confirm(house, house.approver2)
    if yesterday.batch is not None:
        house.void(yesterday.batch)
    first, *_, last = sorted(numbers_in(yesterday.sent))
    with pytest.raises(NothingToDecide, match=f"payout {last + 1}"):
        forgotten.ask_release([first, last + 1], actor=house.treasury, reason="test")
    forgotten.ask_release([first], actor=house.treasury, reason="test")
    nothing = house.run("pay", value_date="2019-11-18")
    assert set(nothing.plans.get().content["counts"].values()) == {0}

    release(yesterday, [first])

    assert in_the_file_of(yesterday.pay()) == [yesterday.paid[0].pk]
    with pytest.raises(NothingToDecide):
        forgotten.ask_release([first], actor=house.treasury, reason="test")
    house.money_holds()
