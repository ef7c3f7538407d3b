"""Payout batches are frozen when sealed, approved by others, and exported once, byte for byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from refunds.bankfiles import zengin_transfer
from refunds.models import Entitlement, Payee, Payout, PayoutBatch, PayoutFilePart
from refunds.payouts import payout_batches, refund_limits
from tests import factories
from tests.owning import as_owner
from tests.refunds.conftest import House, jst, person
from tests.signing_in import code_typed
from wallets.models import Posting
from winddown import clock
from winddown.authority import approvals
from winddown.errors import (
    CapabilityStopped,
    GuardNotMet,
    NothingToDecide,
    NotPermitted,
    PlanChanged,
    SamePerson,
    TransitionRefused,
)
from winddown.files import FileDiffers
from winddown.models import Batch, Signature
from winddown.programme import capabilities
from winddown.runs import batches, planning, working

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch(house: House) -> PayoutBatch:
    """Three refunds of 1,000 of four in a sealed batch that waits for approval."""
    for row in house.entitled(4)[:3]:
        house.apply(row)
    house.check_payees()
    return house.paid_batch()


def refused_in_sql(sql: str, *params: Any, match: str) -> None:
    with (
        pytest.raises(DatabaseError, match=match),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, params)


def test_the_file_is_read_back_as_the_batch(house: House, batch: PayoutBatch) -> None:
    """Rule 48: 120 bytes a record, totals equal the items."""
    content = b"".join(payout_batches.content(batch))
    assert all(len(line) == 120 for line in content.split(b"\r\n")[:-1])
    file = zengin_transfer.read(content)
    assert (file.sha256, file.sum_minor, len(file.items)) == (batch.sha256, 3000, 3)
    booked = Payout.objects.filter(batch=batch).order_by("pk")
    for item, payout in zip(file.items, booked, strict=True):
        assert payout.payee is not None
        assert (item.reference, item.amount_minor) == (payout.reference, payout.amount_minor)
        assert (item.account_number, item.payee_kana) == (
            payout.payee.account_number,
            payout.payee.name_kana,
        )


def test_a_sealed_batch_cannot_change(house: House, batch: PayoutBatch) -> None:
    """Rule 52: nobody can change its totals, its items or its bytes."""
    payout = Payout.objects.filter(batch=batch).first()
    assert payout is not None
    for column, value in (
        ("total_minor", 1),
        ("items", 1),
        ("sha256", "0" * 64),
        ("value_date", "2019-12-02"),
        ("sequence", 9),
        ("approvals_needed", 2),
        ("maker_id", house.approver.pk),
    ):
        refused_in_sql(
            f"UPDATE refunds_payoutbatch SET {column} = %s WHERE id = %s",
            value,
            batch.pk,
            match="sealed",
        )
    refused_in_sql("UPDATE refunds_payout SET amount_minor = 999", match="fixed")
    refused_in_sql(
        "UPDATE refunds_payout SET payee_id = (SELECT max(id) FROM refunds_payee) WHERE id = %s",
        payout.pk,
        match="fixed",
    )
    refused_in_sql(
        "UPDATE refunds_payout SET batch_id = NULL, state = 'ready' WHERE id = %s",
        payout.pk,
        match="fixed",
    )
    with as_owner():
        refused_in_sql(
            "DELETE FROM refunds_payout WHERE id = %s", payout.pk, match="keeps its rows"
        )
        refused_in_sql("DELETE FROM refunds_payoutbatch", match="keeps its rows")
        refused_in_sql("UPDATE refunds_payoutfilepart SET content_sealed = ''", match="append-only")
    with pytest.raises(DatabaseError, match="sealed"), transaction.atomic():
        PayoutFilePart.objects.create(batch=batch, number=7, content_sealed=b"x")
    refused_in_sql(
        "INSERT INTO refunds_payout (entitlement_id, holder_id, payee_id, batch_id, "
        "amount_minor, attempt, state,"
        " live, return_reason, booked_at) SELECT NULL, holder_id, payee_id, batch_id, 1, 1, "
        "'checked', true, '',"
        " booked_at FROM refunds_payout WHERE id = %s",
        payout.pk,
        match="(in no batch|for_one_thing|outside)",
    )


def test_a_new_payout_cannot_be_put_into_a_sealed_batch(house: House, batch: PayoutBatch) -> None:
    """Rule 52."""
    owed = Entitlement.objects.get(state="computed")
    house.apply(owed)
    house.check_payees()
    run = factories.started_run(
        "refund-balances",
        maker=house.treasury,
        checker=house.approver,
        params={"part": "pay", "value_date": "2019-11-15"},
    )
    while not Payout.objects.filter(entitlement=owed).exists():
        working.work(run.pk, batches_max=1)
    refused_in_sql(
        "UPDATE refunds_payout SET batch_id = %s, state = 'batched' WHERE entitlement_id = %s",
        batch.pk,
        owed.pk,
        match="fixed",
    )
    factories.worked_off(run)
    house.money_holds()


def test_the_maker_of_a_batch_cannot_approve_it(house: House, batch: PayoutBatch) -> None:
    """Rule 54: neither the verb nor the model nor SQL allows it."""
    maker = house.treasury
    maker.user_permissions.add(*house.approver2.user_permissions.all())
    maker = type(maker).objects.get(pk=maker.pk)
    with pytest.raises(SamePerson):
        payout_batches.approve_batch(batch, actor=maker, digest=batch.digest, reason="mine")
    other_account = factories.make_staff(staff_number=maker.staff_number, is_superuser=True)
    with pytest.raises(SamePerson):
        payout_batches.approve_batch(batch, actor=other_account, digest=batch.digest, reason="mine")
    with pytest.raises(DatabaseError, match="0 of 1 approvals"), transaction.atomic():
        factories.move(batch, "approve", actor=maker)
    refused_in_sql(
        "UPDATE refunds_payoutbatch SET state = 'approved' WHERE id = %s",
        batch.pk,
        match="0 of 1 approvals",
    )
    request = approvals.standing(batch.subject, stage="first")
    with pytest.raises(IntegrityError), transaction.atomic():
        Signature.objects.create(
            approval=request,
            part="approved",
            signer=maker,
            digest=batch.digest,
            reason="mine",
            at=clock.now(),
        )
    assert PayoutBatch.objects.get().state == "submitted_for_approval"


def test_an_approval_covers_exactly_one_file(house: House, batch: PayoutBatch) -> None:
    with pytest.raises(PlanChanged):
        payout_batches.approve_batch(batch, actor=house.approver2, digest="0" * 64, reason="blind")


def test_a_batch_above_the_limit_requires_two_approvals(house: House) -> None:
    """Rule 54."""
    refund_limits.adopt(
        actor=person("refunds.adopt_terms"),
        reason="test",
        source="test",
        two_approvers_above_minor=2_999,
    )
    for row in house.entitled(3):
        house.apply(row)
    house.check_payees()
    batch = house.paid_batch()
    assert batch.approvals_needed == 2
    batch = payout_batches.approve_batch(
        batch, actor=house.approver2, digest=batch.digest, reason="first"
    )
    assert batch.state == "submitted_for_approval"
    with pytest.raises(SamePerson):
        payout_batches.approve_batch(
            batch, actor=house.approver2, digest=batch.digest, reason="again"
        )
    refused_in_sql("UPDATE refunds_payoutbatch SET state = 'approved'", match="1 of 2 approvals")
    batch = payout_batches.approve_batch(
        batch, actor=house.approver, digest=batch.digest, reason="second"
    )
    assert batch.state == "approved"
    house.money_holds()


def test_neither_maker_nor_approver_can_transmit(house: House, batch: PayoutBatch) -> None:
    """Rule 54."""
    batch = house.approve(batch)
    payout_batches.export_batch(batch, directory=house.bank.inbox, actor=house.treasury)
    for somebody in (house.treasury, house.approver2):
        somebody.user_permissions.add(*house.sender.user_permissions.all())
        somebody = type(somebody).objects.get(pk=somebody.pk)
        with pytest.raises(SamePerson):
            payout_batches.mark_transmitted(batch, actor=somebody, reason="quick")
        refused_in_sql(
            "UPDATE refunds_payoutbatch SET state = 'transmitted', transmitted_at = now(), "
            "transmitted_by_id = %s"
            " WHERE id = %s",
            somebody.pk,
            batch.pk,
            match="neither made nor approved",
        )
    with pytest.raises(NotPermitted):
        payout_batches.mark_transmitted(batch, actor=house.support, reason="no right")
    done = payout_batches.mark_transmitted(batch, actor=house.sender, reason="sent")
    assert (done.state, done.transmitted_by) == ("transmitted", house.sender)


def test_no_file_is_exported_before_approval(
    house: House, batch: PayoutBatch, tmp_path: Path
) -> None:
    with pytest.raises(TransitionRefused):
        payout_batches.export_batch(batch, directory=tmp_path / "out", actor=house.treasury)
    assert not list(tmp_path.glob("out/*"))


def test_the_file_is_the_same_however_often_it_is_exported(
    house: House, batch: PayoutBatch
) -> None:
    """Rule 52: a lost file is exported again, and no other file is overwritten."""
    batch = house.approve(batch)
    path = payout_batches.export_batch(batch, directory=house.bank.inbox, actor=house.treasury)
    first = path.read_bytes()
    assert (
        payout_batches.export_batch(batch, directory=house.bank.inbox, actor=house.treasury) == path
    )
    path.unlink()
    with code_typed(house.treasury):
        call_command(
            "export_payout_batch",
            str(batch.pk),
            str(house.bank.inbox),
            by=house.treasury.login_id,
            reason="lost",
        )
    assert path.read_bytes() == first
    path.write_bytes(first.replace(b"1000", b"9000"))
    with pytest.raises(FileDiffers):
        payout_batches.export_batch(batch, directory=house.bank.inbox, actor=house.treasury)
    assert Payout.objects.filter(state="exported").count() == 3


def test_no_file_is_exported_while_an_invariant_is_broken(house: House, batch: PayoutBatch) -> None:
    """P4: the invariants are asked before a file leaves."""
    from wallets.movements import posting
    from winddown.actors import SYSTEM

    batch = house.approve(batch)
    posting.post(
        [("refunds_payable", None, 5), ("bank", None, -5)],
        source="test",
        source_id=1,
        kind="wrong",
        occurred_at=clock.now(),
        actor=SYSTEM,
    )
    with pytest.raises(GuardNotMet, match="I60"):
        payout_batches.export_batch(batch, directory=house.bank.inbox, actor=house.treasury)
    assert PayoutBatch.objects.get().state == "approved"
    assert not list(house.bank.inbox.glob("transfer*"))


def test_no_file_is_exported_while_payouts_are_stopped(house: House, batch: PayoutBatch) -> None:
    batch = house.approve(batch)
    capabilities.stop("payout", actor=person("winddown.stop_capability"), reason="look first")
    with pytest.raises(CapabilityStopped):
        payout_batches.export_batch(batch, directory=house.bank.inbox, actor=house.treasury)
    with pytest.raises(GuardNotMet, match="payouts are stopped"):
        house.run("pay", value_date="2019-11-15")


@pytest.mark.parametrize(
    ("value_date", "proposed"),
    [("2019-11-16", "2019-11-18"), ("2019-12-31", "2019-12-06"), ("2019-11-04", "2019-11-05")],
)
def test_a_value_date_that_is_no_business_day_is_refused_with_the_next_one(
    house: House, value_date: str, proposed: str
) -> None:
    """Rule 49: a weekend, the end of the year and a past day are refused."""
    with pytest.raises(GuardNotMet, match=proposed):
        house.run("pay", value_date=value_date)


def test_a_file_is_not_sent_after_its_value_date(house: House, batch: PayoutBatch) -> None:
    """Rule 49."""
    batch = house.approve(batch)
    clock.travel(jst("2019-11-18T09:00"), frozen=True)
    with pytest.raises(GuardNotMet, match="is past"):
        payout_batches.export_batch(batch, directory=house.bank.inbox, actor=house.treasury)


@pytest.mark.parametrize("limit", [{"file_records_max": 2}, {"file_sum_max_minor": 2_999}])
def test_more_payouts_than_the_bank_accepts_are_split(house: House, limit: dict[str, int]) -> None:
    """Rule 50: into as few files as possible, numbered without a gap."""
    refund_limits.adopt(actor=person("refunds.adopt_terms"), reason="test", source="test", **limit)
    for row in house.entitled(5):
        house.apply(row)
    while Payee.objects.filter(state="entered").exists():
        house.check_payees()
    run = house.run("pay", value_date="2019-11-15")
    batches = PayoutBatch.objects.filter(run=run).order_by("pk")
    assert [row.items for row in batches] == [2, 2, 1]
    assert sorted(row.sequence or 0 for row in batches) == [1, 2, 3]
    house.money_holds()


def test_an_entitlement_has_at_most_one_live_payout(house: House, batch: PayoutBatch) -> None:
    """Rule 53: this holds after a crash between export and acknowledgement."""
    again = house.run("pay", value_date="2019-11-15")
    assert again.state == "succeeded"
    assert not PayoutBatch.objects.filter(run=again).exists()
    first = Payout.objects.first()
    assert first is not None
    with pytest.raises(IntegrityError, match="one_live_payout"), transaction.atomic():
        Payout.objects.create(
            entitlement_id=first.entitlement_id,
            holder_id=first.holder_id,
            payee_id=first.payee_id,
            amount_minor=1000,
            attempt=2,
            state="checked",
            booked_at=clock.now(),
        )


def test_a_rejected_batch_frees_its_payouts_for_the_next_one(
    house: House, batch: PayoutBatch
) -> None:
    payout_batches.reject_batch(
        batch, actor=house.approver2, digest=batch.digest, reason="wrong day"
    )
    assert set(Payout.objects.values_list("state", "batch_id")) == {("ready", None)}
    house.money_holds()
    following = house.paid_batch("2019-11-18")
    assert (following.sequence, following.items, following.total_minor) == (2, 3, 3000)
    assert Payout.objects.count() == 3
    house.money_holds()


def test_the_payouts_of_a_rejected_batch_are_sealed_again_for_the_same_day(
    house: House, batch: PayoutBatch
) -> None:
    """The file has the same transfers under other references, so that an answer to the first file
    settles no line of the second.
    """
    payout_batches.reject_batch(batch, actor=house.approver2, digest=batch.digest, reason="not now")
    following = house.paid_batch(batch.value_date.isoformat())
    assert (following.sequence, following.items) == (2, 3)
    before, after = (
        zengin_transfer.read(b"".join(payout_batches.content(each))).items
        for each in (batch, following)
    )
    assert [item._replace(reference="1") for item in before] == [
        item._replace(reference="1") for item in after
    ]
    assert not {item.reference for item in before} & {item.reference for item in after}
    house.send(following)
    house.money_holds()


def test_payouts_of_a_refused_file_are_paid_by_the_next_one(
    house: House, batch: PayoutBatch
) -> None:
    batch = house.send(batch)
    with pytest.raises(NothingToDecide):
        house.void(batch)
    house.refuse(batch)
    house.money_holds()
    following = house.send(house.paid_batch("2019-11-18"))
    clock.travel(jst("2019-11-18T15:00"), frozen=True)
    house.bank.taken.add(payout_batches.file_name(batch))
    (done,) = house.answers()
    assert (done.settled, PayoutBatch.objects.get(pk=following.pk).state) == (3, "reconciled")
    house.money_holds()


def test_an_accepted_batch_is_executed_on_its_value_date_and_not_paid(
    house: House, batch: PayoutBatch
) -> None:
    """A sent payout is not paid: only the bank's results settle it."""
    batch = house.send(batch)
    payout_batches.mark_accepted(batch, actor=house.treasury, reason="receipt")
    assert payout_batches.execute_due() == []
    clock.travel(jst("2019-11-15T09:00"), frozen=True)
    (done,) = payout_batches.execute_due()
    assert done.state == "executed"
    assert set(Payout.objects.values_list("state", flat=True)) == {"executed"}
    assert Entitlement.objects.filter(state="paying").count() == 3
    house.money_holds()


