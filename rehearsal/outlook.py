"""What a plan would come to, computed from the same courses of people, without a database.

It knows the rules of payouts in short: a week's applications are in on its Sunday, a run pays what is
ready on its day, a transfer that came back is paid by the next run. It is for the table of measures one
by one. The two plans themselves are replayed.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal.bank import CORRECTED, LATE_RETURN, OK
from rehearsal.case import Case
from rehearsal.courses import BANK, CODE, POSTAL, REMINDER_WAVES, Course, Courses, end_of_week
from rehearsal.plans import EARLY_DATA, REMINDERS, Behaviour, Plan

FOUND_BY_CHECK = ("no_such_account", "name_mismatch")
# As in the set-up of the second plan: what one payout costs, and how long a voucher is valid.
COSTS = {BANK: 165, CODE: 220, POSTAL: 500}
VALID_DAYS = {CODE: 60, POSTAL: 180}
_DAY = dt.timedelta(days=1)


@dataclass(slots=True)
class Outlook:
    """How many people were paid how much on each day, and what it cost. Amounts in minor units."""

    people: int
    amount_minor: int
    paid: Counter[dt.date] = field(default_factory=Counter)
    paid_minor: Counter[dt.date] = field(default_factory=Counter)
    payouts: Counter[str] = field(default_factory=Counter)
    corrected: int = 0
    messages: int = 0

    def shares(self, until: dt.date) -> tuple[float, float]:
        """Returns the shares of people and of the amount that were paid by the end of the day."""
        people = sum(n for day, n in self.paid.items() if day <= until)
        minor = sum(n for day, n in self.paid_minor.items() if day <= until)
        return people / self.people, minor / self.amount_minor

    def half_by(self) -> dt.date:
        """Returns the day by which half of those who are paid have their money."""
        people, half = 0, sum(self.paid.values()) / 2
        for day in sorted(self.paid):
            people += self.paid[day]
            if people >= half:
                return day
        raise AssertionError("somebody is paid")

    def cost_minor(self, behaviour: Behaviour) -> int:
        return (
            sum(COSTS[method] * n for method, n in self.payouts.items())
            + self.corrected * behaviour.number("handling_cost_minor")
            + self.messages * behaviour.number("message_cost_minor")
        )


@dataclass(frozen=True, slots=True)
class Truth:
    """The generator's truth about the holders: their behaviour, and what they are owed."""

    behaviour: Mapping[str, Mapping[str, str]]
    owed_minor: Mapping[str, int]

    @classmethod
    def read(cls, directory: Path) -> Truth:
        """Returns the truth in the directory of a generated case."""
        behaviour = {row["wallet_ref"]: row for row in _rows(directory / "behaviour.csv")}
        owed = {
            row["wallet_ref"]: int(row["paid_minor"])
            for row in _rows(directory / "closing_balances.csv")
            if row["wallet_ref"] in behaviour
        }
        return cls(behaviour, owed)


def _rows(path: Path) -> Iterable[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def compute(truth: Truth, *, case: Case, plan: Plan, behaviour: Behaviour) -> Outlook:
    """Returns what the plan would come to."""
    courses = Courses(truth.behaviour, case=case, plan=plan, behaviour=behaviour).all()
    found = Outlook(people=len(courses), amount_minor=sum(truth.owed_minor.values()))
    runs = _Runs(plan, behaviour)
    last_on = case.programme.refund_window_last_on
    for ref, course in courses.items():
        if plan.has(REMINDERS):
            found.messages += sum(
                course.applies_on is None or course.applies_on > last_on - days * _DAY
                for days in REMINDER_WAVES
            )
        day = _paid_on(course, runs, found, last_on=last_on)
        if day is not None:
            found.paid[day] += 1
            found.paid_minor[day] += truth.owed_minor[ref]
    return found


class _Runs:
    """The payout runs of a plan: when each is planned, carried out and answered."""

    def __init__(self, plan: Plan, behaviour: Behaviour) -> None:
        number = behaviour.number
        self.late_days = number("bank_late_days")
        self.returns_after = number("bank_returns_after_days")
        self.corrects_after = number("bank_corrects_after_days")
        every = number("bank_late_every")
        # The file of the compensations is the first.
        self._runs = [
            (planned, value + (self.late_days if every and not place % every else 0) * _DAY)
            for place, (planned, value) in enumerate(plan.cycles, start=2)
        ]

    def next(self, ready_on: dt.date) -> dt.date | None:
        """Returns when the bank answers the first run that is planned on that day or later."""
        return next((answered for planned, answered in self._runs if planned >= ready_on), None)


def _paid_on(course: Course, runs: _Runs, found: Outlook, *, last_on: dt.date) -> dt.date | None:
    if course.applies_on is None or course.kind == "fraud_ring":
        return None
    # The replay ends a week on the day before the last count, and on the last day.
    ends = (last_on - 2 * _DAY, last_on, dt.date.max)
    end = next(each for each in ends if course.applies_on <= each)
    ready_on = end_of_week(course.applies_on, end)
    if course.method != BANK:
        return _by_voucher(course, course.method, ready_on, runs, found)
    if course.quality in FOUND_BY_CHECK:
        found.corrected += 1
        ready_on += 0 * _DAY if course.gives_account_on else _DAY
    found.payouts[BANK] += 1
    answered = runs.next(ready_on)
    if answered is None or course.quality in (OK, *FOUND_BY_CHECK):
        return answered
    if course.quality == CORRECTED and not course.consents:
        return answered + runs.corrects_after * _DAY
    back_on = answered + (runs.returns_after * _DAY if course.quality == LATE_RETURN else 0 * _DAY)
    if course.consents:
        return _by_voucher(course, CODE, back_on + _DAY, runs, found)
    if not course.answers or course.quality == "always_bad":
        return None
    found.corrected += 1
    found.payouts[BANK] += 1
    return runs.next(back_on + _DAY)


def _by_voucher(
    course: Course, method: str, ready_on: dt.date, runs: _Runs, found: Outlook
) -> dt.date | None:
    found.payouts[method] += 1
    issued = runs.next(ready_on)
    if issued is None:
        return None
    if course.cashed_after is not None:
        return issued + course.cashed_after * _DAY
    again = runs.next(issued + (VALID_DAYS[method] + 7) * _DAY)
    if again is None:
        return None
    found.payouts[CODE] += 1
    return again + _DAY


def variants(published: Plan, second: Plan) -> list[tuple[str, Plan]]:
    """Returns the plan that was carried out, it with each measure alone, the second plan, and it
    without each measure. Early payout runs belong to early data: without it nobody is ready.
    """
    tail = tuple(each for each in second.cycles if each[0] > published.cycles[-1][0])

    def plan(measures: frozenset[str]) -> Plan:
        cycles = second.cycles if EARLY_DATA in measures else (*published.cycles, *tail)
        return Plan(
            code="variant",
            what="",
            measures=measures,
            cycles=cycles,
            until=second.until,
            source=second.source,
        )

    every = sorted(second.measures)
    return [
        ("no measure", plan(frozenset())),
        *((f"only {each}", plan(frozenset({each}))) for each in every),
        *((f"all but {each}", plan(second.measures - {each})) for each in every),
        ("all", plan(second.measures)),
    ]
