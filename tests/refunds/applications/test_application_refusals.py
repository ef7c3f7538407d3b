"""What an applicant may not do changes nothing."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from refunds.applications import payees, review, submitting
from refunds.applications.payees import PayeeRefused
from refunds.bank_accounts import Account
from refunds.models import Entitlement, Payee, RefundApplication
from tests.refunds.conftest import House, jst, person
from winddown import clock
from winddown.errors import CapabilityStopped
from winddown.programme import capabilities

pytestmark = pytest.mark.django_db


def test_another_amount_than_the_one_owed_is_not_confirmed(house: House) -> None:
    (owed,) = house.entitled(1)
    sent = house.apply(owed, channel="web", confirmed_minor=None)
    review.verify(sent, actor=house.support, reason="licence seen")
    with pytest.raises(submitting.AmountDiffers):
        review.confirm_amount(sent, confirmed_minor=999, actor=owed.wallet.account)
    assert RefundApplication.objects.get().state == "verified"


def test_nobody_corrects_an_account_that_was_not_asked_for(house: House, customer: Any) -> None:
    (owed,) = house.entitled(1)
    approved = house.apply(owed)
    for holder in (customer(), owed.wallet.account):
        with pytest.raises(submitting.NothingOwed):
            review.correct_payee(holder, house.account(), actor=holder)
    assert Payee.objects.get().pk == approved.payee_id


def test_a_correction_that_no_bank_carries_leaves_the_application_waiting(house: House) -> None:
    (owed,) = house.entitled(1)
    asked = house.apply(owed, quality="no_such_account")
    house.check_payees()
    holder = owed.wallet.account
    with pytest.raises(PayeeRefused):
        review.correct_payee(holder, house.account(name="山田"), actor=holder)
    assert RefundApplication.objects.get().state == "needs_info"
    assert Payee.objects.get().pk == asked.payee_id


def test_an_account_that_no_bank_carries_is_not_entered(house: House, customer: Any) -> None:
    holder = customer()
    with pytest.raises(PayeeRefused):
        payees.enter(holder, Account("0001", "999", "1", "1234567", "ヤマダ"), actor=holder)
    assert not Payee.objects.exists()


def test_no_draft_is_kept_for_a_customer_who_is_owed_nothing(house: House, customer: Any) -> None:
    house.entitled(1)
    stranger = customer()
    with pytest.raises(submitting.NothingOwed):
        submitting.save_draft(stranger, channel="app", step=1, answers={}, actor=stranger)
    assert not RefundApplication.objects.exists()


def test_no_draft_is_kept_while_applications_are_stopped(house: House) -> None:
    (owed,) = house.entitled(1)
    capabilities.stop(
        "refund_apply", actor=person("winddown.stop_capability"), reason="something is wrong"
    )
    holder = owed.wallet.account
    with pytest.raises(CapabilityStopped):
        submitting.save_draft(holder, channel="app", step=1, answers={}, actor=holder)
    assert not RefundApplication.objects.exists()


def test_without_an_account_the_current_payee_is_paid(house: House) -> None:
    (owed,) = house.entitled(1)
    holder = owed.wallet.account

    def applied() -> RefundApplication:
        return submitting.submit(
            holder, channel="app", op_id=uuid.uuid4(), actor=holder, confirmed_minor=1000
        )

    with pytest.raises(PayeeRefused, match="none was given"):
        applied()
    entered = payees.enter(holder, house.account(), actor=holder)
    assert applied().payee == entered


def test_a_holder_whose_entitlement_was_excluded_may_still_make_a_late_claim(house: House) -> None:
    (owed,) = house.entitled(1)
    clock.travel(jst("2020-01-11T00:00"), frozen=True)
    assert house.run("exclude").state == "succeeded"
    late = house.apply(Entitlement.objects.get(), late_reason="was in hospital")
    assert (late.state, late.late, late.live) == ("identity_check", True, True)
    assert Entitlement.objects.get(pk=owed.pk).state == "excluded"
