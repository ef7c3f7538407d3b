"""The verbs that move money do what they say once, and a repetition gives the first result."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Sum

from tests import factories
from wallets.models import FundingCard, Hold, Journal, Payment, Posting, TopUp, Wallet
from wallets.movements import charging, posting, spending, withholding
from winddown import clock
from winddown.actors import SYSTEM
from winddown.errors import (
    CapabilityStopped,
    IdempotencyConflict,
    InsufficientBalance,
    LedgerRefused,
    TransitionRefused,
    WalletNotUsable,
)
from winddown.evidence import invariants
from winddown.machines.move import transition_set
from winddown.programme import capabilities

pytestmark = pytest.mark.usefixtures("programme")


def top_up(wallet, amount=100, ref="t", source="register_cash", **more):
    return charging.top_up(
        wallet.pk, source=source, amount_minor=amount, top_up_ref=ref, actor=SYSTEM, **more
    )


def pay(wallet, amount=10, ref="p", **more):
    return spending.pay(
        wallet.pk,
        **{
            "amount_minor": amount,
            "merchant_ref": "shop",
            "payment_ref": ref,
            "actor": SYSTEM,
            **more,
        },
    )


def reserve(wallet, amount=10, ref="r"):
    return spending.reserve(
        wallet.pk, amount_minor=amount, merchant_ref="shop", payment_ref=ref, actor=SYSTEM
    )


def balance(wallet):
    now = Wallet.objects.get(pk=wallet.pk)
    return now.paid_minor, now.bonus_minor, now.held_minor


def account(name):
    total = Posting.objects.filter(account=name).aggregate(total=Sum("amount_minor"))["total"]
    return total or 0


@pytest.fixture(autouse=True)
def the_books_are_right_afterwards(programme):
    yield
    for each in invariants.known():
        if each.code in ("I1", "I4", "I4b", "I4c", "I9", "I9b", "I14", "I18"):
            assert each.breaches() == [], each.statement


# --- top-up -------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", factories.SOURCES)
def test_a_top_up_raises_the_balance_and_the_debt_of_its_source(wallet, source):
    """Rule 34: a bonus is free value, every other source is paid value."""
    one = wallet()
    done = top_up(one, 100, source=source)
    assert balance(one) == ((0, 100, 0) if source == "bonus" else (100, 0, 0))
    assert account(f"funding_{source}") == -100
    assert (done.state, done.switch_version) == ("posted", 1)


def test_a_top_up_that_is_repeated_gives_the_first_result(wallet):
    one = wallet()
    first, again = top_up(one), top_up(one)
    assert first.pk == again.pk
    assert balance(one) == (100, 0, 0)
    assert Journal.objects.filter(source="top_up").count() == 1


@pytest.mark.parametrize("change", [{"amount": 101}, {"source": "points"}, {"wallet": "another"}])
def test_the_same_reference_with_other_values_is_a_conflict(wallet, change):
    one = wallet()
    top_up(one)
    target = wallet() if change.pop("wallet", None) else one
    with pytest.raises(IdempotencyConflict):
        top_up(target, **change)
    assert balance(one) == (100, 0, 0)
    assert TopUp.objects.count() == 1


def test_a_repeated_charge_gives_the_first_result_after_the_stop(wallet, staff):
    """The answer was lost, not the money: the charge had passed before the stop."""
    one = wallet()
    done = top_up(one)
    capabilities.stop("top_up:register_cash", actor=staff("incident_commander"), reason="attack")
    assert top_up(one).pk == done.pk
    with pytest.raises(CapabilityStopped):
        top_up(one, ref="new")
    assert balance(one) == (100, 0, 0)


@pytest.mark.parametrize("amount", [0, -1])
def test_an_amount_that_is_not_positive_is_refused(wallet, amount):
    one = wallet(paid_minor=50)
    for act in (top_up, pay, reserve):
        with pytest.raises(LedgerRefused):
            act(one, amount)
    with pytest.raises(InsufficientBalance):
        withholding.hold(one.pk, amount_minor=amount, reason="x", actor=SYSTEM)
    assert balance(one) == (50, 0, 0)


@pytest.mark.parametrize(
    "state", ["charge_frozen", "held", "closing", "closed", "held_closed", "entitled", "settled"]
)
def test_only_an_active_wallet_can_be_charged(wallet, state):
    """A closed wallet cannot be charged, nor a frozen one."""
    one = wallet(state=state)
    with pytest.raises(WalletNotUsable):
        top_up(one)
    assert balance(one) == (0, 0, 0)


def test_an_authorised_charge_moves_no_money_until_it_is_posted(wallet):
    one = wallet()
    waiting = top_up(one, authorised_only=True)
    assert (waiting.state, balance(one)) == ("authorised", (0, 0, 0))
    posted = charging.post_authorised(waiting, actor=SYSTEM)
    assert (posted.state, balance(one)) == ("posted", (100, 0, 0))
    with pytest.raises(TransitionRefused):
        charging.post_authorised(posted, actor=SYSTEM)
    assert balance(one) == (100, 0, 0)


def test_a_withheld_charge_cannot_be_credited(wallet, staff):
    """Rule 3."""
    one = wallet()
    waiting = top_up(one, authorised_only=True)
    with transaction.atomic():
        transition_set(TopUp.objects.filter(pk=waiting.pk), "withhold", run=None)
    with pytest.raises(TransitionRefused):
        charging.post_authorised(waiting, actor=SYSTEM)
    assert TopUp.objects.get(pk=waiting.pk).state == "pending_reversal"
    assert balance(one) == (0, 0, 0)


def test_an_authorised_charge_is_not_posted_after_the_stop(wallet, staff):
    """Rule 3."""
    one = wallet()
    waiting = top_up(one, authorised_only=True)
    capabilities.stop("top_up:register_cash", actor=staff("incident_commander"), reason="x")
    with pytest.raises(CapabilityStopped):
        charging.post_authorised(waiting, actor=SYSTEM)
    assert balance(one) == (0, 0, 0)


def test_an_authorised_charge_is_not_posted_to_a_held_wallet(wallet):
    """An authorised charge obeys the state of its wallet as a new one does."""
    one = wallet()
    waiting = top_up(one, authorised_only=True)
    factories.bring_to(Wallet.objects.get(pk=one.pk), "held")
    with pytest.raises(WalletNotUsable):
        charging.post_authorised(waiting, actor=SYSTEM)
    assert TopUp.objects.get(pk=waiting.pk).state == "authorised"
    assert balance(one) == (0, 0, 0)


def test_only_a_card_charge_names_a_card(wallet):
    one = wallet()
    card = FundingCard.objects.create(
        card_ref="c",
        account_id=one.account_id,
        issuer_code="i",
        brand="b",
        funding="credit",
        card_token="token",
        bin="411111",
        last4="1111",
        registered_at=clock.now(),
    )
    assert top_up(one, source="credit_card", card=card).card == card
    with pytest.raises(
        DatabaseError, match="points is no funding source of the programme that fits"
    ):
        top_up(one, source="points", card=card, ref="u")


# --- payment ------------------------------------------------------------------------------------


def test_a_payment_takes_bonus_value_first(wallet):
    one = wallet(paid_minor=100, bonus_minor=30)
    done = pay(one, 50)
    assert (done.bonus_part_minor, done.paid_part_minor) == (30, 20)
    assert balance(one) == (80, 0, 0)
    assert account("merchants") == 50


def test_a_payment_that_is_repeated_gives_the_first_result(wallet, staff):
    one = wallet(paid_minor=100)
    first = pay(one)
    assert pay(one).pk == first.pk
    capabilities.stop("spend", actor=staff("incident_commander"), reason="x")
    assert pay(one).pk == first.pk
    assert balance(one) == (90, 0, 0)


@pytest.mark.parametrize("change", [{"amount": 11}, {"merchant_ref": "x"}, {"wallet": "another"}])
def test_the_same_payment_with_other_values_is_a_conflict(wallet, change):
    one = wallet(paid_minor=100)
    pay(one)
    target = wallet(paid_minor=100) if change.pop("wallet", None) else one
    with pytest.raises(IdempotencyConflict):
        pay(target, **change)
    assert (balance(one), Payment.objects.count()) == ((90, 0, 0), 1)


def test_a_payment_above_the_balance_is_refused(wallet):
    one = wallet(paid_minor=100, bonus_minor=5)
    with pytest.raises(InsufficientBalance) as refusal:
        pay(one, 106)
    assert refusal.value.facts["available_minor"] == 105
    pay(one, 105)
    assert balance(one) == (0, 0, 0)


def test_a_frozen_wallet_pays_and_a_held_one_does_not(wallet):
    """Rule 5: other wallets pay normally."""
    frozen, held, other = (
        wallet(paid_minor=10, state="charge_frozen"),
        wallet(paid_minor=10, state="held"),
        wallet(paid_minor=10),
    )
    pay(frozen, ref="frozen")
    pay(other, ref="other")
    with pytest.raises(WalletNotUsable):
        pay(held, ref="held")
    assert [balance(w)[0] for w in (frozen, held, other)] == [0, 10, 0]


def test_a_payment_after_the_stop_of_spending_is_refused(wallet, staff):
    one = wallet(paid_minor=100)
    capabilities.stop("spend", actor=staff("incident_commander"), reason="attack")
    with pytest.raises(CapabilityStopped):
        pay(one, 10)
    assert balance(one) == (100, 0, 0)


@pytest.mark.parametrize("state", ["closing", "closed", "entitled", "settled"])
def test_a_closing_wallet_cannot_pay(wallet, state):
    one = wallet(paid_minor=10, state=state)
    with pytest.raises(WalletNotUsable):
        pay(one)


def test_a_payment_can_be_undone_once(wallet):
    one = wallet(paid_minor=100, bonus_minor=30)
    done = pay(one, 50)
    undone = spending.reverse(done, actor=SYSTEM, reason="returned goods")
    assert (undone.state, balance(one)) == ("reversed", (100, 30, 0))
    assert account("merchants") == 0
    journal = Journal.objects.get(kind="reverse")
    assert journal.reverses == Journal.objects.get(kind="pay")
    with pytest.raises(TransitionRefused):
        spending.reverse(done, actor=SYSTEM, reason="again")
    assert balance(one) == (100, 30, 0)


# --- reserve, then post or void, exactly one ----------------------------------------------------


def test_reserved_value_cannot_be_spent(wallet):
    one = wallet(paid_minor=100)
    reserve(one, 70)
    assert (balance(one)[0], account("reservations"), account("merchants")) == (30, 70, 0)
    with pytest.raises(InsufficientBalance):
        pay(one, 31)


@pytest.mark.parametrize("captured", [True, False])
def test_a_settled_reservation_cannot_be_settled_the_other_way(wallet, captured):
    one = wallet(paid_minor=100, bonus_minor=30)
    held = reserve(one, 50)
    done = spending.settle(held, captured=captured, actor=SYSTEM)
    assert done.state == ("posted" if captured else "voided")
    expected = ((80, 0, 0), 50) if captured else ((100, 30, 0), 0)
    assert (balance(one), account("merchants")) == expected
    assert account("reservations") == 0
    for outcome in (True, False):
        for payment in (held, done):
            with pytest.raises(TransitionRefused):
                spending.settle(payment, captured=outcome, actor=SYSTEM)
    assert (balance(one), account("merchants")) == expected


def test_the_ledger_refuses_a_second_outcome_of_a_reservation(wallet):
    """Also a mistake in the machine could not post and void: the ledger refuses the second."""
    one = wallet(paid_minor=100)
    held = reserve(one, 50)
    spending.settle(held, captured=True, actor=SYSTEM)
    with pytest.raises(DatabaseError, match="journal_idempotency"), transaction.atomic():
        posting.post(
            [("reservations", None, -50), ("wallet_paid", one.pk, 50)],
            source="payment",
            source_id=held.pk,
            kind="settle",
            occurred_at=clock.now(),
            actor=SYSTEM,
        )


def test_a_settled_reservation_can_be_undone(wallet):
    one = wallet(paid_minor=100)
    done = spending.settle(reserve(one, 50), captured=True, actor=SYSTEM)
    spending.reverse(done, actor=SYSTEM, reason="returned goods")
    assert (balance(one), account("merchants")) == ((100, 0, 0), 0)


# --- holds --------------------------------------------------------------------------------------


def test_a_hold_keeps_its_part_and_leaves_the_rest_spendable(wallet):
    one = wallet(paid_minor=100, bonus_minor=10)
    withholding.hold(one.pk, amount_minor=60, reason="taint", actor=SYSTEM)
    assert balance(one) == (100, 10, 60)
    with pytest.raises(InsufficientBalance):
        pay(one, 51)
    pay(one, 50)
    assert balance(one) == (60, 0, 60)


def test_a_hold_takes_only_free_paid_value(wallet):
    one = wallet(paid_minor=100, bonus_minor=50)
    withholding.hold(one.pk, amount_minor=60, reason="taint", actor=SYSTEM)
    with pytest.raises(InsufficientBalance):
        withholding.hold(one.pk, amount_minor=41, reason="taint", actor=SYSTEM)
    withholding.hold(one.pk, amount_minor=40, reason="taint", actor=SYSTEM)
    assert balance(one) == (100, 50, 100)


def test_a_hold_is_released_or_taken_once(wallet):
    """Rule 22: what is clawed back leaves the wallet and lowers the loss."""
    one = wallet(paid_minor=100)
    first = withholding.hold(one.pk, amount_minor=60, reason="taint", actor=SYSTEM)
    second = withholding.hold(one.pk, amount_minor=30, reason="taint", actor=SYSTEM)
    withholding.release(first, actor=SYSTEM)
    withholding.claw_back(second, actor=SYSTEM)
    assert balance(one) == (70, 0, 0)
    assert account("fraud_loss") == 30
    for held in (first, second):
        for verb in (withholding.release, withholding.claw_back):
            with pytest.raises(TransitionRefused):
                verb(held, actor=SYSTEM)
    assert balance(one) == (70, 0, 0)
    assert sorted(Hold.objects.values_list("state", flat=True)) == ["released", "taken"]


# --- the ledger itself --------------------------------------------------------------------------


def journal(lines, *, source_id=1, kind="test"):
    return posting.post(
        lines,
        source="test",
        source_id=source_id,
        kind=kind,
        occurred_at=clock.now(),
        actor=SYSTEM,
    )


def refused(match, lines, **key):
    with pytest.raises(DatabaseError, match=match), transaction.atomic():
        journal(lines, **key)


def test_a_journal_sums_to_zero():
    """I1."""
    refused("does not sum to zero", [("bank", None, 5), ("merchants", None, -4)])
    refused("does not sum to zero", [("bank", None, 5)])
    refused("does not sum to zero", [("bank", None, 2**40), ("merchants", None, -(2**40) + 1)])
    journal([("bank", None, 5), ("merchants", None, -5)])


def test_each_of_several_journals_in_one_statement_sums_to_zero():
    """Two wrongs that cancel out are still two wrongs."""
    with transaction.atomic():
        one, other = journal([], source_id=1), journal([], source_id=2)
        with (
            pytest.raises(DatabaseError, match=f"journal {one} does not sum"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(
                "INSERT INTO wallets_posting (journal_id, account, amount_minor)"
                " VALUES (%s, 'bank', 5), (%s, 'bank', -5)",
                [one, other],
            )


def test_a_posting_to_an_old_journal_is_refused(own_database, programme):
    number = journal([("bank", None, 5), ("merchants", None, -5)])
    with pytest.raises(DatabaseError, match="journal of the same transaction"):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO wallets_posting (journal_id, account, amount_minor)"
                " VALUES (%s, 'bank', 5), (%s, 'merchants', -5)",
                [number, number],
            )
    assert Posting.objects.filter(journal_id=number).count() == 2


def test_a_posting_without_a_journal_is_refused():
    with pytest.raises(DatabaseError, match="same transaction"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO wallets_posting (journal_id, account, amount_minor)"
                " VALUES (999999, 'bank', 5), (999999, 'merchants', -5)"
            )


def test_a_movement_has_one_journal_of_each_kind():
    journal([("bank", None, 5), ("merchants", None, -5)])
    refused("journal_idempotency", [("bank", None, 5), ("merchants", None, -5)])


def test_a_posting_needs_a_known_account_and_where_required_a_wallet(wallet):
    one = wallet()
    refused("posting_account_known", [("cash_box", None, 5), ("bank", None, -5)])
    refused("posting_wallet_where_needed", [("wallet_paid", None, 5), ("bank", None, -5)])
    refused("posting_wallet_where_needed", [("bank", one.pk, 5), ("merchants", None, -5)])


@pytest.mark.parametrize(
    ("column", "value", "constraint"),
    [
        ("paid_minor", -1, "paid_value_not_negative|held_part"),
        ("bonus_minor", -1, "bonus_value_not_negative"),
        ("held_minor", -1, "held_part_of_paid_value"),
        ("held_minor", 101, "held_part_of_paid_value"),
    ],
)
def test_no_writer_can_make_an_impossible_balance(wallet, column, value, constraint):
    one = wallet(paid_minor=100)
    with pytest.raises(DatabaseError, match=constraint), transaction.atomic():
        Wallet.objects.filter(pk=one.pk).update(**{column: value})


def test_a_late_reversal_to_a_closed_wallet_is_refused(wallet):
    """A sealed balance stays what it was: a late reversal is refused."""
    one = wallet(paid_minor=100)
    done = pay(one, 50)
    factories.bring_to(one, "closed")
    with pytest.raises(WalletNotUsable):
        spending.reverse(done, actor=SYSTEM, reason="late")
    assert balance(one) == (50, 0, 0)