def test_the_run_pays_what_its_plan_counted(house: House) -> None:
    """Rule 61: counts and sums are the same, and nobody is added after the approval."""
    rows = house.entitled(3)
    for row in rows[:2]:
        house.apply(row)
    house.check_payees()
    run = factories.approved_run(
        "refund-balances",
        maker=house.treasury,
        checker=house.approver,
        params={"part": "pay", "value_date": "2019-11-15"},
    )
    clock.travel(jst("2019-11-05T11:00"), frozen=True)
    house.apply(rows[2])
    house.check_payees()
    done = factories.worked_off(planning.start(run, actor=house.treasury))
    planned = done.plans.get().content
    batch = PayoutBatch.objects.get(run=done)
    assert (batch.items, batch.total_minor) == (2, 2000)
    assert (planned["counts"]["refunds"], planned["sums_minor"]["refunds"]) == (2, 2000)


def test_a_plan_is_refused_after_a_payee_in_it_changed(house: House) -> None:
    """Rule 61, rule 57."""
    from refunds.applications import payees

    rows = house.entitled(2)
    for row in rows:
        house.apply(row)
    house.check_payees()
    run = factories.approved_run(
        "refund-balances",
        maker=house.treasury,
        checker=house.approver,
        params={"part": "pay", "value_date": "2019-11-15"},
    )
    holder = rows[0].wallet.account
    payees.enter(holder, house.account(), actor=holder)
    with pytest.raises(PlanChanged):
        planning.start(run, actor=house.treasury)


