"""Each reason alone prevents a payment, wherever it is checked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Q

from accounts.models import User
from refunds.applications import holds, payees
from refunds.bank_accounts import Account
from refunds.bankfiles import zengin_transfer
from refunds.claims import holding
from refunds.models import (
    Branch,
    Entitlement,
    FraudClaim,
    Payee,
    Payout,
    PayoutBatch,
    RefundApplication,
    Remedy,
)
from refunds.models.payout_batch import RESTORE_CONFIRMED
from refunds.payouts import payable, payment_blocks, payout_batches, refund_limits
from refunds.payouts.payable import About, Reason
from rehearsal.bank import QUALITIES
from tests.owning import as_owner
from tests.refunds.claims.conftest import scene as scene
from tests.refunds.claims.scene import Scene
from tests.refunds.conftest import House, jst, person
from winddown import clock
from winddown.actors import SYSTEM
from winddown.evidence import audit
from winddown.machines.move import move_rows
from winddown.models import Run

pytestmark = pytest.mark.django_db


def adopt(**limits: Any) -> None:
    refund_limits.adopt(actor=person("refunds.adopt_terms"), reason="test", source="test", **limits)


def application_of(row: Entitlement) -> RefundApplication:
    return RefundApplication.objects.get(entitlement=row)


def hold(row: Entitlement) -> None:
    holds.hold(row, actor=person("refunds.hold_entitlement"), reason="test")


def decide_later(row: Entitlement) -> None:
    RefundApplication.objects.filter(entitlement=row).update(
        decided_at=clock.now() + dt.timedelta(minutes=1)
    )


def ask_again(row: Entitlement) -> None:
    with transaction.atomic():
        move_rows(RefundApplication, "ask_again", [application_of(row).pk], actor=SYSTEM)
        audit.append("test.ask", "application", actor=SYSTEM)


def take_payee(row: Entitlement) -> None:
    Payee.objects.filter(holder=row.wallet.account_id).update(replaced_at=clock.now())


def change_channel(row: Entitlement) -> None:
    User.objects.filter(pk=row.wallet.account_id).update(channel_changed_at=clock.now())


def close_branch(row: Entitlement) -> None:
    payee = Payee.objects.get(holder=row.wallet.account_id)
    with as_owner():
        assert Branch.objects.filter(code=payee.branch_code).delete()[0] == 1


def claim(row: Entitlement) -> FraudClaim:
    return FraudClaim.objects.create(
        wallet_id=row.wallet_id,
        channel=FraudClaim.Channel.RULE,
        opened_at=clock.now(),
        compromised_from=clock.now() - dt.timedelta(days=9),
    )


def suspect(row: Entitlement) -> None:
    claim(row)


def block(row: Entitlement) -> None:
    payment_blocks.enter(
        row.wallet.account,
        kind="sanction",
        evidence="list 3, entry 7",
        ends_at=clock.now() + dt.timedelta(days=90),
        actor=person("refunds.block_payment"),
        reason="test",
    )


def forget(row: Entitlement) -> None:
    """A file that a restore forgot pays the row; two people have confirmed it."""
    sent = {"name": "payout-file", "sha256": "f" * 64, "payouts": [[10**6, row.pk, None, 1000]]}
    with transaction.atomic():
        audit.append(RESTORE_CONFIRMED, "restore:test", actor=SYSTEM, files=[sent])


def rob(row: Entitlement) -> None:
    """A claim that has ended and was confirmed once, from before the account was entered."""
    with transaction.atomic():
        done = claim(row)
        move_rows(FraudClaim, "expire", [done.pk], actor=SYSTEM, confirmed_at=clock.now())
        audit.append("test.claim", "claim", actor=SYSTEM)


# Done after the application is approved and the account checked. The other reasons come from the
# way in which the holder applies.
SPOILED: dict[str, Callable[[Entitlement], None]] = {
    "sent_before_restore": forget,
    "held": hold,
    "decided_later": decide_later,
    "application_not_approved": ask_again,
    "no_payee": take_payee,
    "cooling_off": change_channel,
    "branch_not_in_bank_data": close_branch,
    "claim_undecided": suspect,
    "payment_blocked": block,
    "entered_during_compromise": rob,
}
# Those of them that also keep a payout out of the next file after its first one was not sent.
AGAIN = [
    reason.code
    for reason in payable.REASONS
    if reason.code in SPOILED and reason.about in (About.WALLET, About.HOLDER, About.PAYEE)
]
# Of the limits, a wave, a person, a voucher or a bank, not of a row with an account: test_caps.py,
# test_waves.py, test_persons.py, test_unusual.py, test_methods.py and test_iban_payees.py.
OF_A_ROW = [
    reason.code
    for reason in payable.REASONS
    if reason.code
    not in (
        "above_cap",
        "account_not_taken",
        "after_record_date",
        "method_cooling_off",
        "person_amount",
        "unusual",
        "chosen_during_compromise",
    )
]
ON_THE_WAY = ("payee_refused", "shared_account", "payee_not_checked", "amount")


def account_at(house: House, bank_code: str, quality: str = "ok") -> Any:
    while (account := house.account(quality)).bank_code != bank_code:
        pass
    return account


def test_each_reason_alone_keeps_a_person_from_being_paid(house: House) -> None:
    """This holds for the plan, the exclusion list and the batches of the run."""
    codes = OF_A_ROW
    assert sorted([*SPOILED, *ON_THE_WAY]) == sorted(codes)
    paid, cousin, *rows = house.entitled(len(codes) + 2)
    row_of = dict(zip(codes, rows, strict=True))
    for row in (paid, *(row_of[code] for code in SPOILED if code != "branch_not_in_bank_data")):
        assert house.apply(row, account=account_at(house, "0001")).state == "approved"
    house.apply(row_of["branch_not_in_bank_data"], account=account_at(house, "9900"))
    house.apply(row_of["payee_refused"], quality="no_such_account")
    family = account_at(house, "0005")
    house.apply(row_of["shared_account"], account=family)
    house.apply(cousin, account=family)
    house.check_payees()
    house.apply(row_of["payee_not_checked"], account=account_at(house, "0001"))
    adopt(auto_approve_max_minor=999)
    left_to_people = house.apply(row_of["amount"], account=account_at(house, "0001"))
    assert (left_to_people.state, left_to_people.review_reason) == ("amount_confirmed", "amount")
    adopt(holders_per_account_max=1)
    for code, spoil in SPOILED.items():
        spoil(Entitlement.objects.get(pk=row_of[code].pk))

    run = house.run("pay", value_date="2019-11-15")

    content = run.plans.get().content
    assert {name: n for name, n in content["counts"].items() if n} == {"refunds": 1}
    expected = {f"left_out_{code}": 1 for code in codes if code not in ("decided_later", "amount")}
    assert content["estimates"] == expected | {"left_out_shared_account": 2}
    batch = PayoutBatch.objects.get(run=run)
    payout = Payout.objects.get()
    assert (payout.entitlement_id, payout.batch_id, batch.items) == (paid.pk, batch.pk, 1)
    house.money_holds()


def now_planned() -> Run:
    """A run whose plan was made now."""
    return Run(params={"approved_until": clock.now().isoformat()})


def test_an_account_that_a_thief_entered_is_not_payable(house: House) -> None:
    """I5."""
    (row,) = house.entitled(1)
    house.apply(row)
    house.check_payees()
    assert list(payable.payable_refunds(now_planned())) == [row]
    rob(row)
    assert not payable.payable_refunds(now_planned()).exists()


def test_a_compensation_that_is_being_paid_is_not_payable(
    scene: Scene, request: pytest.FixtureRequest
) -> None:
    """Rule 53 for a victim's own value. The thief spent before the balances were fixed."""
    wallet = scene.victim(own=2_000, spent=500)
    scene.confirmed(wallet)
    house = request.getfixturevalue("house")
    clock.travel(jst("2019-11-05T10:00"), frozen=True)
    holding.secure(at=clock.now(), actor=scene.supervisor, reason="test")
    payee = payees.enter(wallet.account, house.account(), actor=wallet.account)
    house.check_payees()
    remedy = Remedy.objects.get()
    assert list(payable.payable_remedies(now_planned())) == [remedy]
    Payout.objects.create(
        remedy=remedy,
        holder=wallet.account,
        payee=payee,
        amount_minor=remedy.amount_minor,
        attempt=1,
        state=Payout.State.CHECKED,
        booked_at=clock.now(),
    )
    assert not payable.payable_remedies(now_planned()).exists()


