"""What the apps to the right add to the pages: money lines, panels of a customer's page, alarms,
pages of subjects.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.text import format_lazy

from winddown.actors import Actor
from winddown.words import Text

# --- the money table ----------------------------------------------------------------------------

IN, OUT, LEFT = "in", "out", "left"


@dataclass(frozen=True, slots=True)
class Totals:
    """The ledger in one count, signed minor units: postings by kind of journal and account, and the
    balances that the wallets cache by themselves, which the table holds against the postings.
    """

    postings: Mapping[tuple[str, str], int]
    balances: Mapping[str, int]

    def posted(self, *, accounts: tuple[str, ...], kinds: tuple[str, ...] = ()) -> int:
        """What the journals of `kinds` (all by default) posted to `accounts`."""
        return sum(
            amount
            for (kind, account), amount in self.postings.items()
            if account in accounts and (not kinds or kind in kinds)
        )


@dataclass(frozen=True, slots=True)
class MoneyLine:
    """One line: value that came in, value that went out (negative), or value that must be left."""

    code: str
    title: Text
    part: str
    order: int
    amount: Callable[[Totals], int]


MONEY_LINES: dict[str, MoneyLine] = {}
# Counts the ledger; set by the app that owns it.
count_ledger: list[Callable[[], Totals]] = []


def money_line(
    code: str, title: Text, *, part: str, order: int, amount: Callable[[Totals], int]
) -> None:
    """The money table has the line; two of one code are a mistake."""
    assert code not in MONEY_LINES, code
    assert part in (IN, OUT, LEFT), part
    MONEY_LINES[code] = MoneyLine(code=code, title=title, part=part, order=order, amount=amount)


def money_lines(part: str) -> list[MoneyLine]:
    return sorted(
        (line for line in MONEY_LINES.values() if line.part == part), key=lambda line: line.order
    )


# --- the customer's page ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of a customer's page: the template that shows it, and what it shows."""

    template: str
    shown: Mapping[str, Any] = field(default_factory=dict)


_HOME_PANELS: list[tuple[int, Callable[[Any], Panel | None]]] = []


def home_panel(
    order: int,
) -> Callable[[Callable[[Any], Panel | None]], Callable[[Any], Panel | None]]:
    """The function under it makes a panel of a signed-in customer's page, or none for a customer it
    does not concern.
    """

    def register(make: Callable[[Any], Panel | None]) -> Callable[[Any], Panel | None]:
        _HOME_PANELS.append((order, make))
        return make

    return register


def home_panels(customer: Any) -> list[Panel]:
    """The customer's panels in their order."""
    in_order = sorted(_HOME_PANELS, key=lambda each: each[0])
    return [panel for _order, make in in_order if (panel := make(customer)) is not None]


# --- pages of the console that several apps fill ------------------------------------------------

_PAGE_PANELS: dict[str, list[tuple[int, Callable[[Any], Panel]]]] = {}


def page_panel(page: str, order: int) -> Callable[[Callable[[Any], Panel]], Callable[[Any], Panel]]:
    """The function under it makes a panel of the console's page called `page`, for its reader."""

    def register(make: Callable[[Any], Panel]) -> Callable[[Any], Panel]:
        _PAGE_PANELS.setdefault(page, []).append((order, make))
        return make

    return register


def page_panels(page: str, *, reader: Actor) -> list[Panel]:
    """The page's panels in their order."""
    in_order = sorted(_PAGE_PANELS.get(page, []), key=lambda each: each[0])
    return [make(reader) for _order, make in in_order]


# --- alarms -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that needs a person: a sentence and the page where it is dealt with."""

    sentence: str
    url: str
    grave: bool = True


_ALARMS: list[Callable[[dt.datetime], list[Alarm]]] = []


def alarming(
    find: Callable[[dt.datetime], list[Alarm]],
) -> Callable[[dt.datetime], list[Alarm]]:
    """The function's alarms of an instant stand on the incident page."""
    _ALARMS.append(find)
    return find


def alarms(at: dt.datetime) -> list[Alarm]:
    return [alarm for find in _ALARMS for alarm in find(at)]


# --- what an approval is about ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SubjectPage:
    """What the subject of an approval is called, and the page where it is decided."""

    title: Text
    url: str = ""


_SUBJECTS: dict[str, Callable[[str], SubjectPage]] = {}


def subject_page(
    prefix: str,
) -> Callable[[Callable[[str], SubjectPage]], Callable[[str], SubjectPage]]:
    """The function under it names the subjects that begin with `prefix` and a colon."""

    def register(name: Callable[[str], SubjectPage]) -> Callable[[str], SubjectPage]:
        _SUBJECTS[prefix] = name
        return name

    return register


def name_subjects(prefix: str, title: Text) -> None:
    """Subjects of `prefix` are called by `title` and their number, and have no page yet."""

    @subject_page(prefix)
    def named(subject: str) -> SubjectPage:
        return SubjectPage(title=format_lazy("{} {}", title, subject.split(":")[1]))


def page_of(subject: str) -> SubjectPage:
    """The subject's name and page; one that nobody registered stands for itself."""
    name = _SUBJECTS.get(subject.partition(":")[0])
    return name(subject) if name else SubjectPage(title=subject)