@pytest.mark.parametrize("step", range(4))
def test_a_worker_that_dies_in_any_step_pays_nobody_twice(
    house: House, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 53, I2: it is killed before the commit of book, fill or seal, and again at the same
    place.
    """
    for row in house.entitled(3):
        house.apply(row)
    house.check_payees()
    run = factories.started_run(
        "refund-balances",
        maker=house.treasury,
        checker=house.approver,
        params={"part": "pay", "value_date": "2019-11-15"},
    )
    finish = batches.finish
    left = [step]

    def die(*args: Any, **kwargs: Any) -> None:
        finish(*args, **kwargs)
        left[0] -= 1
        if left[0] in (-1, -2):
            raise KeyboardInterrupt

    monkeypatch.setattr(batches, "finish", die)
    for _ in range(20):
        try:
            working.work(run.pk)
        except KeyboardInterrupt:
            Batch.objects.filter(run=run, state="leased").update(lease_until="2000-01-01T00:00Z")
    batch = PayoutBatch.objects.get(run=run)
    assert (batch.items, batch.total_minor, batch.sequence) == (3, 3000, 1)
    assert Payout.objects.count() == 3
    in_flight = Posting.objects.filter(account="payouts_in_flight")
    assert sum(in_flight.values_list("amount_minor", flat=True)) == 3000
    house.money_holds()