# --- through to the file ------------------------------------------------------------------------


def refuse_account(house: House, row: Entitlement, account: Account, cousin: Entitlement) -> None:
    wrong = account.account_number[:-1] + str(QUALITIES.index("no_such_account"))
    house.apply(row, account=replace(account, account_number=wrong))
    house.check_payees()


def share_account(house: House, row: Entitlement, account: Account, cousin: Entitlement) -> None:
    adopt(holders_per_account_max=2)
    house.apply(row, account=account)
    house.apply(cousin, account=account)
    house.check_payees()
    adopt(holders_per_account_max=1)


def leave_unchecked(house: House, row: Entitlement, account: Account, cousin: Entitlement) -> None:
    house.apply(row, account=account)


def lower_amount(house: House, row: Entitlement, account: Account, cousin: Entitlement) -> None:
    adopt(auto_approve_max_minor=999)
    house.apply(row, account=account)
    house.check_payees()


APPLIED: dict[str, Callable[[House, Entitlement, Account, Entitlement], None]] = {
    "payee_refused": refuse_account,
    "shared_account": share_account,
    "payee_not_checked": leave_unchecked,
    "amount": lower_amount,
}


def paid_in(house: House, batch: PayoutBatch) -> list[str]:
    """Returns the account numbers to which the batch's exported file sends money."""
    path = payout_batches.export_batch(
        house.approve(batch), directory=house.bank.inbox, actor=house.treasury, reason="test"
    )
    return [item.account_number for item in zengin_transfer.read(path.read_bytes()).items]


