"""The facts of the case as typed, frozen values. Only this module reads `case/7pay.toml`.

What the service has declared, the set-up file beside it says: `begin` reads it as it is.
"""

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from winddown import clock
from winddown.errors import WinddownError

CASE_FILE = Path(__file__).parent / "case" / "7pay.toml"
SET_UP_FILE = CASE_FILE.with_name("set-up.toml")


class CaseError(WinddownError):
    """The case is not understood: {why}"""


@dataclass(frozen=True, slots=True)
class Programme:
    """The service that ends. `spend_ends_at` and `refund_window_ends_at` are exclusive."""

    name: str
    currency: str
    time_zone: ZoneInfo
    launched_at: dt.datetime
    announced_on: dt.date
    spend_ends_at: dt.datetime
    refund_window_first_on: dt.date
    refund_window_last_on: dt.date
    smallest_refund_minor: int

    @property
    def refund_window_opens_at(self) -> dt.datetime:
        return dt.datetime.combine(self.refund_window_first_on, dt.time(), self.time_zone)

    @property
    def refund_window_ends_at(self) -> dt.datetime:
        day_after = self.refund_window_last_on + dt.timedelta(days=1)
        return dt.datetime.combine(day_after, dt.time(), self.time_zone)


@dataclass(frozen=True, slots=True)
class Population:
    """Public estimates for the real service. The methods scale them to a number of accounts.

    Scaled figures are rounded to the nearest whole (half to even), so any two readers of the case
    that ask for the same number of accounts expect the same unit.
    """

    registered: int
    group_accounts: int
    holders_at_close: int
    balance_at_close_minor: int
    holders_unpaid_2020_01_09: int
    balance_unpaid_2020_01_09_minor: int

    def scaled(self, figure: int, *, accounts: int) -> int:
        return round(Fraction(figure * accounts, self.registered))

    def holders(self, *, accounts: int) -> int:
        """Returns how many wallets have paid value at the close."""
        return self.scaled(self.holders_at_close, accounts=accounts)

    def balance_minor(self, *, accounts: int) -> int:
        """Returns the paid value of all wallets at the close, after clawback and settlement."""
        return self.scaled(self.balance_at_close_minor, accounts=accounts)

    def holders_paid_by_2020_01_09(self, *, accounts: int) -> int:
        """Returns how many holders have their money on 9 January 2020: 120 of every 370."""
        paid = self.holders_at_close - self.holders_unpaid_2020_01_09
        return round(Fraction(self.holders(accounts=accounts) * paid, self.holders_at_close))

    def balance_paid_by_2020_01_09_minor(self, *, accounts: int) -> int:
        unpaid = self.scaled(self.balance_unpaid_2020_01_09_minor, accounts=accounts)
        return self.balance_minor(accounts=accounts) - unpaid


@dataclass(frozen=True, slots=True)
class Attack:
    starts_at: dt.datetime
    ends_at: dt.datetime
    attempts: int
    waves: tuple[str, ...]
    tries_per_login_id_max: int


@dataclass(frozen=True, slots=True)
class Restatement:
    """One published count of victims. Only an exact one must be reproduced to the unit."""

    as_of: dt.datetime
    victims: int
    amount_minor: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Damage:
    victims: int
    amount_minor: int
    share_hit_after_2019_07_04: float
    last_new_victim_on: dt.date
    restatements: tuple[Restatement, ...]
    funding_split: Mapping[str, float]

    @property
    def victims_late(self) -> int:
        """People hit after 4 July, by payments out of value they had charged themselves."""
        return round(self.victims * self.share_hit_after_2019_07_04)


@dataclass(frozen=True, slots=True)
class Event:
    code: str
    at: dt.datetime
    what: str


@dataclass(frozen=True, slots=True)
class Case:
    programme: Programme
    population: Population
    attack: Attack
    damage: Damage
    events: tuple[Event, ...]
    external_providers: tuple[str, ...]
    """The codes of the services that let customers in."""

    def at(self, code: str) -> dt.datetime:
        """Returns the instant of the event with this code; raises `CaseError` if there is none."""
        for event in self.events:
            if event.code == code:
                return event.at
        raise CaseError(why=f"it has no event {code!r}.")

    def top_up_stop(self, source: str) -> dt.datetime:
        """Returns the first instant at which a top-up from this source was not possible any more."""
        card = source in {"credit_card", "debit_card"}
        return self.at("stop_card_top_ups" if card else "stop_all_top_ups")


def parse_instant(text: str, *, zone: ZoneInfo) -> dt.datetime:
    """Returns the aware instant of a local `YYYY-MM-DDTHH:MM`; raises `CaseError`."""
    try:
        return clock.instant(text, zone=zone.key)
    except ValueError as error:
        raise CaseError(why=f"{error}.") from error


def load_case(path: Path = CASE_FILE) -> Case:
    """Returns the case with typed figures. Raises `CaseError` for a figure that is missing or not
    understood.
    """
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    set_up = tomllib.loads(SET_UP_FILE.read_text(encoding="utf-8"))
    try:
        return _case(raw, set_up)
    except (KeyError, TypeError, ValueError) as error:
        raise CaseError(why=f"{path.name}: {type(error).__name__}: {error}") from error


def _case(raw: Mapping[str, Any], set_up: Mapping[str, Any]) -> Case:
    programme, attack, damage = dict(raw["programme"]), dict(raw["attack"]), dict(raw["damage"])
    population = dict(raw["population"])
    service = set_up["programme"]
    zone = ZoneInfo(service["time_zone"])
    first_on, last_on = programme.pop("refund_window")
    damage["restatements"] = tuple(
        Restatement(**{**row, "as_of": parse_instant(row["as_of"], zone=zone)})
        for row in damage["restatements"]
    )
    programme |= {
        "name": service["name"],
        "currency": service["currency"],
        "time_zone": zone,
        "launched_at": service["launched_at"].astimezone(zone),
        "announced_on": dt.date.fromisoformat(programme["announced_on"]),
        "spend_ends_at": parse_instant(programme["spend_ends_at"], zone=zone),
        "refund_window_first_on": dt.date.fromisoformat(first_on),
        "refund_window_last_on": dt.date.fromisoformat(last_on),
    }
    attack |= {
        "starts_at": parse_instant(attack["starts_at"], zone=zone),
        "ends_at": parse_instant(attack["ends_at"], zone=zone),
        "waves": tuple(attack["waves"]),
    }
    damage["last_new_victim_on"] = dt.date.fromisoformat(damage["last_new_victim_on"])
    events = tuple(
        Event(**{**row, "at": parse_instant(row["at"], zone=zone)}) for row in raw["event"]
    )
    return Case(
        programme=Programme(**programme),
        population=Population(**population),
        attack=Attack(**attack),
        damage=Damage(**damage),
        events=events,
        external_providers=tuple(row["code"] for row in set_up["login_providers"]),
    )
