"""Whose money was spent: the movements of one wallet, traced lot by lot.

Every value that came into the wallet is a lot of the holder or of the thief. Who made a payment
decides first: a thief's payment takes the thief's lots and then the holder's, a holder's payment
takes the holder's lots and then the thief's. Only where nobody can say who paid, the programme's
tracing policy chooses the lots.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


class Person(enum.StrEnum):
    """Who made a movement."""

    THIEF = "thief"
    HOLDER = "holder"
    UNKNOWN = "unknown"


class Policy(enum.StrEnum):
    """Which lots an unattributed payment takes: the oldest, the newest, or all in proportion."""

    FIFO = "fifo"
    LIFO = "lifo"
    PROPORTIONAL = "proportional"


@dataclass(frozen=True, slots=True)
class Came:
    """Value came into the wallet. `key` identifies the lot. A top-up is never of an unknown person:
    what is not named as a thief's is the holder's.
    """

    key: str
    by: Person
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Went:
    """Value left the wallet by a payment."""

    key: str
    by: Person
    amount_minor: int


@dataclass(frozen=True, slots=True)
class CameBack:
    """The payment or claw-back `key` was undone, wholly or in part: the value is in its lots again,
    the last that were taken first.
    """

    key: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Taken:
    """The operator took value out: a claw-back takes the thief's lots first, because it exists for
    them.
    """

    key: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A hold keeps this much of the thief's charges in the wallet from now on, or with an amount
    below zero no longer: a payment of an unknown person did not take it.
    """

    amount_minor: int


Event = Came | Went | CameBack | Taken | Kept


@dataclass(frozen=True, slots=True)
class Portion:
    """A part of a payment, and the lot that it came out of."""

    lot: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Trace:
    """Where the value of one wallet came from and went, in minor units.

    `own_spent` has, for each payment, what it took out of the holder's lots although the holder did
    not make it. `thief_left_minor` is what lies in the wallet of the thief's charges and can be
    taken back; `thief_left` has it lot by lot. `holder_used_minor` is what the holder spent of the
    thief's charges, which is owed back because the charge itself is made good. `own_left_minor` is
    the holder's part of the balance.
    """

    charged_minor: int
    own_spent: dict[str, tuple[Portion, ...]]
    thief_left_minor: int
    own_left_minor: int
    holder_used_minor: int
    own_taken_minor: int
    thief_left: tuple[Portion, ...]

    @property
    def own_spent_minor(self) -> int:
        """Returns how much of the holder's own value the thief spent."""
        return sum(part.amount_minor for parts in self.own_spent.values() for part in parts)

    @property
    def own_position_minor(self) -> int:
        """Returns what the holder would have in the wallet without the fraud. It is below zero by
        what the holder spent beyond the own value.
        """
        kept = self.own_left_minor + self.own_taken_minor + self.own_spent_minor
        return kept - self.holder_used_minor


@dataclass(slots=True)
class _Lot:
    key: str
    by: Person
    left_minor: int


@dataclass(slots=True)
class _Wallet:
    lots: list[_Lot] = field(default_factory=list)
    # For each movement that took value: the lots in the order in which they were taken.
    took: dict[str, list[tuple[_Lot, int]]] = field(default_factory=lambda: defaultdict(list))
    by: dict[str, Person] = field(default_factory=dict)
    kept_minor: int = 0


def trace(events: Iterable[Event], *, policy: Policy) -> Trace:
    """Returns what became of every lot after `events`, which are in the order in which they
    happened.

    Raises `ValueError` for a payment of more than the wallet has, and for value that comes back
    without having left: such a history is not one of this wallet.
    """
    wallet = _Wallet()
    charged = 0
    taken: set[str] = set()
    for event in events:
        match event:
            case Came(key, by, amount):
                wallet.lots.append(_Lot(key, by, amount))
                charged += amount if by is Person.THIEF else 0
            case Went(key, by, amount):
                wallet.by[key] = by
                wallet.took[key] += _take(_order(wallet, by, policy, amount), amount, key=key)
            case Taken(key, amount):
                lots = sorted(wallet.lots, key=lambda lot: lot.by is not Person.THIEF)
                wallet.took[key] += _take([(lot, lot.left_minor) for lot in lots], amount, key=key)
                taken.add(key)
            case CameBack(key, amount):
                _give_back(wallet.took[key], amount, key=key)
            case Kept(amount):
                wallet.kept_minor += amount
    return _result(wallet, charged_minor=charged, taken=taken)


