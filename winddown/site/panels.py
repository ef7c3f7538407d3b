"""What the apps to the right add to the pages: money lines, panels of a customer's page, pages
of subjects.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Model
from django.utils.text import format_lazy

from winddown.models import Approval, TransitionLog
from winddown.registries import Registry
from winddown.words import Text

# --- the money table ----------------------------------------------------------------------------

IN, OUT, LEFT = "in", "out", "left"


@dataclass(frozen=True, slots=True)
class Totals:
    """The ledger in one count, in signed minor units: the postings by kind of journal and account,
    and the balances that the wallets cache. The table compares both.
    """

    postings: Mapping[tuple[str, str], int]
    balances: Mapping[str, int]

    def posted(self, *, accounts: tuple[str, ...], kinds: tuple[str, ...] = ()) -> int:
        """Returns what the journals of `kinds` (all by default) posted to `accounts`."""
        return sum(
            amount
            for (kind, account), amount in self.postings.items()
            if account in accounts and (not kinds or kind in kinds)
        )


@dataclass(frozen=True, slots=True)
class MoneyLine:
    """One line: value that came in, value that went out (negative), or value that is left."""

    code: str
    title: Text
    part: str
    order: int
    amount: Callable[[Totals], int]


MONEY_LINES: Registry[MoneyLine] = Registry(
    "money lines", entries_are="a line of the money table", owner=__name__
)
MONEY_LINES_OF: Registry[Callable[[], list[MoneyLine]]] = Registry(
    "money lines by kind",
    entries_are="returns the lines of what the programme declares, such as its funding sources",
    owner=__name__,
)
LEDGER_COUNTS: Registry[Callable[[], Totals]] = Registry(
    "ledger counts",
    entries_are="the ledger in one count; the app that owns it adds it",
    owner=__name__,
)


def money_line(
    code: str, title: Text, *, part: str, order: int, amount: Callable[[Totals], int]
) -> None:
    """The money table has the line. A code is used once."""
    if part not in (IN, OUT, LEFT):
        raise AssertionError(f"{part} is no part of the table")
    line = MoneyLine(code=code, title=title, part=part, order=order, amount=amount)
    MONEY_LINES.add(code, line, place=order)


def money_lines() -> list[MoneyLine]:
    """Returns every line of the table, in the order of its part."""
    declared = [line for lines in MONEY_LINES_OF.values() for line in lines()]
    return sorted([*MONEY_LINES.values(), *declared], key=lambda line: line.order)


# --- the customer's page ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of a customer's page: the template that shows it, and what it shows."""

    template: str
    shown: Mapping[str, Any] = field(default_factory=dict)


HOME_PANELS: Registry[Callable[[Any], Panel | None]] = Registry(
    "home panels",
    entries_are="makes a panel of a signed-in customer's page, or None if it does not concern them",
    owner=__name__,
)


def home_panels(customer: Any) -> list[Panel]:
    """Returns the customer's panels in their order."""
    made = [make(customer) for make in HOME_PANELS.values()]
    return [panel for panel in made if panel is not None]


# --- the look-up --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a card. `kind` says how the value is shown: as text, an amount, or an instant.
    With `look_up` the value leads to the card of that subject.
    """

    title: Text
    value: Any
    kind: str = "text"
    look_up: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One row of a card's list. `page` names the console's page of the row with that number, and is
    empty where there is none.
    """

    subject: str
    machine: str
    state: str
    amount_minor: int | None
    at: dt.datetime
    page: str = ""

    @property
    def number(self) -> int:
        return int(self.subject.partition(":")[2])


@dataclass(frozen=True, slots=True)
class Items:
    """A short list of a card, the newest row first, and how many rows there are."""

    title: Text
    rows: list[Item]
    total: int


@dataclass(frozen=True, slots=True)
class Card:
    """One row that the look-up found, without personal data: what it is and how it stands.

    `subjects` are what the audit journal calls it and its parts. `logs` are logs of machines, each
    with the id of the row.
    """

    subject: str
    title: Text
    facts: list[Fact]
    subjects: tuple[str, ...]
    machine: str = ""
    state: str = ""
    logs: tuple[tuple[type[TransitionLog], int], ...] = ()
    lists: tuple[Items, ...] = ()
    reveal: str = ""
    """The address at which the personal data can be read in full."""


REVEALS: Registry[Text] = Registry(
    "reveals",
    entries_are="by audit code: that somebody read personal data in full",
    owner=__name__,
)
FINDERS: Registry[Callable[[str], list[Card]]] = Registry(
    "finders",
    entries_are="finds the cards of what was typed: a subject such as `wallet:7`, or a reference",
    owner=__name__,
)


def found(typed: str) -> list[Card]:
    """Returns the cards of every app, in the order of the finders."""
    return [card for find in FINDERS.values() for card in find(typed)]


def kind_of(model: type[Model]) -> str:
    """Returns the first word of the subjects that are rows of the model."""
    if model is get_user_model():
        return "account"
    return re.sub(r"(?<!^)(?=[A-Z])", "_", model.__name__).lower()


def number_in(typed: str, kind: str) -> int | None:
    """Returns the number of a subject of the kind, as 7 of "wallet:7"; None for any other text."""
    matched = re.fullmatch(rf"{kind}:([0-9]{{1,18}})", typed)
    return int(matched[1]) if matched else None


# --- pages of the console that several apps fill ------------------------------------------------

PAGE_PANELS: Registry[Callable[[Any], Panel]] = Registry(
    "page panels",
    entries_are="by page and name, as `attack/candidates`: makes a panel for the page's reader",
    owner=__name__,
)


def page_panels(page: str, *, reader: Any) -> list[Panel]:
    """Returns the page's panels in their order."""
    return [make(reader) for name, make in PAGE_PANELS.items() if name.partition("/")[0] == page]


# --- what an approval is about ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SubjectPage:
    """What the subject of an approval is called, and the page where it is decided."""

    title: Text
    url: str = ""


SUBJECTS: Registry[Callable[[str], SubjectPage]] = Registry(
    "subjects",
    entries_are="by the first word of a subject: gives its name and the page where it is decided",
    owner=__name__,
)


@dataclass(frozen=True, slots=True)
class Change:
    """One figure of what a request would change: a number, an amount in minor units, or a text that
    holds no name.
    """

    name: Text
    number: int = 0
    is_amount: bool = False
    text: Text = ""


CONTENTS: Registry[Callable[[dict[str, Any]], list[Change]]] = Registry(
    "contents of requests",
    entries_are="by the first word of a subject: gives the figures of what is signed",
    owner=__name__,
)


def changes_of(approval: Approval) -> list[Change]:
    """Returns the figures of the request, the most important first; none of an unregistered kind."""
    figures = CONTENTS.get(approval.subject.partition(":")[0])
    return figures(approval.summary) if figures else []


def name_subjects(prefix: str, title: Text) -> None:
    """A subject of `prefix` is called by `title` and its number. It has no page."""

    def named(subject: str) -> SubjectPage:
        return SubjectPage(title=format_lazy("{} {}", title, subject.split(":")[1]))

    SUBJECTS.add(prefix, named)


def page_of(subject: str) -> SubjectPage:
    """Returns the subject's name and page. A subject of an unregistered kind is its own name."""
    name = SUBJECTS.get(subject.partition(":")[0])
    return name(subject) if name else SubjectPage(title=subject)