@pytest.mark.parametrize("code", OF_A_ROW)
def test_a_person_with_one_reason_is_not_in_the_exported_file(house: House, code: str) -> None:
    other, row, cousin = house.entitled(3)
    payable_account, account = account_at(house, "0001"), account_at(house, "9900")
    house.apply(other, account=payable_account)
    house.check_payees()
    if code in APPLIED:
        APPLIED[code](house, row, account, cousin)
    else:
        house.apply(row, account=account)
        house.check_payees()
        SPOILED[code](Entitlement.objects.get(pk=row.pk))

    assert paid_in(house, house.paid_batch()) == [payable_account.account_number]
    assert not Payout.objects.filter(entitlement=row).exists()


@pytest.mark.parametrize("code", [None, *AGAIN])
def test_a_person_with_a_later_reason_is_not_in_the_replacing_file(
    house: House, code: str | None
) -> None:
    other, row = house.entitled(2)
    accounts = [account_at(house, "0001"), account_at(house, "9900")]
    for each, account in zip((other, row), accounts, strict=True):
        house.apply(each, account=account)
    house.check_payees()
    batch = house.paid_batch()
    payout_batches.reject_batch(batch, actor=house.approver2, digest=batch.digest, reason="test")
    if code is not None:
        SPOILED[code](Entitlement.objects.get(pk=row.pk))

    paid = accounts if code is None else accounts[:1]
    following = house.paid_batch("2019-11-18")
    assert paid_in(house, following) == [account.account_number for account in paid]


def test_an_added_reason_applies_to_review_plan_and_exclusion_list(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid, before, after = house.entitled(3)
    house.apply(paid, account=account_at(house, "0001"))
    house.apply(before, account=account_at(house, "0005"))
    house.check_payees()
    closed = Reason(
        "bank_closed",
        "The bank is closed.",
        About.PAYEE,
        lambda cutoff, payee: Q(**{f"{payee}bank_code": "0005"}),
        to_people=True,
    )
    monkeypatch.setattr(payable, "REASONS", (*payable.REASONS, closed))
    waiting = house.apply(after, account=account_at(house, "0005"))
    assert (waiting.state, waiting.review_reason) == ("amount_confirmed", "bank_closed")
    run = house.run("pay", value_date="2019-11-15")
    content = run.plans.get().content
    assert content["counts"]["refunds"] == 1
    assert content["estimates"] == {"left_out_bank_closed": 1}
    assert Payout.objects.get().entitlement_id == paid.pk


def test_a_reason_code_is_listed_once_and_fits_its_column() -> None:
    codes = [reason.code for reason in payable.REASONS]
    assert len(set(codes)) == len(codes)
    width = RefundApplication._meta.get_field("review_reason").max_length
    assert width is not None
    assert all(len(code) <= width for code in codes)
    assert all(reason.sentence.endswith(".") for reason in payable.REASONS)
