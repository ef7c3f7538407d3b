"""The case as files of an operator's core system, written in one pass.

The same (accounts, seed, attempts_max) gives the same bytes. Memory grows by a few bytes for each
account. Rows are written when they are made, wallet by wallet, and in time order within a wallet.
All customers have the same synthetic password, which the manifest states. Its hash is computed
once.
"""

from array import array
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from django.contrib.auth.hashers import PBKDF2PasswordHasher

from rehearsal.attack_history import (
    Suspect,
    Victim,
    people_needed,
    plan_attack,
    suspect_history,
    victim_history,
)
from rehearsal.attack_shapes import LIST_TYPE, SHAPES, Shape
from rehearsal.case import Case, load_case
from rehearsal.case_files import AUGUST, HOUR, MANIFEST, CaseClock, CaseFiles, Tally, write_manifest
from rehearsal.customer_rows import LETTERS, Cards, CustomerRows
from rehearsal.movement_rows import MovementRows
from rehearsal.population import (
    Closings,
    History,
    Stops,
    authorised_top_up,
    bonus_only_history,
    everyday_history,
    registered_before,
    registration_times,
)
from rehearsal.refund_behaviour import RefundBehaviour
from rehearsal.sign_in_history import Accounts, SignInHistory, attempts_of
from winddown.errors import WinddownError

# What the core system's framework made: Django 1.11, which was supported in 2019.
ITERATIONS = 36_000
ACCOUNTS_MIN = 2_000
ATTEMPTS_MIN = 10_000
ATTEMPTS_MAX = 2_000_000

FIRST_DAY = 24 * HOUR
# Registration ends a little before the last stop, so that every wallet is open by then. A wallet
# that opens in the last two hours receives nothing.
LAST_REGISTRATION_LEAD = HOUR // 6
LAST_TOP_UP_LEAD = 2 * HOUR
USED_SHARE = 0.5
BONUS_ONLY_SHARE = 0.03
PROGRESS_EVERY = 1_000
LATE_CLAIMS = timedelta(days=31)

Progress = Callable[[str, int, int], None]


class GenerationRefused(WinddownError):
    """The case was not generated: {why}"""


def generate_case(
    *,
    accounts: int,
    seed: int,
    out: Path,
    attempts_max: int = ATTEMPTS_MAX,
    attack: str = LIST_TYPE.name,
    progress: Progress = lambda phase, done, total: None,
) -> dict[str, Any]:
    """The case is in `out` as CSV files and a manifest. Returns the manifest.

    `attack` names one of `attack_shapes.SHAPES`. Raises `GenerationRefused`. A second run over the
    same directory replaces every file.
    """
    if accounts < ACCOUNTS_MIN:
        raise GenerationRefused(
            why=f"it needs at least {ACCOUNTS_MIN:,} accounts to hold its victims, suspects and"
            f" everybody else, not {accounts:,}."
        )
    if attempts_max < ATTEMPTS_MIN:
        raise GenerationRefused(
            why=f"the attack needs at least {ATTEMPTS_MIN:,} attempts to come in three waves,"
            f" not at most {attempts_max:,}."
        )
    if attack not in SHAPES:
        raise GenerationRefused(
            why=f"there is no attack {attack!r}; known are {', '.join(SHAPES)}."
        )
    if out.exists() and not out.is_dir():
        raise GenerationRefused(why=f"{out} is a file, not a directory.")
    out.mkdir(parents=True, exist_ok=True)
    (out / MANIFEST).unlink(missing_ok=True)
    case = load_case()
    generation = _Generation(
        case, accounts=accounts, seed=seed, attempts_max=attempts_max, shape=SHAPES[attack]
    )
    manifest = generation.write(out, progress=progress)
    write_manifest(out, manifest)
    return manifest


