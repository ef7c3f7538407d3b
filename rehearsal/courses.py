"""What each holder does about the refund under a plan: whether, when and how, and what follows.

A holder's draws depend on the wallet alone. So two plans are about the same people, and a measure
changes only those whom it is about.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from rehearsal.bank import CORRECTED, LATE_RETURN, OK
from rehearsal.case import Case
from rehearsal.plans import CLAIM_CODE, EARLY_DATA, FALLBACK_CONSENT, REMINDERS, Behaviour, Plan

PLAIN, SILENT = "plain", "silent"
BANK, CODE, POSTAL = "bank", "claim_code", "postal_order"
APP, PAPER = "app", "paper"
REMINDER_WAVES = (60, 30, 7, 1)
# An heir applies in the last days, and a ring in the rush of the first weeks.
_HEIR_DAYS, _RING_DAYS = (88, 98), (30, 35)
_HUNGRY_DAYS = 80


@dataclass(frozen=True, slots=True)
class Course:
    """What one holder does. Without `applies_on` nothing. `quality` is that of the first account.

    `gives_account_on` comes before applications open. One who `answers` gives another account when
    asked. `cashed_after` are the days until a code or a postal order is cashed; None: it expires.
    """

    kind: str
    quality: str = OK
    channel: str = APP
    applies_on: dt.date | None = None
    gives_account_on: dt.date | None = None
    method: str = BANK
    consents: bool = False
    answers: bool = True
    cashed_after: int | None = 1


class Courses:
    """The courses of all holders: `rows` are those of the generator's truth, by wallet."""

    def __init__(
        self,
        rows: Mapping[str, Mapping[str, str]],
        *,
        case: Case,
        plan: Plan,
        behaviour: Behaviour,
    ) -> None:
        self._rows = rows
        self._case = case
        self._plan = plan
        self._behaviour = behaviour
        self._opens = case.programme.refund_window_first_on
        self._last = case.programme.refund_window_last_on
        self._expires = ""

    def all(self) -> dict[str, Course]:
        """Returns the course of each holder under the plan."""
        kinds = self._kinds()
        # At any size one postal order expires.
        self._expires = next((ref for ref, kind in kinds.items() if kind == "postal_taker"), "")
        found = {
            ref: self._course(ref, row, kinds.get(ref, self._usual(row)))
            for ref, row in self._rows.items()
        }
        return {ref: self._measured(ref, course) for ref, course in found.items()}

    # --- kinds ------------------------------------------------------------------------------------

    def _kinds(self) -> dict[str, str]:
        """Returns the kind of each holder who has one."""
        taken: dict[str, str] = {}
        for kind in self._behaviour.kinds:
            group = [ref for ref, row in self._rows.items() if self._is_in(row, kind.of)]
            wanted = max(kind.at_least, round(kind.share * len(group)))
            left = [ref for ref in group if ref not in taken]
            left.sort(key=lambda ref, code=kind.code: draw(ref, code))  # type: ignore[misc]
            taken |= dict.fromkeys(left[:wanted], kind.code)
        return taken

    def _is_in(self, row: Mapping[str, str], group: str) -> bool:
        applies = row["applies_on"]
        if group == "never":
            return not applies
        if group == "paid_early":
            first_planned = self._opens + dt.timedelta(days=30)
            return row["account_quality"] == OK and "" < applies <= first_planned.isoformat()
        return row["account_quality"] == group

    @staticmethod
    def _usual(row: Mapping[str, str]) -> str:
        return PLAIN if row["applies_on"] else SILENT

    def _course(self, ref: str, row: Mapping[str, str], kind: str) -> Course:
        """Returns what the holder did under 7pay's plan."""
        applies = dt.date.fromisoformat(row["applies_on"]) if row["applies_on"] else None
        usual = Course(
            kind=kind, quality=row["account_quality"], channel=row["channel"], applies_on=applies
        )
        others: dict[str, Callable[[], Course]] = {
            "late_return": lambda: replace(usual, quality=LATE_RETURN),
            "corrected_return": lambda: replace(usual, quality=CORRECTED, answers=False),
            "silent_after_return": lambda: replace(usual, answers=False),
            "heir": lambda: replace(
                usual, channel=PAPER, applies_on=self._day(ref, "heir", *_HEIR_DAYS)
            ),
            # A ring comes at once.
            "fraud_ring": lambda: replace(
                usual, applies_on=self._opens + dt.timedelta(days=_RING_DAYS[0]), answers=False
            ),
        }
        return others.get(kind, lambda: usual)()

    # --- measures ---------------------------------------------------------------------------------

    def _measured(self, ref: str, course: Course) -> Course:
        """Returns the course under the measures of the plan."""
        plan, share = self._plan, self._behaviour.share
        if course.kind == "fraud_ring":
            return course
        if plan.has(CLAIM_CODE) and course.kind in ("code_taker", "postal_taker"):
            method = CODE if course.kind == "code_taker" else POSTAL
            on = self._day(ref, "takes", 0, _HUNGRY_DAYS)
            course = replace(course, method=method, applies_on=on)
        if plan.has(REMINDERS) and course.applies_on is None:
            course = self._reminded(ref, course)
        if course.applies_on is None:
            return replace(course, kind=SILENT)
        if plan.has(EARLY_DATA) and course.channel == APP and course.kind != "reminded":
            course = self._early(ref, course)
        missed = share("postal_not_cashed" if course.method == POSTAL else "code_not_cashed")
        within = self._behaviour.number("cashed_within_days")
        cashed = None if draw(ref, "cashes") < missed else 1 + int(draw(ref, "cashed") * within)
        if ref == self._expires:
            cashed = None
        consents = plan.has(FALLBACK_CONSENT) and draw(ref, "consents") < share("consent_share")
        return replace(course, cashed_after=cashed, consents=consents)

    def _reminded(self, ref: str, course: Course) -> Course:
        for days in REMINDER_WAVES:
            if draw(ref, f"reminder {days}") < self._behaviour.share(f"reminder_{days}"):
                within = self._behaviour.number("answers_within_days")
                on = self._last - dt.timedelta(days=days)
                on += dt.timedelta(days=int(draw(ref, "answers") * within))
                return replace(course, kind="reminded", applies_on=min(on, self._last))
        return course

    def _early(self, ref: str, course: Course) -> Course:
        number = self._behaviour.number
        if draw(ref, "early") >= self._behaviour.share("early_share") or course.method != BANK:
            return course
        announced = self._case.programme.announced_on
        first, last = number("early_first_days"), number("early_last_days")
        given = announced + dt.timedelta(days=first + int(draw(ref, "gives") * (last - first)))
        applies = self._day(ref, "confirms", 0, number("confirms_within_days") - 1)
        return replace(course, gives_account_on=given, applies_on=applies)

    def _day(self, ref: str, name: str, first: int, last: int) -> dt.date:
        return self._opens + dt.timedelta(days=first + int(draw(ref, name) * (last - first + 1)))


def draw(ref: str, name: str) -> float:
    """Returns a number in [0, 1) that the wallet and the name decide."""
    digest = hashlib.sha256(f"{ref}:{name}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def one_of_each(courses: Mapping[str, Course], reached: Collection[str]) -> list[str]:
    """Returns, for each kind of people who apply by themselves, one wallet of those `reached`."""
    found: dict[str, str] = {}
    for ref in reached:
        course = courses.get(ref)
        if course is not None and course.applies_on is not None and course.channel == APP:
            found.setdefault(course.kind, ref)
    return list(found.values())


def end_of_week(day: dt.date, last_on: dt.date) -> dt.date:
    """Returns the Sunday of the day's week, or `last_on` if that is earlier."""
    return min(day + dt.timedelta(days=6 - day.weekday()), last_on)
