"""A blocked customer is paid nothing, and two people end a block."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

# Imported because it fills the registries of pages, as it does before every request.
import config.urls  # noqa: F401
from refunds.models import PaymentBlock, Payout, RefundApplication
from refunds.payouts import payable, payment_blocks
from tests.config.test_every_door import browser_of
from tests.owning import as_owner
from tests.refunds.conftest import House
from tests.signing_in import code_typed
from winddown import clock
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NotPermitted, SamePerson
from winddown.models import Approval, AuditEntry
from winddown.sqlstates import SqlState, sqlstate_of

pytestmark = pytest.mark.django_db

WEEK = dt.timedelta(days=7)


@pytest.fixture
def officer(staff: Callable[..., Any]) -> Any:
    return staff("compliance")


@pytest.fixture
def second(staff: Callable[..., Any]) -> Any:
    return staff("fraud_supervisor")


def block(holder: Any, officer: Any, **more: Any) -> PaymentBlock:
    given = {"kind": "sanction", "evidence": "list 3, entry 7", "ends_at": clock.now() + WEEK}
    return payment_blocks.enter(holder, actor=officer, reason="named", **(given | more))


def decide(subject: str, by: Any, *, approve: bool) -> object:
    request = Approval.objects.filter(subject=subject).latest("pk")
    return approvals.DECIDERS["payment_block"](
        approvals.Decided(
            key=subject.partition(":")[2],
            stage=request.stage,
            actor=by,
            digest=request.digest,
            reason="checked",
            approve=approve,
        )
    )


def test_a_blocked_holder_is_left_out_while_others_are_paid(house: House, officer: Any) -> None:
    blocked, paid = house.entitled(2)
    for each in (blocked, paid):
        house.apply(each)
    house.check_payees()
    block(blocked.wallet.account, officer)

    done = house.run("pay", value_date="2019-11-15")

    assert [payout.holder for payout in Payout.objects.all()] == [paid.wallet.account]
    assert payable.left_out(done) == {"payment_blocked": 1}


def test_the_rules_leave_an_application_of_a_blocked_holder_to_people(
    house: House, officer: Any
) -> None:
    (owed,) = house.entitled(1)
    block(owed.wallet.account, officer)

    applied = house.apply(owed)

    assert applied.review_reason == "payment_blocked"
    assert applied.state != RefundApplication.State.APPROVED


def test_a_file_that_was_made_before_the_block_is_neither_approved_nor_sent(
    house: House, officer: Any
) -> None:
    (owed,) = house.entitled(1)
    house.apply(owed)
    house.check_payees()
    batch = house.paid_batch()
    block(owed.wallet.account, officer)

    with pytest.raises(GuardNotMet, match="1 of its payouts are to people"):
        house.approve(batch)
    payout = Payout.objects.get()
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        connection.cursor().execute(
            "UPDATE refunds_payout SET state = 'exported' WHERE id = %s", [payout.pk]
        )
    assert sqlstate_of(refused.value) == SqlState.HOLDER_IS_BLOCKED
    house.void(batch)
    assert Payout.objects.get().state == Payout.State.READY


def test_one_person_enters_a_second_confirms_and_two_lift(
    house: House, customer: Callable[..., Any], officer: Any, second: Any
) -> None:
    holder = customer()
    with pytest.raises(NotPermitted):
        block(holder, house.treasury)
    entered = block(holder, officer)
    with pytest.raises(GuardNotMet, match="of this kind is in force already"):
        block(holder, officer)
    with pytest.raises(GuardNotMet, match="the instant has passed"):
        block(holder, officer, kind="dispute", ends_at=clock.now())
    with pytest.raises(GuardNotMet, match="no customer's account"):
        block(second, officer)
    with pytest.raises(SamePerson):
        decide(entered.subject, officer, approve=True)
    decide(entered.subject, second, approve=True)
    assert PaymentBlock.objects.in_force(clock.now()).get() == entered

    for approve in (False, True):
        request = payment_blocks.ask_lift(entered, actor=officer, reason="taken off the list")
        with pytest.raises(SamePerson):
            decide(request.subject, officer, approve=True)
        assert PaymentBlock.objects.in_force(clock.now()).exists()
        decide(request.subject, second, approve=approve)
    lifted = PaymentBlock.objects.get()
    assert (lifted.lifted_by, PaymentBlock.objects.in_force(clock.now()).count()) == (second, 0)
    with pytest.raises(GuardNotMet, match="it is lifted"):
        payment_blocks.ask_lift(entered, actor=officer, reason="again")
    said = AuditEntry.objects.filter(subject=entered.subject).order_by("seq")
    assert [entry.action.partition(".")[2] for entry in said] == [
        "enter", "approve_entry", "ask_lift", "reject_lift", "ask_lift", "approve_lift",
    ]  # fmt: skip


def test_a_rejected_entry_ends_and_another_ends_by_itself(
    house: House, customer: Callable[..., Any], officer: Any, second: Any
) -> None:
    entered = block(customer(), officer)
    decide(entered.subject, second, approve=False)
    assert not PaymentBlock.objects.in_force(clock.now()).exists()

    block(customer(), officer)
    assert PaymentBlock.objects.in_force(clock.now()).count() == 1
    assert not PaymentBlock.objects.in_force(clock.now() + WEEK).exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE refunds_paymentblock SET lifted_at = winddown_now(), lifted_by_id = entered_by_id",
        "UPDATE refunds_paymentblock SET ends_at = ends_at + interval '1 day'",
        "DELETE FROM refunds_paymentblock",
    ],
)
def test_nobody_ends_or_changes_a_block_alone(
    house: House, customer: Callable[..., Any], officer: Any, statement: str
) -> None:
    block(customer(), officer)
    with pytest.raises(DatabaseError), as_owner(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_page_and_command_enter_and_lift(
    house: House, customer: Callable[..., Any], officer: Any, second: Any, staff: Any
) -> None:
    browser = browser_of(officer, headers={"accept-language": "en"})
    typed = {
        "account": f"account:{customer().pk}",
        "kind": "legal_hold",
        "evidence": "court file 12",
        "ends_at": "2020-03-31T24:00",
        "reason": "an order",
    }
    wrong = browser.post("/console/payment-blocks/enter/", {**typed, "account": "Suzuki"})
    assert "There is no such account" in wrong.content.decode()
    browser.post("/console/payment-blocks/enter/", typed)
    with code_typed(officer):
        call_command(
            "block_payments", "--by", officer.login_id, "--reason", "named",
            "--account", f"account:{customer().pk}", "--kind", "sanction",
            "--evidence", "list 3", "--ends-at", "2020-03-31T24:00",
        )  # fmt: skip
    first, other = PaymentBlock.objects.order_by("pk")
    call_command(
        "lift_payment_block", "--by", officer.login_id, "--reason", "over",
        "--number", str(other.pk),
    )  # fmt: skip
    said = browser_of(second, headers={"accept-language": "ja"}).get("/console/payment-blocks/")
    page = said.content.decode()
    for shown in (f"account:{first.holder_id}", "court file 12", "法的な保全", "有効", "判断する"):
        assert shown in page
    refused = browser_of(staff("support")).get("/console/payment-blocks/")
    assert refused.status_code == 403
    with pytest.raises(SystemExit):
        call_command(
            "lift_payment_block", "--by", staff("support").login_id, "--reason", "over",
            "--number", str(first.pk),
        )  # fmt: skip
