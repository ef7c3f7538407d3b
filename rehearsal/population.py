"""Honest people and their money: when they register, what they charge and spend, and what they
keep.

Balances are made backwards. The closing balance of every wallet is drawn first, so that the number
of holders and the sum are exact. Then payments are made in time order so that this balance is left.

- Bonus value is spent before paid value, and every bonus is granted before the wallet's first
  payment. What a wallet has left is therefore the same whether payments are applied one by one or
  file by file.
- A payment never exceeds what has arrived by then less what must remain at the close, so no
  balance ever goes negative.
- Every authorised payment is captured in full after the close; closing balances are meant after
  that.
"""

import math
from array import array
from bisect import bisect_left
from enum import IntEnum
from random import Random
from typing import NamedTuple

from rehearsal.case_files import DAY, HOUR

# The share of all registrations that had happened so many hours after launch: a rush, with three
# quiet nights.
_REGISTERED_SHARE = (
    (0, 0.0),
    (6, 0.03),
    (12, 0.28),
    (24, 0.62),
    (30, 0.635),
    (48, 0.82),
    (54, 0.83),
    (72, 0.94),
    (78, 0.945),
)
_CLOSING_SPREAD = 1.2
_CLOSING_WEIGHT_MAX = 40.0
_ONE_YEN_SHARE = 0.05
_CARD_SHARE_OF_TOP_UPS = 0.8
_TOP_UP_AMOUNTS = (1_000, 1_000, 1_000, 2_000, 3_000, 3_000, 5_000, 5_000, 10_000)
_BONUS_AMOUNTS = (100, 300, 500, 1_000)
_BONUS_SHARE = 0.15
_BONUS_KEPT_SHARE = 0.04
_PAYMENTS_MAX = 8


class TopUp(NamedTuple):
    """One top-up. The truth files list `marked` ones. An authorised one never becomes value."""

    at: int
    source: str
    amount_minor: int
    authorised: bool = False
    marked: bool = False


class Payment(NamedTuple):
    """One payment. With `away` it is in another prefecture than the customer's own."""

    at: int
    amount_minor: int
    away: bool = False
    authorised: bool = False
    marked: bool = False


class History(NamedTuple):
    """All movements of one wallet in time order, and the value that is left at the close."""

    top_ups: list[TopUp]
    payments: list[Payment]
    paid_minor: int = 0
    bonus_minor: int = 0


class Fate(IntEnum):
    """What a holder does about the refund. Only PAID ones have it by 9 January 2020."""

    NEVER_APPLIES = 0
    PAID = 1
    PAID_NO_SUCH_ACCOUNT = 2
    PAID_NAME_MISMATCH = 3
    PAID_CLOSED_ONCE = 4
    ALWAYS_BAD = 5
    PENDING = 6
    LAST_DAYS = 7
    LATE = 8


class Closing(NamedTuple):
    amount_minor: int
    fate: Fate


class Stops(NamedTuple):
    """The first seconds after launch at which something is no longer possible."""

    card_top_ups: int
    all_top_ups: int
    spending: int


def registration_times(rng: Random, *, accounts: int, until: int) -> "array[int]":
    """Returns the second of registration of every account, in the order of the accounts' numbers.
    All are below `until`.
    """
    curve = [(hours * HOUR, share) for hours, share in _REGISTERED_SHARE] + [(until, 1.0)]
    times = array("q")
    (left, left_share), segment = curve[0], 1
    right, right_share = curve[1]
    for number in range(accounts):
        share = (number + rng.random()) / accounts
        while share >= right_share and segment < len(curve) - 1:
            segment += 1
            left, left_share, (right, right_share) = right, right_share, curve[segment]
        within = (share - left_share) / (right_share - left_share)
        times.append(min(until - 1, left + int((right - left) * within)))
    return times


def registered_before(times: "array[int]", second: int) -> int:
    """Returns how many accounts exist before this second. They have the lowest numbers."""
    return bisect_left(times, second)


