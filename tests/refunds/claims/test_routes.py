"""Routes to a remedy: a pure table over funding, answer and cut-off."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refunds.bankfiles.calendar import is_bank_business_day
from refunds.models import IssuerAnswer, Loss, Remedy
from refunds.remedies import routes
from refunds.remedies.exchange_lines import ANSWER_CODES

TERMS = routes.BillingTerms(closes_on_day=15, pays_on_day=10, stop_before_days=5, margin_days=2)


def test_a_credit_loss_before_the_cut_off_is_stopped_and_after_it_refunded() -> None:
    """Rule 18."""
    assert routes.first_route("credit", cut_off_ahead=True) == "stop_debit"
    assert routes.first_route("credit", cut_off_ahead=False) == "issuer_refund"


@pytest.mark.parametrize("ahead", [True, False])
def test_a_debit_of_a_debit_card_is_never_stopped(ahead: bool) -> None:
    """Rule 20."""
    assert routes.first_route("debit", cut_off_ahead=ahead) == "debit_reimbursement"


def test_points_are_returned_and_own_balance_is_paid() -> None:
    assert routes.first_route("points", cut_off_ahead=False) == "points_recredit"
    assert routes.first_route("own_balance", cut_off_ahead=True) == "compensation_payout"


@pytest.mark.parametrize(
    ("answer", "following"),
    [
        ("too_late_will_repay", "issuer_refund"),
        ("too_late_cannot", "compensation_payout"),
        ("declined", "compensation_payout"),
        ("cardholder_unknown", "compensation_payout"),
    ],
)
def test_a_late_or_declined_stop_has_a_next_route(answer: str, following: str) -> None:
    """Rule 19."""
    assert routes.after_answer("stop_debit", funding="credit", answer=answer).next == following


def test_a_debit_card_cannot_answer_that_its_debit_was_stopped() -> None:
    """Rule 20."""
    with pytest.raises(routes.NoRoute):
        routes.after_answer("debit_reimbursement", funding="debit", answer="accepted_debit_stopped")


@pytest.mark.parametrize("kind", ["stop_debit", "issuer_refund", "debit_reimbursement"])
@pytest.mark.parametrize("answer", sorted(ANSWER_CODES))
def test_every_answer_ends_continues_or_repeats_the_remedy(kind: str, answer: str) -> None:
    try:
        outcome = routes.after_answer(kind, funding="credit", answer=answer)
    except routes.NoRoute:
        assert answer in {"accepted_debit_stopped", "too_late_will_repay"}
        return
    said = {answer: outcome.done, "next": outcome.next}
    assert outcome.done is None or outcome.next is None
    assert (outcome.done, outcome.next) != (None, None) or answer == "need_info", said


def test_the_table_uses_the_values_of_the_models() -> None:
    assert set(ANSWER_CODES) == set(IssuerAnswer.Code.values)
    assert {funding for funding, _ in routes.FIRST} == set(Loss.Funding.values)
    named = {kind for kind, _ in routes.AFTER} | set(routes.FIRST.values())
    named |= {each for out in routes.AFTER.values() for each in (out.done, out.next) if each}
    assert named == set(Remedy.Kind.values)


def test_a_charge_on_the_closing_day_is_debited_the_month_after() -> None:
    """2019-08-10 is a Saturday and 12 August a holiday, so the debit is on the 13th."""
    assert routes.debit_on(dt.date(2019, 7, 15), TERMS) == dt.date(2019, 8, 13)
    assert routes.debit_on(dt.date(2019, 7, 16), TERMS) == dt.date(2019, 9, 10)


def test_the_cut_off_and_our_deadline_are_before_the_debit() -> None:
    """Rule 18."""
    assert routes.cut_off_on(dt.date(2019, 7, 2), TERMS) == dt.date(2019, 8, 8)
    assert routes.deadline_on(dt.date(2019, 7, 2), TERMS) == dt.date(2019, 8, 6)


def test_the_last_day_of_a_month_closes_a_bill_in_february_too() -> None:
    terms = routes.BillingTerms(closes_on_day=31, pays_on_day=31, stop_before_days=0, margin_days=0)
    assert routes.debit_on(dt.date(2019, 2, 28), terms) == dt.date(2019, 4, 1)
    assert routes.debit_on(dt.date(2019, 12, 31), terms) == dt.date(2020, 1, 31)


days = st.integers(min_value=1, max_value=31)


@given(
    spent_on=st.dates(min_value=dt.date(2019, 1, 1), max_value=dt.date(2024, 12, 31)),
    closes=days,
    pays=days,
)
def test_a_debit_is_on_a_business_day_after_the_bill_closed(
    spent_on: dt.date, closes: int, pays: int
) -> None:
    terms = routes.BillingTerms(
        closes_on_day=closes, pays_on_day=pays, stop_before_days=0, margin_days=0
    )
    debit = routes.debit_on(spent_on, terms)
    assert is_bank_business_day(debit)
    assert 0 < (debit - spent_on).days <= 31 + 31 + 31 + 10
    assert routes.debit_on(spent_on + dt.timedelta(days=1), terms) >= debit
