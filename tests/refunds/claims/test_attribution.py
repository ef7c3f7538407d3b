"""What a thief and a holder spent out of one wallet, by hand and by property."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refunds.attribution.lots import (
    Came,
    CameBack,
    Person,
    Policy,
    Portion,
    Taken,
    Went,
    trace,
)

HOLDER, THIEF, UNKNOWN = Person.HOLDER, Person.THIEF, Person.UNKNOWN


@pytest.mark.parametrize("policy", Policy)
def test_who_paid_decides_before_any_policy(policy):
    found = trace(
        [
            Came("cash 1", HOLDER, 10_000),
            Came("card", THIEF, 30_000),
            Went("lunch", HOLDER, 2_000),
            Went("goods", THIEF, 25_000),
            Came("cash 2", HOLDER, 5_000),
        ],
        policy=policy,
    )
    assert (found.charged_minor, found.own_spent, found.thief_left_minor) == (30_000, {}, 5_000)
    assert (found.own_left_minor, found.own_position_minor) == (13_000, 13_000)


@pytest.mark.parametrize("policy", Policy)
def test_a_payment_that_straddles_charged_and_own_value_is_lost_in_its_own_part(policy):
    found = trace(
        [
            Came("cash", HOLDER, 10_000),
            Came("card", THIEF, 30_000),
            Went("goods", THIEF, 35_000),
        ],
        policy=policy,
    )
    assert found.own_spent == {"goods": (Portion("cash", 5_000),)}
    assert (found.thief_left_minor, found.own_position_minor) == (0, 10_000)


@pytest.mark.parametrize(
    ("policy", "own_left", "thief_left"),
    [
        (Policy.FIFO, 0, 20_000),
        (Policy.LIFO, 10_000, 10_000),
        (Policy.PROPORTIONAL, 5_000, 15_000),
    ],
)
def test_the_policy_decides_what_nobody_can_attribute(policy, own_left, thief_left):
    found = trace(
        [
            Came("cash", HOLDER, 10_000),
            Came("card", THIEF, 30_000),
            Went("shop", UNKNOWN, 20_000),
        ],
        policy=policy,
    )
    assert (found.own_left_minor, found.thief_left_minor) == (own_left, thief_left)
    assert not found.own_spent


def test_what_the_holder_spends_of_the_charge_is_owed_back():
    found = trace(
        [Came("cash", HOLDER, 1_000), Came("card", THIEF, 30_000), Went("shop", HOLDER, 4_000)],
        policy=Policy.FIFO,
    )
    assert (found.holder_used_minor, found.own_position_minor) == (3_000, -3_000)
    assert found.thief_left_minor == 27_000


def test_a_reversed_payment_returns_to_the_lots_it_came_from():
    before = [
        Came("cash", HOLDER, 10_000),
        Came("card", THIEF, 30_000),
        Went("goods", THIEF, 35_000),
    ]
    part = trace([*before, CameBack("goods", 4_000)], policy=Policy.FIFO)
    assert part.own_spent == {"goods": (Portion("cash", 1_000),)}
    assert (part.own_left_minor, part.thief_left_minor) == (9_000, 0)
    whole = trace([*before, CameBack("goods", 35_000)], policy=Policy.FIFO)
    assert not whole.own_spent
    assert (whole.own_left_minor, whole.thief_left_minor) == (10_000, 30_000)


def test_a_claw_back_takes_the_charges_first():
    found = trace(
        [Came("cash", HOLDER, 100), Came("card", THIEF, 300), Taken("hold", 250)],
        policy=Policy.FIFO,
    )
    assert (found.own_left_minor, found.thief_left_minor, found.own_taken_minor) == (100, 50, 0)
    more = trace(
        [Came("cash", HOLDER, 100), Came("card", THIEF, 300), Taken("hold", 340)],
        policy=Policy.FIFO,
    )
    assert (more.own_left_minor, more.thief_left_minor, more.own_taken_minor) == (60, 0, 40)


def test_units_that_rounding_leaves_go_to_the_largest_fractions():
    lots = [Came(str(place), HOLDER, 1) for place in range(3)]
    found = trace(
        [*lots, Came("card", THIEF, 1), Went("x", UNKNOWN, 2)], policy=Policy.PROPORTIONAL
    )
    assert (found.own_left_minor, found.thief_left_minor) == (1, 1)


def test_a_history_of_another_wallet_is_refused():
    with pytest.raises(ValueError, match="1 more than the wallet has"):
        trace([Came("a", HOLDER, 1), Went("b", THIEF, 2)], policy=Policy.FIFO)
    with pytest.raises(ValueError, match="1 more than it took"):
        trace([Came("a", HOLDER, 1), Went("b", THIEF, 1), CameBack("b", 2)], policy=Policy.FIFO)


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["came", "went", "back", "taken"]),
        st.sampled_from(list(Person)),
        st.integers(1, 60_000),
    ),
    max_size=30,
)


@given(moves=MOVES, policy=st.sampled_from(list(Policy)))
def test_every_unit_is_somewhere_and_the_own_position_is_restored(moves, policy):
    events, balance, own, gone = [], 0, 0, {}
    for place, (kind, by, amount) in enumerate(moves):
        key = f"m{place}"
        if kind == "came":
            by = HOLDER if by is UNKNOWN else by
            events.append(Came(key, by, amount))
            balance += amount
            own += amount if by is HOLDER else 0
        elif kind == "went" and balance:
            amount = min(amount, balance)
            events.append(Went(key, by, amount))
            gone[key] = (by, amount)
            balance -= amount
            own -= amount if by is HOLDER else 0
        elif kind == "back" and gone:
            key, (by, left) = gone.popitem()
            events.append(CameBack(key, left))
            balance += left
            own += left if by is HOLDER else 0
        elif kind == "taken" and trace(events, policy=policy).thief_left_minor:
            amount = min(amount, trace(events, policy=policy).thief_left_minor)
            events.append(Taken(key, amount))
            balance -= amount
    found = trace(events, policy=policy)
    assert found.own_left_minor + found.thief_left_minor == balance
    assert min(found.own_left_minor, found.thief_left_minor, found.holder_used_minor) >= 0
    lost = found.charged_minor + found.own_spent_minor
    assert lost >= 0
    if all(by is not UNKNOWN for kind, by, _ in moves if kind in ("went", "back")):
        # The wallet after claw-back, with compensation, less what the holder used of the charges.
        assert found.own_position_minor == own