class Closings:
    """The closing balances of all holders, exact in number and sum, with a long tail. Holders who
    are paid by 9 January have exactly the published share of the money, so their balances are the
    larger ones. The balances are given out one by one in a shuffled order.
    """

    def __init__(
        self, rng: Random, *, holders: int, total_minor: int, paid: int, paid_minor: int
    ) -> None:
        paid_amounts = _long_tail(rng, people=paid, total=paid_minor)
        unpaid_amounts = _long_tail(rng, people=holders - paid, total=total_minor - paid_minor)
        codes = array("q")
        for amount, fate in zip(paid_amounts, _paid_fates(paid), strict=True):
            codes.append(amount << 4 | fate)
        for amount, fate in zip(unpaid_amounts, _unpaid_fates(holders - paid), strict=True):
            codes.append(amount << 4 | fate)
        rng.shuffle(codes)
        self._codes = codes

    def take(self) -> Closing:
        code = self._codes.pop()
        return Closing(amount_minor=code >> 4, fate=Fate(code & 15))

    def __len__(self) -> int:
        return len(self._codes)


def _long_tail(rng: Random, *, people: int, total: int) -> list[int]:
    """Returns amounts of at least one unit that add up to `total` exactly."""
    weights = [
        0.0
        if rng.random() < _ONE_YEN_SHARE
        else min(_CLOSING_WEIGHT_MAX, math.exp(rng.gauss(0.0, _CLOSING_SPREAD)))
        for _ in range(people)
    ]
    scale = (total - people) / sum(weights)
    amounts = [1 + int(weight * scale) for weight in weights]
    # Rounding down leaves less than one unit for each person. People with one yen must keep one
    # yen.
    left = total - sum(amounts)
    for position, weight in enumerate(weights):
        if left == 0:
            break
        if weight:
            amounts[position] += 1
            left -= 1
    amounts[weights.index(max(weights))] += left
    return amounts


def _paid_fates(people: int) -> list[Fate]:
    """Returns the fates of the paid. About one transfer in fifty comes back for one of three
    reasons, and then succeeds.
    """
    returned = max(6, round(people * 0.02))
    reasons = (Fate.PAID_NO_SUCH_ACCOUNT, Fate.PAID_NAME_MISMATCH, Fate.PAID_CLOSED_ONCE)
    fates = [reasons[position % 3] for position in range(returned)]
    return fates + [Fate.PAID] * (people - returned)


def _unpaid_fates(people: int) -> list[Fate]:
    fates = [Fate.ALWAYS_BAD] * max(3, round(people * 0.003))
    fates += [Fate.PENDING] * max(5, round(people * 0.06))
    fates += [Fate.LAST_DAYS] * max(5, round(people * 0.02))
    fates += [Fate.LATE] * max(3, round(people * 0.003))
    return fates + [Fate.NEVER_APPLIES] * (people - len(fates))


def everyday_history(
    rng: Random,
    *,
    opened: int,
    closing_minor: int,
    card: str | None,
    stops: Stops,
    ends_authorised: bool = False,
) -> History:
    """Returns one to three top-ups, and payments that leave what must remain. With
    `ends_authorised` the last payment is only authorised, within the hour before spending ends.
    """
    if closing_minor and not ends_authorised and rng.random() < _BONUS_KEPT_SHARE:
        return _bonus_kept_history(rng, opened=opened, closing_minor=closing_minor, stops=stops)
    first = _soon(rng, after=opened + 300, before=stops.all_top_ups - 600, eagerness=3.0)
    amounts = [_pick(rng, _TOP_UP_AMOUNTS) for _ in range(1 + int(rng.random() ** 2 * 3))]
    needed = closing_minor + (1 if ends_authorised else 0)
    while sum(amounts) < needed:
        amounts.append(10_000 if needed - sum(amounts) > 5_000 else 5_000)
    later = [
        _soon(rng, after=first + 60, before=stops.all_top_ups, eagerness=1.5) for _ in amounts[1:]
    ]
    times = [first, *sorted(later)]
    top_ups = [
        TopUp(at, everyday_source(rng, at=at, card=card, stops=stops), amount)
        for at, amount in zip(times, amounts, strict=True)
    ]
    if rng.random() < _BONUS_SHARE:
        top_ups.insert(1, TopUp(first + 5, "bonus", _pick(rng, _BONUS_AMOUNTS)))
    payments = spend_down(
        rng,
        arrivals=[(row.at, row.amount_minor) for row in top_ups],
        keep=closing_minor,
        until=stops.spending,
        ends_authorised=ends_authorised,
    )
    return History(top_ups, payments, paid_minor=closing_minor)