def _order(
    wallet: _Wallet, by: Person, policy: Policy, amount_minor: int
) -> list[tuple[_Lot, int]]:
    """Returns the lots in the order in which a payment by the person takes them, each with the most
    that it gives.
    """
    lots = wallet.lots
    if by is not Person.UNKNOWN:
        mine = [lot for lot in lots if (lot.by is Person.THIEF) == (by is Person.THIEF)]
        other = [lot for lot in lots if (lot.by is Person.THIEF) != (by is Person.THIEF)]
        return [(lot, lot.left_minor) for lot in (*mine, *other)]
    free, kept = _apart(wallet)
    if policy is Policy.PROPORTIONAL:
        return _in_proportion(free, amount_minor) + kept
    return (free[::-1] if policy is Policy.LIFO else free) + kept


def _apart(wallet: _Wallet) -> tuple[list[tuple[_Lot, int]], list[tuple[_Lot, int]]]:
    """Returns what each lot has free, and what a hold keeps of the thief's."""
    free, kept, left = [], [], wallet.kept_minor
    for lot in wallet.lots:
        part = min(lot.left_minor, left) if lot.by is Person.THIEF else 0
        left -= part
        free.append((lot, lot.left_minor - part))
        kept.append((lot, part))
    return free, kept


def _in_proportion(lots: Sequence[tuple[_Lot, int]], amount_minor: int) -> list[tuple[_Lot, int]]:
    """Returns for each lot its share of the amount. The units that remain after rounding down go to
    the largest fractions, the oldest lot first.
    """
    total = sum(most for _, most in lots)
    if amount_minor >= total:
        return list(lots)
    shares = [divmod(amount_minor * most, total) for _, most in lots]
    missing = amount_minor - sum(whole for whole, _ in shares)
    largest = sorted(range(len(lots)), key=lambda place: (-shares[place][1], place))[:missing]
    return [(lot, shares[at][0] + (at in largest)) for at, (lot, _) in enumerate(lots)]


def _take(order: list[tuple[_Lot, int]], amount_minor: int, *, key: str) -> list[tuple[_Lot, int]]:
    taken: list[tuple[_Lot, int]] = []
    for lot, most in order:
        part = min(most, amount_minor)
        if part:
            lot.left_minor -= part
            amount_minor -= part
            taken.append((lot, part))
    if amount_minor:
        raise ValueError(f"{key} takes {amount_minor} more than the wallet has")
    return taken


def _give_back(took: list[tuple[_Lot, int]], amount_minor: int, *, key: str) -> None:
    while amount_minor and took:
        lot, part = took.pop()
        back = min(part, amount_minor)
        lot.left_minor += back
        amount_minor -= back
        if part > back:
            took.append((lot, part - back))
    if amount_minor:
        raise ValueError(f"{key} gives back {amount_minor} more than it took")


def _result(wallet: _Wallet, *, charged_minor: int, taken: set[str]) -> Trace:
    own_spent: dict[str, tuple[Portion, ...]] = {}
    holder_used = 0
    for key, by in wallet.by.items():
        if by is Person.THIEF:
            mine = [(lot, part) for lot, part in wallet.took[key] if lot.by is not Person.THIEF]
            if mine:
                own_spent[key] = tuple(Portion(lot.key, part) for lot, part in mine)
        elif by is Person.HOLDER:
            holder_used += sum(part for lot, part in wallet.took[key] if lot.by is Person.THIEF)
    left = {
        person: sum(lot.left_minor for lot in wallet.lots if lot.by is person) for person in Person
    }
    return Trace(
        charged_minor=charged_minor,
        own_spent=own_spent,
        thief_left_minor=left[Person.THIEF],
        own_left_minor=left[Person.HOLDER],
        holder_used_minor=holder_used,
        own_taken_minor=sum(
            part for key in taken for lot, part in wallet.took[key] if lot.by is not Person.THIEF
        ),
        thief_left=tuple(
            Portion(lot.key, lot.left_minor)
            for lot in wallet.lots
            if lot.by is Person.THIEF and lot.left_minor
        ),
    )
