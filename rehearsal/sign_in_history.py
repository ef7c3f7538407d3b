"""Every sign-in of July 2019 in time order: those of customers, and the three waves of the attack.

The attack tries each login id at most as often as the case says, from forty networks, most of them
abroad. First it tries many ids that nobody has, then wrong passwords on ids that exist. Then it has
one success for each victim, minutes before the money moves. Customers sign in once when they
register and about once more in the month. They mistype, change phones, are refused if their
provider is suspended, and try their old password after the reset.
"""

import heapq
import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from rehearsal.attack_history import Attack
from rehearsal.case import Case
from rehearsal.case_files import DAY, HOUR, CaseClock
from rehearsal.people import (
    ATTACK_NETWORKS_ABROAD,
    NAMES,
    account_ref,
    attack_device_ref,
    device_ref,
    home_network,
    login_id,
)
from rehearsal.population import registered_before

ATTEMPTS_MIN = 20_000
_WRONG_PASSWORD_SHARE = 0.15
_SECOND_TRY_SHARE = 0.3
_MISTYPED_ID_SHARE = 0.01
_MISTYPED_PASSWORD_SHARE = 0.04
_OLD_PASSWORD_SHARE = 0.35
_NEW_DEVICE_SHARE = 0.02
_PROVIDER_SHARE = 0.5
_HITS_PER_DEVICE = 3
# The share of people who are not signed in on the usual phone when they use another device.
_SIGNED_OUT_ONE_IN = 3
_MAINTENANCE = 3 * HOUR
# Sign-ins per hour of the day, relative to each other.
_HOURS = (2, 1, 1, 1, 1, 3, 6, 10, 11, 8, 8, 9, 13, 10, 8, 8, 9, 11, 12, 12, 11, 9, 7, 4)
_BUSY_FIRST_DAYS = 4
# Devices with which the thieves sign in. Devices with lower numbers made the tries.
_HIT_DEVICES_FROM = len(ATTACK_NETWORKS_ABROAD)
# After a mass reset without an attack: the share of people who sign in at once, and their mistakes.
_MISTAKES_LAST = 6 * HOUR
_COMES_AT_ONCE_SHARE = 0.4
_MISTAKEN_TRIES_MAX = 4
_MISTAKEN_ID_SHARE = 0.06
_MISTAKEN_PASSWORD_SHARE = 0.8
_MISTAKEN_NEW_DEVICE_SHARE = 0.05

SignIn = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Accounts:
    """What the sign-in history needs of every account, by number, in a few bytes. `providers` is 0
    for an account without an external login, otherwise 1 + the provider's place in the case.
    `passwords` is 0 if the external login is the only one.
    """

    registered: "array[int]"
    names: "array[int]"
    providers: bytearray
    passwords: bytearray


def attempts_of(case: Case, *, accounts: int, attempts_max: int) -> int:
    """Returns the number of the attack's tries, scaled to the population, at least 20,000 and at
    most `attempts_max`.
    """
    scaled = case.population.scaled(case.attack.attempts, accounts=accounts)
    return min(max(ATTEMPTS_MIN, scaled), attempts_max)