def bonus_only_history(rng: Random, *, opened: int) -> History:
    """Returns the history of a customer who has only free value and keeps it. None of it is
    refunded.
    """
    amount = _pick(rng, _BONUS_AMOUNTS)
    return History([TopUp(opened + 5, "bonus", amount)], [], bonus_minor=amount)


def authorised_top_up(rng: Random, *, stops: Stops) -> TopUp:
    """Returns a credit card top-up that was authorised in the last hour before the stop and never
    posted.
    """
    at = stops.card_top_ups - HOUR + int(rng.random() * HOUR)
    return TopUp(at, "credit_card", _pick(rng, _TOP_UP_AMOUNTS), authorised=True)


def _bonus_kept_history(rng: Random, *, opened: int, closing_minor: int, stops: Stops) -> History:
    """Returns points that were exchanged one to one and not spent, because the bonus was not used
    up.
    """
    first = _soon(rng, after=opened + 300, before=stops.all_top_ups - 600, eagerness=3.0)
    bonus = _pick(rng, _BONUS_AMOUNTS)
    spent = int(rng.random() * bonus)
    top_ups = [TopUp(first, "points", closing_minor), TopUp(first + 5, "bonus", bonus)]
    payments = []
    if spent:
        at = _soon(rng, after=first + 600, before=stops.spending, eagerness=2.5)
        payments.append(Payment(at, spent))
    return History(top_ups, payments, paid_minor=closing_minor, bonus_minor=bonus - spent)


def everyday_source(rng: Random, *, at: int, card: str | None, stops: Stops) -> str:
    """Returns the source of an honest top-up. It is a card only if the customer has one, and only
    before its stop.
    """
    if card and at < stops.card_top_ups and rng.random() < _CARD_SHARE_OF_TOP_UPS:
        return card
    draw = rng.random()
    return "register_cash" if draw < 0.5 else "atm_cash" if draw < 0.9 else "points"


def spend_down(
    rng: Random,
    *,
    arrivals: list[tuple[int, int]],
    keep: int,
    until: int,
    ends_authorised: bool = False,
) -> list[Payment]:
    """Returns payments that leave `keep`, in time order, after the first arrival and before
    `until`. `arrivals` are (second, amount) in time order. Every payment but the last takes a part
    of the value above `keep`. The last one comes after the last arrival and takes the rest.
    """
    spend = sum(amount for _, amount in arrivals) - keep
    if spend <= 0:
        return []
    times = _payment_times(
        rng,
        count=1 + min(_PAYMENTS_MAX - 1, int(spend / 1_500 * (0.5 + rng.random()))),
        arrivals=arrivals,
        until=until,
        ends_authorised=ends_authorised,
    )
    payments = []
    arrived, spent, position = 0, 0, 0
    typical = max(2_400, 2 * spend // len(times))
    for at in times[:-1]:
        while position < len(arrivals) and arrivals[position][0] < at:
            arrived += arrivals[position][1]
            position += 1
        free = arrived - spent - keep
        amount = min(100 + int(rng.random() ** 2 * typical), free, spend - spent - 1)
        if amount > 0:
            payments.append(Payment(at, amount, away=rng.random() < 0.1))
            spent += amount
    payments.append(Payment(times[-1], spend - spent, authorised=ends_authorised))
    return payments


def _payment_times(
    rng: Random,
    *,
    count: int,
    arrivals: list[tuple[int, int]],
    until: int,
    ends_authorised: bool,
) -> list[int]:
    first, last = arrivals[0][0], arrivals[-1][0]
    before = until - HOUR if ends_authorised else until
    times = {_soon(rng, after=first + 60, before=before, eagerness=2.5) for _ in range(count)}
    if ends_authorised:
        times.add(until - HOUR + int(rng.random() * HOUR))
    elif max(times) <= last:
        times.add(_soon(rng, after=last + 60, before=before, eagerness=1.0))
    return sorted(times)


def _soon(rng: Random, *, after: int, before: int, eagerness: float) -> int:
    """Returns a second in [after, before), earlier for a more eager customer, and seldom before six
    o'clock.
    """
    at = after + int((before - after) * rng.random() ** eagerness)
    if at % DAY < 6 * HOUR and at + 7 * HOUR < before:
        at += 7 * HOUR
    return at


def _pick(rng: Random, amounts: tuple[int, ...]) -> int:
    return amounts[int(rng.random() * len(amounts))]
