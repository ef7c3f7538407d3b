"""Plans of a refund, and what people and the bank do about it, as typed data.

Only this module reads `case/behaviour.toml` and `case/plans/`.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from rehearsal.case import CASE_FILE, CaseError

BEHAVIOUR_FILE = CASE_FILE.with_name("behaviour.toml")
PLANS = CASE_FILE.parent / "plans"
STANDARD = PLANS / "7pay.toml"
EARLY_DATA, FALLBACK_CONSENT = "early_data", "fallback_consent"
REMINDERS, CLAIM_CODE = "reminders", "claim_code"
MEASURES = (EARLY_DATA, FALLBACK_CONSENT, REMINDERS, CLAIM_CODE)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of people: how many of a group of holders, at least so many at any size. One with a
    `measure` does something only under a plan that has it.
    """

    code: str
    of: str
    share: float
    at_least: int
    what: str
    source: str
    measure: str = ""


@dataclass(frozen=True, slots=True)
class Assumption:
    """One figure about people or the bank, and where it comes from."""

    code: str
    value: float
    what: str
    source: str


@dataclass(frozen=True, slots=True)
class Behaviour:
    kinds: tuple[Kind, ...]
    assumptions: Mapping[str, Assumption]

    def share(self, code: str) -> float:
        return self.assumptions[code].value

    def number(self, code: str) -> int:
        return int(self.assumptions[code].value)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the operator does. Each of `cycles` has the day on which a payout run is planned and the
    day on which the bank carries it out. The replay goes on `until` this day. `set_up` is more of the
    set-up file, as text.
    """

    code: str
    what: str
    measures: frozenset[str]
    cycles: tuple[tuple[dt.date, dt.date], ...]
    until: dt.date
    source: str
    set_up: str = ""

    @property
    def is_published(self) -> bool:
        """Returns whether the plan was carried out, so that its figures are known."""
        return not self.measures

    def has(self, measure: str) -> bool:
        return measure in self.measures

    def with_measures(self, measures: frozenset[str]) -> Plan:
        return replace(self, measures=measures)


def load_behaviour(path: Path = BEHAVIOUR_FILE) -> Behaviour:
    """Returns the table of assumptions. Raises `CaseError` for a row that is not understood, or has
    no source.
    """
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        kinds = tuple(Kind(**row) for row in raw["kind"])
        assumptions = [Assumption(**row) for row in raw["assumption"]]
    except (KeyError, TypeError) as error:
        raise CaseError(why=f"{path.name}: {type(error).__name__}: {error}") from error
    sources = [*((each.code, each.source) for each in kinds)]
    sources += [(each.code, each.source) for each in assumptions]
    for code, source in sources:
        _refuse_unsourced(code, source, path)
    return Behaviour(kinds, {each.code: each for each in assumptions})


def load_plan(path: Path = STANDARD) -> Plan:
    """Returns the plan. Raises `CaseError` for one that is not understood, or has no source."""
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        unknown = (set(raw) | {"set_up"}) ^ {each.name for each in fields(Plan)}
        if unknown or not set(raw["measures"]) <= set(MEASURES):
            raise CaseError(why=f"{path.name}: {', '.join(unknown) or raw['measures']}")
        raw["measures"] = frozenset(raw["measures"])
        raw["cycles"] = tuple(
            (dt.date.fromisoformat(planned), dt.date.fromisoformat(value))
            for planned, value in raw["cycles"]
        )
        plan = Plan(**raw)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CaseError(why=f"{path.name}: {type(error).__name__}: {error}") from error
    _refuse_unsourced(plan.code, plan.source, path)
    return plan


def _refuse_unsourced(code: str, source: str, path: Path) -> None:
    if not source.startswith(("published: ", "guess: ")):
        raise CaseError(why=f"{path.name}: {code} does not say 'published: ...' or 'guess: ...'")