class _Generation:
    """One case. It is planned by the constructor and written once."""

    def __init__(
        self, case: Case, *, accounts: int, seed: int, attempts_max: int, shape: Shape
    ) -> None:
        programme = case.programme
        self._case = case
        self._shape = shape
        self._count = accounts
        self._seed = seed
        self._stream = f"{accounts}:{seed}"
        self._attempts = (
            attempts_of(case, accounts=accounts, attempts_max=attempts_max) if shape.robs else 0
        )
        self._clock = CaseClock(
            programme.launched_at, until=programme.refund_window_ends_at + LATE_CLAIMS
        )
        seconds = self._clock.seconds
        self._stops = Stops(
            card_top_ups=seconds(case.at("stop_card_top_ups")),
            all_top_ups=seconds(case.at("stop_all_top_ups")),
            spending=seconds(programme.spend_ends_at),
        )
        self._plan_people(self._rng("people"))
        self._plan_closings(self._rng("closings"))
        self._money = self._rng("money")

    def _rng(self, stream: str) -> Random:
        """Returns the random stream of one part of the case, so that a change in one part leaves
        the others alone.
        """
        return Random(f"{self._stream}:{stream}")  # noqa: S311  # it must repeat, not be secret

    def _plan_people(self, rng: Random) -> None:
        """Everybody is registered. Victims, suspects and unfinished movements have wallets of the
        first day.
        """
        registered = registration_times(
            rng, accounts=self._count, until=self._stops.all_top_ups - LAST_REGISTRATION_LEAD
        )
        self._accounts = Accounts(
            registered=registered,
            names=array("H", bytes(2 * self._count)),
            providers=bytearray(self._count),
            passwords=bytearray(self._count),
        )
        top_ups = max(5, self._count // 2_000)
        payments = max(3, self._count // 5_000)
        people = people_needed(self._case)
        chosen = rng.sample(
            range(registered_before(registered, FIRST_DAY)), people + top_ups + payments
        )
        self._attack = plan_attack(
            self._case,
            rng,
            numbers=chosen[:people],
            clock=self._clock,
            stops=self._stops,
            shape=self._shape,
        )
        self._authorised_top_ups = frozenset(chosen[people : people + top_ups])
        self._authorised_payments = frozenset(chosen[people + top_ups :])

    def _plan_closings(self, rng: Random) -> None:
        """Every closing balance is drawn. The other holders are chosen later, one by one."""
        population, accounts = self._case.population, self._count
        self._closings = Closings(
            rng,
            holders=population.holders(accounts=accounts),
            total_minor=population.balance_minor(accounts=accounts),
            paid=population.holders_paid_by_2020_01_09(accounts=accounts),
            paid_minor=population.balance_paid_by_2020_01_09_minor(accounts=accounts),
        )
        marked: list[Victim | Suspect] = [
            *self._attack.victims.values(),
            *self._attack.suspects.values(),
        ]
        self._everyday_end = registered_before(
            self._accounts.registered, self._stops.all_top_ups - LAST_TOP_UP_LEAD
        )
        self._everyday_left = self._everyday_end - len(marked)
        self._holders_left = len(self._closings) - sum(person.holds for person in marked)

    def write(self, out: Path, *, progress: Progress) -> dict[str, Any]:
        """All files are written and closed. Returns the manifest."""
        password, password_hash = _shared_password(self._rng("password"))
        files = CaseFiles(out, case=self._case, clock=self._clock)
        try:
            customers = CustomerRows(
                self._case,
                files=files,
                clock=self._clock,
                accounts=self._accounts,
                rng=self._rng("customers"),
                password_hash=password_hash,
            )
            movements = MovementRows(
                self._case,
                files=files,
                clock=self._clock,
                rng=self._rng("movements"),
                goods=self._rng("goods"),
            )
            self._behaviour = RefundBehaviour(
                self._case, files=files, clock=self._clock, rng=self._rng("behaviour")
            )
            for number in range(self._count):
                self._write_customer(number, customers=customers, movements=movements)
                if number % PROGRESS_EVERY == 0:
                    progress("customers", number, self._count)
            self._write_sign_ins(files, progress=progress)
        finally:
            files.close()
        return {
            "case": self._case.programme.name,
            "accounts": self._count,
            "seed": self._seed,
            "attack": self._shape.name,
            "attempts": self._attempts,
            "demo_password": password,
            "files": files.entries(truth=False),
            "truth": files.entries(truth=True),
            "expected": self._expected(customers=customers, movements=movements),
        }

    def _write_sign_ins(self, files: CaseFiles, *, progress: Progress) -> None:
        history = SignInHistory(
            self._case,
            seed=self._stream,
            clock=self._clock,
            accounts=self._accounts,
            attack=self._attack,
            attempts=self._attempts,
        )
        expected = 2 * self._count + self._attempts
        for done, (at, line) in enumerate(history):
            files.auth_events(at).write(line)
            if done % PROGRESS_EVERY == 0:
                progress("sign-ins", done, expected)

    def _write_customer(
        self, number: int, *, customers: CustomerRows, movements: MovementRows
    ) -> None:
        victim = self._attack.victims.get(number)
        suspect = self._attack.suspects.get(number)
        person = victim or suspect
        customers.write_account(number, password_needed=person is not None)
        opened = customers.write_wallet(number)
        funding = person.funding if person and person.funding in {"credit", "debit"} else None
        if number in self._authorised_top_ups:
            funding = "credit"
        cards = customers.write_cards(number, opened=opened, funding=funding)
        if victim:
            history = self._victim_history(victim, opened=opened, cards=cards)
        elif suspect:
            history = self._suspect_history(suspect)
        else:
            history = self._everyday_history(number, opened=opened, cards=cards)
        movements.write(number, history=history, cards=cards, person=person)

    def _closing_minor(self, number: int, *, holds: bool) -> int:
        """The holder's behaviour is written. Returns the value that must be left in the wallet."""
        if not holds:
            return 0
        closing = self._closings.take()
        self._behaviour.write(number, closing)
        return closing.amount_minor

    def _victim_history(self, victim: Victim, *, opened: int, cards: Cards) -> History:
        return victim_history(
            self._money,
            victim=victim,
            opened=opened,
            closing_minor=self._closing_minor(victim.number, holds=victim.holds),
            card=next(iter(cards), None),
            stops=self._stops,
        )

    def _suspect_history(self, suspect: Suspect) -> History:
        return suspect_history(
            self._money,
            suspect=suspect,
            closing_minor=self._closing_minor(suspect.number, holds=suspect.holds),
            cleared_at=AUGUST,
            stops=self._stops,
        )

    def _everyday_history(self, number: int, *, opened: int, cards: Cards) -> History:
        rng = self._money
        if number >= self._everyday_end:
            return History([], [])
        holds = rng.random() * self._everyday_left < self._holders_left
        self._everyday_left -= 1
        self._holders_left -= holds
        ends_authorised = number in self._authorised_payments
        if holds or ends_authorised or rng.random() < USED_SHARE:
            history = everyday_history(
                rng,
                opened=opened,
                closing_minor=self._closing_minor(number, holds=holds),
                card=next(iter(cards), None),
                stops=self._stops,
                ends_authorised=ends_authorised,
            )
        elif rng.random() < BONUS_ONLY_SHARE:
            history = bonus_only_history(rng, opened=opened)
        else:
            history = History([], [])
        if number in self._authorised_top_ups:
            history.top_ups.append(authorised_top_up(rng, stops=self._stops))
            history.top_ups.sort()
        return history

    def _expected(self, *, customers: CustomerRows, movements: MovementRows) -> dict[str, Any]:
        """Returns the figures that a replay of these files must reproduce."""
        totals, attack, behaviour = movements.totals, self._attack, self._behaviour
        known_by = self._clock.seconds(self._case.damage.restatements[1].as_of)
        known, damage = Tally(), Tally()
        for victim in attack.victims.values():
            damage.add(victim.damage_minor)
            if victim.known_at <= known_by:
                known.add(victim.damage_minor)
        return {
            "victims": asdict(damage),
            "victims_known_2019_07_29": asdict(known),
            "suspected_2019_07_04": asdict(attack.suspected),
            "damage_by_funding": _by_name(totals.damage_by_funding),
            "unspent": asdict(totals.unspent),
            "top_ups": _by_name(totals.top_ups),
            "authorised_top_ups": asdict(totals.authorised_top_ups),
            "posted_payments": asdict(totals.posted_payments),
            "authorised_payments": asdict(totals.authorised_payments),
            "closing": asdict(totals.closing),
            "closing_bonus": asdict(totals.closing_bonus),
            "paid_by_2020_01_09": asdict(behaviour.paid_by_2020_01_09),
            "unpaid_on_2020_01_09": asdict(behaviour.unpaid_on_2020_01_09),
            "locked_out": customers.locked_out,
        }


def _by_name(tallies: dict[str, Tally]) -> dict[str, dict[str, int]]:
    return {name: asdict(tally) for name, tally in sorted(tallies.items())}


def _shared_password(rng: Random) -> tuple[str, str]:
    """Returns the password of all synthetic customers and its hash, which both follow from the
    seed.
    """
    word = f"{rng.getrandbits(24):06x}".translate(LETTERS)
    password = f"Rehearsal-{word}-{rng.randrange(1_000, 10_000)}"
    salt = f"{rng.getrandbits(88):022x}".translate(LETTERS)
    return password, PBKDF2PasswordHasher().encode(password, salt, ITERATIONS)
