"""The rows that move money, the truth about the marked ones, and what all of them add up to."""

from dataclasses import dataclass, field
from random import Random

from rehearsal.attack_history import Suspect, Victim
from rehearsal.case import Case
from rehearsal.case_files import AUTHORISED, DAY, HOUR, POSTED, CaseClock, CaseFiles, Tally
from rehearsal.customer_rows import Cards
from rehearsal.people import PREFECTURES, home_prefecture, merchant_ref, wallet_ref
from rehearsal.population import History, Payment, TopUp

STORES_PER_PREFECTURE = 40
# ISO 18245.
FOOD = "5499"
TOBACCO = "5993"
_TOBACCO_SHARE = 0.12
_PACKS_MINOR_MAX = 3_000
_TOBACCO_SHARE_OF_THIEVES = 0.75


@dataclass(slots=True)
class Totals:
    """What the files amount to, counted while written; `top_ups` are the posted ones."""

    top_ups: dict[str, Tally] = field(default_factory=dict)
    authorised_top_ups: Tally = field(default_factory=Tally)
    posted_payments: Tally = field(default_factory=Tally)
    authorised_payments: Tally = field(default_factory=Tally)
    damage_by_funding: dict[str, Tally] = field(default_factory=dict)
    unspent: Tally = field(default_factory=Tally)
    closing: Tally = field(default_factory=Tally)
    closing_bonus: Tally = field(default_factory=Tally)


class MovementRows:
    """Writes the history of one wallet after another."""

    def __init__(
        self, case: Case, *, files: CaseFiles, clock: CaseClock, rng: Random, goods: Random
    ) -> None:
        """`goods` decides what is bought and nothing else."""
        self._launched_at = case.programme.launched_at
        self._files = files
        self._clock = clock
        self._rng = rng
        self._goods = goods
        self._top_ups = 0
        self._payments = 0
        self.totals = Totals()

    def write(
        self, number: int, *, history: History, cards: Cards, person: Victim | Suspect | None
    ) -> None:
        for top_up in history.top_ups:
            self._write_top_up(number, top_up, cards=cards, person=person)
        for payment in history.payments:
            self._write_payment(number, payment, person=person)
        paid_minor, bonus_minor = history.paid_minor, history.bonus_minor
        wallet = wallet_ref(number)
        if paid_minor or bonus_minor:
            self._files.closing.write(f"{wallet},{paid_minor},{bonus_minor}", paid_minor)
        if paid_minor:
            self.totals.closing.add(paid_minor)
        if bonus_minor:
            self.totals.closing_bonus.add(bonus_minor)
        if isinstance(person, Victim) and person.unspent_minor:
            self._files.clawbacks.write(f"{wallet},{person.unspent_minor}", person.unspent_minor)
            self.totals.unspent.add(person.unspent_minor)

    def _write_top_up(
        self, number: int, row: TopUp, *, cards: Cards, person: Victim | Suspect | None
    ) -> None:
        self._top_ups += 1
        ref, at, amount = f"T{self._top_ups:09d}", self._clock.text(row.at), row.amount_minor
        card_ref, references = "", ",,"
        if row.source in cards:
            card_ref, bin_ = cards[row.source]
            references = self._card_references(row.at, bin_, posted=not row.authorised)
        if row.authorised:
            state, tally = AUTHORISED, self.totals.authorised_top_ups
        else:
            state = POSTED
            tally = self.totals.top_ups.setdefault(row.source, Tally())
        tally.add(amount)
        self._files.top_ups.write(
            f"{ref},{wallet_ref(number)},{row.source},{card_ref},{amount},{at},{state},"
            f"{references}",
            amount,
        )
        if row.marked and person:
            self._write_truth(number, person, f"top_up,{ref}", amount, person.funding, at)

    def _card_references(self, at: int, bin_: str, *, posted: bool) -> str:
        """Returns rrn, auth_code and arn; only a posted top-up was presented and has an ARN."""
        day_of_year = self._launched_at.timetuple().tm_yday + at // DAY
        julian = f"{self._launched_at.year % 10}{day_of_year:03d}"
        rrn = f"{julian}{at % DAY // HOUR:02d}{self._top_ups % 1_000_000:06d}"
        code = f"{int(self._rng.random() * 1_000_000):06d}"
        arn = with_check_digit(f"7{bin_}{julian}{self._top_ups:011d}") if posted else ""
        return f"{rrn},{code},{arn}"

    def _write_payment(self, number: int, row: Payment, *, person: Victim | Suspect | None) -> None:
        self._payments += 1
        ref, at, amount = f"P{self._payments:09d}", self._clock.text(row.at), row.amount_minor
        place = home_prefecture(number)
        if row.away:
            place = (place + 1 + int(self._rng.random() * 46)) % len(PREFECTURES)
        merchant = merchant_ref(place, int(self._rng.random() * STORES_PER_PREFECTURE))
        if row.authorised:
            state, tally = AUTHORISED, self.totals.authorised_payments
        else:
            state, tally = POSTED, self.totals.posted_payments
        tally.add(amount)
        self._files.payments(row.at).write(
            f"{ref},{wallet_ref(number)},{amount},{merchant},{PREFECTURES[place]},"
            f"{self._category(row)},{at},{state}",
            amount,
        )
        if row.marked and person:
            self._write_truth(number, person, f"payment,{ref}", amount, "own_balance", at)

    def _category(self, row: Payment) -> str:
        """Returns food mostly; thieves buy tobacco by the carton, customers by the pack."""
        draw = self._goods.random()
        if row.away:
            return TOBACCO if draw < _TOBACCO_SHARE_OF_THIEVES else FOOD
        packs = row.amount_minor <= _PACKS_MINOR_MAX
        return TOBACCO if packs and draw < _TOBACCO_SHARE else FOOD

    def _write_truth(
        self,
        number: int,
        person: Victim | Suspect,
        movement: str,
        amount: int,
        funding: str,
        at: str,
    ) -> None:
        line = f"{wallet_ref(number)},{movement},{amount},{funding},{at}"
        if isinstance(person, Suspect):
            self._files.suspects.write(line, amount)
        else:
            self._files.victims.write(f"{line},{self._clock.text(person.known_at)}", amount)
            self.totals.damage_by_funding.setdefault(funding, Tally()).add(amount)


def with_check_digit(digits: str) -> str:
    """Returns the digits with their Luhn check digit, as in an acquirer reference number."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return f"{digits}{-total % 10}"