class SignInHistory:
    """Produces the lines of auth_events one at a time, with their seconds after the launch."""

    def __init__(
        self,
        case: Case,
        *,
        seed: str,
        clock: CaseClock,
        accounts: Accounts,
        attack: Attack,
        attempts: int,
    ) -> None:
        self._case = case
        self._seed = seed
        self._clock = clock
        self._accounts = accounts
        self._attack = attack
        self._suspended_at = clock.seconds(case.at("suspend_external_login"))
        self._reset_at = clock.seconds(case.at("reset_all_passwords"))
        self._ends_at = 31 * DAY
        begin = attack.waves.wrong_password[0]
        known = registered_before(accounts.registered, begin)
        self._tries_max = attack.shape.tries_per_login_id_max or case.attack.tries_per_login_id_max
        self._wrong = min(int(attempts * _WRONG_PASSWORD_SHARE), known)
        self._unknown = max(0, attempts - self._wrong - len(attack.victims))

    def __iter__(self) -> Iterator[SignIn]:
        streams = (
            self._registrations(),
            self._everyday(self._rng("everyday")),
            self._unknown_ids(self._rng("unknown")),
            self._wrong_passwords(self._rng("wrong")),
            iter(sorted(self._hits())),
            self._mistakes(self._rng("mistakes")),
        )
        return heapq.merge(*streams)

    def _rng(self, stream: str) -> Random:
        return Random(f"{self._seed}:sign-ins:{stream}")  # noqa: S311  # it must repeat

    def _line(
        self,
        at: int,
        number: int,
        outcome: str,
        *,
        method: str = "password",
        place: str,
        other_device: bool = False,
    ) -> SignIn:
        """`place` is network, device and country. An account has one session, so a success on
        another device ends the earlier one.
        """
        login = login_id(number, self._accounts.names[number])
        text = self._clock.text(at)
        displaced = other_device and outcome == "success" and number % _SIGNED_OUT_ONE_IN
        return at, (
            f"{text},{login},{account_ref(number)},{outcome},{method},{place},"
            f"{'yes' if displaced else 'no'}"
        )

    def _registrations(self) -> Iterator[SignIn]:
        """Yields the first sign-in of every account, from the device on which it was registered."""
        for number, at in enumerate(self._accounts.registered):
            method = "password" if self._accounts.passwords[number] else self._provider(number)
            yield self._line(at, number, "success", method=method, place=_home(number))

    def _provider(self, number: int) -> str:
        providers = self._case.external_providers
        return providers[self._accounts.providers[number] - 1]

    def _everyday(self, rng: Random) -> Iterator[SignIn]:
        """Yields about one later sign-in for each account, by hour of the day, and more in the
        first days.
        """
        hours = self._ends_at // HOUR
        weights = [
            _HOURS[hour % 24] * (3 if hour < _BUSY_FIRST_DAYS * 24 else 1) for hour in range(hours)
        ]
        per_weight = len(self._accounts.registered) / sum(weights)
        owed = 0.0
        for hour, weight in enumerate(weights):
            owed += weight * per_weight
            count = int(owed)
            owed -= count
            begin = hour * HOUR
            for at in sorted(begin + int(rng.random() * HOUR) for _ in range(count)):
                existing = registered_before(self._accounts.registered, at)
                if existing:
                    yield self._everyday_sign_in(rng, at, int(rng.random() * existing))

    def _everyday_sign_in(self, rng: Random, at: int, number: int) -> SignIn:
        if rng.random() < _MISTYPED_ID_SHARE:
            mistyped = f"{login_id(number, self._accounts.names[number])}."
            text = self._clock.text(at)
            return at, f"{text},{mistyped},,unknown_login_id,password,{_home(number)},no"
        other = rng.random() < _NEW_DEVICE_SHARE
        place = _home(number, second_device=other)
        by_provider = self._accounts.providers[number] and (
            not self._accounts.passwords[number] or rng.random() < _PROVIDER_SHARE
        )
        if by_provider:
            outcome = "refused" if at >= self._suspended_at else "success"
            method = self._provider(number)
            return self._line(at, number, outcome, method=method, place=place, other_device=other)
        outcome = self._password_outcome(rng, at)
        return self._line(at, number, outcome, place=place, other_device=other)

    def _password_outcome(self, rng: Random, at: int) -> str:
        """Returns the outcome of a password: the usual mistakes, a refusal during the reset's
        maintenance, and many old passwords after it.
        """
        if self._reset_at <= at < self._reset_at + _MAINTENANCE:
            return "refused"
        wrong = _OLD_PASSWORD_SHARE if at >= self._reset_at else _MISTYPED_PASSWORD_SHARE
        return "wrong_password" if rng.random() < wrong else "success"

    def _tries(self, rng: Random) -> int:
        """Returns how often the attack tries one login id: mostly once, seldom as often as the case
        allows."""
        return self._tries_max if rng.random() < _SECOND_TRY_SHARE else 1

    def _unknown_ids(self, rng: Random) -> Iterator[SignIn]:
        """Yields the first wave: ids from leaked lists that nobody here has, with numbers above the
        last account's.
        """
        begin, end = self._attack.waves.unknown_login_id
        number, left, login = len(self._accounts.registered), 0, ""
        draw, text, place_of = rng.random, self._clock.text, self._attack.shape.place
        for attempt in range(self._unknown):
            if left == 0:
                number += 1
                left = self._tries(rng)
                login = login_id(number, int(draw() * NAMES))
            left -= 1
            at = begin + (end - begin) * attempt // self._unknown
            place = place_of(rng, attempt)
            yield at, f"{text(at)},{login},,unknown_login_id,password,{place},no"

    def _wrong_passwords(self, rng: Random) -> Iterator[SignIn]:
        """Yields the second wave: ids that exist. A victim's id is tried once here, because the
        success is the other try.
        """
        begin, end = self._attack.waves.wrong_password
        known = registered_before(self._accounts.registered, begin)
        step = _coprime_step(known)
        number, left = int(rng.random() * known), 0
        for attempt in range(self._wrong):
            if left == 0:
                number = (number + step) % known
                left = 1 if number in self._attack.victims else self._tries(rng)
            left -= 1
            at = begin + (end - begin) * attempt // self._wrong
            place = self._attack.shape.place(rng, self._unknown + attempt)
            yield self._line(at, number, "wrong_password", place=place)

    def _hits(self) -> Iterator[SignIn]:
        """Yields the third wave: one success for each victim. The suspects also sign in from a new
        device.
        """
        for position, victim in enumerate(self._attack.victims.values()):
            device = attack_device_ref(_HIT_DEVICES_FROM + position // _HITS_PER_DEVICE)
            place = f"{victim.network},{device},{victim.country}"
            yield self._line(
                victim.hit_at, victim.number, "success", place=place, other_device=True
            )
        for suspect in self._attack.suspects.values():
            place = _home(suspect.number, second_device=True)
            yield self._line(
                suspect.hit_at, suspect.number, "success", place=place, other_device=True
            )

    def _mistakes(self, rng: Random) -> Iterator[SignIn]:
        """Yields sign-ins of honest customers after the reset: old passwords and wrong ids, from
        the usual phones.
        """
        if not self._attack.shape.mistakes:
            return
        begin, known = self._reset_at + _MAINTENANCE, len(self._accounts.registered)
        step = _coprime_step(known)
        tries: list[tuple[int, int]] = []
        for turn in range(int(known * _COMES_AT_ONCE_SHARE)):
            at = begin + int(rng.random() * _MISTAKES_LAST)
            for _ in range(1 + int(rng.random() * _MISTAKEN_TRIES_MAX)):
                tries.append((at, turn * step % known))
                at += 5 + int(rng.random() * 90)
        for at, number in sorted(tries):
            other = rng.random() < _MISTAKEN_NEW_DEVICE_SHARE
            place = _home(number, second_device=other)
            draw = rng.random()
            if draw < _MISTAKEN_ID_SHARE:
                mistyped = f"{login_id(number, self._accounts.names[number])}."
                text = self._clock.text(at)
                yield at, f"{text},{mistyped},,unknown_login_id,password,{place},no"
            elif draw < _MISTAKEN_ID_SHARE + _MISTAKEN_PASSWORD_SHARE:
                yield self._line(at, number, "wrong_password", place=place)
            elif self._accounts.passwords[number]:
                yield self._line(at, number, "success", place=place, other_device=other)


def _home(number: int, *, second_device: bool = False) -> str:
    """Returns network, device and country of a customer."""
    return f"{home_network(number)},{device_ref(number, second=second_device)},JP"


def _coprime_step(size: int) -> int:
    """Returns a step that reaches every number below `size` once before it returns to the first."""
    step = int(size * 0.618) | 1
    while math.gcd(step, size) != 1:
        step += 2
    return step
