"""The list-type attack and its victims: who loses what, when, and how it looked from outside.

What is known is reproduced to the unit: 808 people, JPY 38,615,473, all but one person and JPY
10,138 of it known by 29 July, one tenth of the people hit only after 4 July. The rest is made up to
fit:

- Most victims lose money through top-ups by their own card or points, a few minutes after the
  thief signed in. The thief spends it in another prefecture within hours. From about one
  of them in eight the thief does not get it all; what is left is *unspent* and is clawed back
  before the close.
- The late tenth are people whose own earlier balance the thief spends between 5 and 15 July.
  There the payment is the damage, because top-ups are already stopped. Two dozen early victims
  lose some own balance as well.
- 173 honest customers top up large amounts from a new device on the same days. With the victims
  hit by then they are the "about 900 people, JPY 55 million" of the morning of 4 July.

No honest movement touches a victim's wallet after the thief's first one, so what is unspent is
`max(0, fraudulent top-ups - payments after the first of them)`, whatever clean money lies beside
it.
"""

from dataclasses import dataclass
from datetime import timedelta
from random import Random

from rehearsal.attack_shapes import LIST_TYPE, Shape
from rehearsal.case import Case
from rehearsal.case_files import DAY, HOUR, CaseClock, Tally
from rehearsal.people import (
    ATTACK_COUNTRIES,
    ATTACK_NETWORKS_ABROAD,
    ATTACK_NETWORKS_JAPAN,
    scattered_network,
)
from rehearsal.population import (
    History,
    Payment,
    Stops,
    TopUp,
    everyday_source,
    spend_down,
)

MINUTE = 60
LARGE_TOP_UP_MINOR = 30_000
OWN_BALANCE_VICTIMS = 24
POINTS_VICTIMS = 38
UNSPENT_SHARE = 0.12
CLEAN_MONEY_SHARE = 0.15
SUSPECTS_WHO_HOLD = 43
UNKNOWN_ID_WAVE = 3 * HOUR
WRONG_PASSWORD_WAVE = 2 * HOUR
SOURCES = {"credit": "credit_card", "debit": "debit_card", "points": "points"}


@dataclass(slots=True)
class Victim:
    """One person the thief robbed.

    `amounts_minor` are top-ups, or payments where the funding is own_balance.

    `own_minor` is earlier balance of an early victim that the thief spent on top of the top-ups.
    `holds` says that clean money of this person is left at the close.
    """

    number: int
    funding: str
    amounts_minor: list[int]
    hit_at: int
    known_at: int
    network: str
    country: str
    own_minor: int = 0
    unspent_minor: int = 0
    holds: bool = False

    @property
    def late(self) -> bool:
        return self.funding == "own_balance"

    @property
    def damage_minor(self) -> int:
        return sum(self.amounts_minor) + self.own_minor


@dataclass(slots=True)
class Suspect:
    """One honest person whose large top-ups from a new device look like those of a thief."""

    number: int
    funding: str
    amounts_minor: list[int]
    hit_at: int
    holds: bool = False


@dataclass(frozen=True, slots=True)
class Waves:
    """Half-open ranges of seconds. In the case each wave begins where the previous one ends; in a
    slow attack two waves overlap.
    """

    unknown_login_id: tuple[int, int]
    wrong_password: tuple[int, int]
    large_top_up: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Attack:
    """The whole plan. The size of the population decides only which accounts are attacked."""

    shape: Shape
    victims: dict[int, Victim]
    suspects: dict[int, Suspect]
    waves: Waves
    suspected: Tally


def plan_attack(
    case: Case,
    rng: Random,
    *,
    numbers: list[int],
    clock: CaseClock,
    stops: Stops,
    shape: Shape,
) -> Attack:
    """Returns the plan: every victim and suspect has a wallet, exact amounts and times. `numbers`
    are accounts of the first day in random order, first those of the victims, then those of the
    suspects. In a shape that robs nobody there are only suspects, whose top-ups are honest.
    """
    damage = case.damage
    first = damage.restatements[0]
    waves = _waves(case, clock, shape)
    late, early = _victims(
        case, rng, numbers=numbers, clock=clock, stops=stops, shape=shape, waves=waves
    )
    topped_up = sum(sum(victim.amounts_minor) for victim in early)
    suspects = _suspects(
        rng,
        numbers=numbers[damage.victims : damage.victims + first.victims - len(early)],
        target_minor=first.amount_minor - topped_up,
        waves=waves,
        stops=stops,
    )
    if not shape.robs:
        late, early, topped_up = [], [], 0
    return Attack(
        shape=shape,
        victims={victim.number: victim for victim in late + early},
        suspects={suspect.number: suspect for suspect in suspects},
        waves=waves,
        suspected=Tally(
            count=len(early) + len(suspects),
            amount_minor=topped_up + sum(sum(suspect.amounts_minor) for suspect in suspects),
        ),
    )


def _victims(
    case: Case,
    rng: Random,
    *,
    numbers: list[int],
    clock: CaseClock,
    stops: Stops,
    shape: Shape,
    waves: Waves,
) -> tuple[list[Victim], list[Victim]]:
    """Returns the victims hit after 4 July and those of the third wave, whose damage together is
    the published sum.
    """
    damage = case.damage
    first, known, last = damage.restatements
    late = _late_victims(case, rng, clock=clock, numbers=numbers[: damage.victims_late])
    early = _early_victims(
        case,
        rng,
        numbers=numbers[damage.victims_late : damage.victims],
        waves=waves,
        stops=stops,
        target_minor=damage.amount_minor - sum(victim.damage_minor for victim in late),
    )
    for victim in early:
        victim.known_at = _known_at(rng, clock.seconds(first.as_of), clock.seconds(known.as_of))
    if sum(victim.damage_minor for victim in late + early) != last.amount_minor:
        raise AssertionError("the victims' damage is not the published sum")
    if shape is not LIST_TYPE:
        for victim in late + early:
            victim.network, victim.country = _origin(rng, shape)
    return late, early


def people_needed(case: Case) -> int:
    """Returns how many accounts of the first day the plan takes."""
    return case.damage.victims_late + case.damage.restatements[0].victims


def _waves(case: Case, clock: CaseClock, shape: Shape) -> Waves:
    begins = clock.seconds(case.attack.starts_at)
    wrong = begins + UNKNOWN_ID_WAVE
    large = wrong + WRONG_PASSWORD_WAVE
    charging = (large, clock.seconds(case.attack.ends_at))
    if shape.spell is not None:
        begins, wrong, ends = shape.spell
        return Waves((begins, ends), (wrong, ends), charging)
    return Waves((begins, wrong), (wrong, large), charging)


def _known_at(rng: Random, first: int, last: int) -> int:
    """Returns when a victim was confirmed: most in the first days, all but one before `last`."""
    return first + HOUR + int((last - first - 2 * HOUR) * rng.random() ** 2)


def _late_victims(case: Case, rng: Random, *, clock: CaseClock, numbers: list[int]) -> list[Victim]:
    """Returns the tenth of the victims who are hit after 4 July. The operator learns of the last of
    them last.
    """
    _, known, last = case.damage.restatements
    last_day = (case.damage.last_new_victim_on - case.programme.launched_at.date()).days * DAY
    victims = []
    for number in numbers[:-1]:
        hit_at = 4 * DAY + 8 * HOUR + int((last_day - 4 * DAY) * rng.random() ** 1.5)
        victims.append(
            Victim(
                number=number,
                funding="own_balance",
                amounts_minor=_split(rng, 3_000 + int(rng.random() * 17_000), parts_max=2),
                hit_at=hit_at,
                known_at=_known_at(rng, hit_at + DAY, clock.seconds(known.as_of)),
                network=ATTACK_NETWORKS_JAPAN[int(rng.random() * len(ATTACK_NETWORKS_JAPAN))],
                country="JP",
            )
        )
    victims.append(
        Victim(
            number=numbers[-1],
            funding="own_balance",
            amounts_minor=[last.amount_minor - known.amount_minor],
            hit_at=last_day + 19 * HOUR,
            known_at=clock.seconds(last.as_of - timedelta(hours=6)),
            network=ATTACK_NETWORKS_JAPAN[0],
            country="JP",
        )
    )
    return victims


def _early_victims(
    case: Case,
    rng: Random,
    *,
    numbers: list[int],
    waves: Waves,
    stops: Stops,
    target_minor: int,
) -> list[Victim]:
    """Returns the victims of the third wave. Their damage is `target_minor`, split by funding as in
    the case.
    """
    own = [1_000 + int(rng.random() * 7_000) for _ in range(OWN_BALANCE_VICTIMS)]
    amounts = _early_top_ups(case, rng, people=len(numbers), target_minor=target_minor - sum(own))
    victims: list[Victim] = []
    for funding, lists in amounts.items():
        for amounts_minor in lists:
            ends = waves.large_top_up[1] if funding == "points" else stops.card_top_ups
            hit_at = _hit_at(rng, waves.large_top_up[0], ends)
            network, country = _attack_origin(rng, at=hit_at, stops=stops)
            victims.append(
                Victim(
                    number=numbers[len(victims)],
                    funding=funding,
                    amounts_minor=amounts_minor,
                    hit_at=hit_at,
                    known_at=0,
                    network=network,
                    country=country,
                )
            )
    shuffled = rng.sample(victims, len(victims))
    for victim, amount in zip(shuffled, own, strict=False):
        victim.own_minor = amount
    unspent = round(len(victims) * UNSPENT_SHARE)
    rest = shuffled[len(own) :]
    for victim in rest[:unspent]:
        victim.unspent_minor = int(victim.amounts_minor[-1] * (0.2 + 0.6 * rng.random()))
    for victim in rest[unspent : unspent + round(case.damage.victims * CLEAN_MONEY_SHARE)]:
        victim.holds = True
    return victims


def _early_top_ups(
    case: Case, rng: Random, *, people: int, target_minor: int
) -> dict[str, list[list[int]]]:
    """Returns the top-ups of each victim of the third wave, by how they were funded."""
    split = case.damage.funding_split
    credit_minor = round(case.damage.amount_minor * split["credit"])
    debit_minor = round(case.damage.amount_minor * split["debit"])
    points_minor = target_minor - credit_minor - debit_minor
    cards = people - POINTS_VICTIMS
    debit_people = round(cards * debit_minor / (credit_minor + debit_minor))
    return {
        "credit": _exact_top_ups(
            rng, people=cards - debit_people, total=credit_minor, items=(1, 4)
        ),
        "debit": _exact_top_ups(rng, people=debit_people, total=debit_minor, items=(1, 4)),
        "points": _exact_top_ups(rng, people=POINTS_VICTIMS, total=points_minor, items=(1, 3)),
    }


def _hit_at(rng: Random, first: int, last: int) -> int:
    """Returns a second that leaves the thief half an hour before the source stops."""
    return first + int((last - first - HOUR // 2) * rng.random())


def _attack_origin(rng: Random, *, at: int, stops: Stops) -> tuple[str, str]:
    """Returns where the thief signs in from: a domestic network once foreign networks are blocked,
    which is when the cards are stopped.
    """
    if at < stops.card_top_ups:
        place = int(rng.random() * len(ATTACK_NETWORKS_ABROAD))
        return ATTACK_NETWORKS_ABROAD[place], ATTACK_COUNTRIES[place % len(ATTACK_COUNTRIES)]
    return ATTACK_NETWORKS_JAPAN[int(rng.random() * len(ATTACK_NETWORKS_JAPAN))], "JP"


def _origin(rng: Random, shape: Shape) -> tuple[str, str]:
    """Returns where a thief of this shape signs in from."""
    if not shape.networks:
        return scattered_network(rng), "JP"
    return shape.networks[int(rng.random() * len(shape.networks))], shape.countries[0]


def _suspects(
    rng: Random, *, numbers: list[int], target_minor: int, waves: Waves, stops: Stops
) -> list[Suspect]:
    lists = _exact_top_ups(rng, people=len(numbers), total=target_minor, items=(2, 5))
    suspects = []
    for position, (number, amounts_minor) in enumerate(zip(numbers, lists, strict=True)):
        suspects.append(
            Suspect(
                number=number,
                funding="debit" if rng.random() < 0.15 else "credit",
                amounts_minor=amounts_minor,
                hit_at=_hit_at(rng, waves.large_top_up[0], stops.card_top_ups),
                holds=position < SUSPECTS_WHO_HOLD,
            )
        )
    return suspects


def _exact_top_ups(
    rng: Random, *, people: int, total: int, items: tuple[int, int]
) -> list[list[int]]:
    """Returns a list of top-ups for each person. All together add up to `total` exactly. Most are
    of 30,000, and a few others make up the rest.
    """
    items_min, items_max = items
    mean = total / people / LARGE_TOP_UP_MINOR
    lists = []
    for _ in range(people):
        count = max(
            items_min, min(items_max, int(mean * (0.3 + 1.4 * rng.random()) + rng.random()))
        )
        lists.append([_large_amount(rng) for _ in range(count)])
    gap = total - sum(map(sum, lists))
    while gap < 0:
        amounts = lists[int(rng.random() * people)]
        if len(amounts) > items_min:
            gap += amounts.pop()
        elif amounts[0] > 10_000:
            gap += amounts[0] - 10_000
            amounts[0] = 10_000
    while gap:
        amounts = lists[int(rng.random() * people)]
        if gap >= 1_000 and len(amounts) < items_max:
            amounts.append(min(gap, LARGE_TOP_UP_MINOR))
            gap -= amounts[-1]
        elif gap < 1_000 and amounts[0] < LARGE_TOP_UP_MINOR:
            amounts[0] += gap
            gap = 0
    return lists


def _large_amount(rng: Random) -> int:
    draw = rng.random()
    if draw < 0.84:
        return LARGE_TOP_UP_MINOR
    return (10_000, 20_000, 25_000, 29_000)[int((draw - 0.84) / 0.16 * 4)]


def _split(rng: Random, total: int, *, parts_max: int) -> list[int]:
    """Returns one to `parts_max` parts of at least one unit, which add up to `total`."""
    parts = min(total, 1 + int(rng.random() * parts_max))
    amounts: list[int] = []
    for part in range(parts - 1):
        share = int((total - sum(amounts)) / (parts - part) * (0.7 + 0.6 * rng.random()))
        amounts.append(max(1, share))
    return [*amounts, total - sum(amounts)]


def victim_history(
    rng: Random, *, victim: Victim, opened: int, closing_minor: int, card: str | None, stops: Stops
) -> History:
    """The owner's first day, then the thief's movements, which leave clean money alone."""
    own_minor = sum(victim.amounts_minor) if victim.late else victim.own_minor
    top_ups, payments = _own_first_day(
        rng, opened=opened, needed=own_minor + closing_minor, card=card, stops=stops
    )
    at = victim.hit_at + 3 * MINUTE
    if victim.late:
        for amount in victim.amounts_minor:
            payments.append(Payment(at, amount, away=True, marked=True))
            at += int((8 + 30 * rng.random()) * MINUTE)
        return History(top_ups, payments, paid_minor=closing_minor)
    for amount in victim.amounts_minor:
        top_ups.append(TopUp(at, SOURCES[victim.funding], amount, marked=True))
        at += 14 + int(rng.random() * 12)
    spent = sum(victim.amounts_minor) - victim.unspent_minor
    for amount in _split(rng, spent, parts_max=3):
        at += int((8 + 40 * rng.random()) * MINUTE)
        payments.append(Payment(at, amount, away=True))
    if victim.own_minor:
        payments.append(Payment(at + 11 * MINUTE, victim.own_minor, away=True, marked=True))
    return History(top_ups, payments, paid_minor=closing_minor)


def _own_first_day(
    rng: Random, *, opened: int, needed: int, card: str | None, stops: Stops
) -> tuple[list[TopUp], list[Payment]]:
    """What the owner charges, in whole thousands, and spends, leaving exactly `needed`."""
    charged = -(-needed // 1_000) * 1_000 + int(rng.random() * 3) * 1_000
    if charged == 0:
        return [], []
    at = opened + int((6 + 40 * rng.random()) * MINUTE)
    top_ups = [TopUp(at, everyday_source(rng, at=at, card=card, stops=stops), charged)]
    if charged == needed:
        return top_ups, []
    return top_ups, [Payment(at + int((10 + 100 * rng.random()) * MINUTE), charged - needed)]


def suspect_history(
    rng: Random, *, suspect: Suspect, closing_minor: int, cleared_at: int, stops: Stops
) -> History:
    """Returns large honest top-ups and one immediate purchase. The rest is spent from `cleared_at`
    on. Nothing moves in between, so that the wallet can be held while it is under suspicion.
    """
    at = suspect.hit_at + 3 * MINUTE
    top_ups = []
    for amount in suspect.amounts_minor:
        top_ups.append(TopUp(at, SOURCES[suspect.funding], amount, marked=True))
        at += 14 + int(rng.random() * 12)
    charged = sum(suspect.amounts_minor)
    first = int((charged - closing_minor) * (0.1 + 0.4 * rng.random()))
    payments = [Payment(at + int((5 + 60 * rng.random()) * MINUTE), first)]
    payments += spend_down(
        rng, arrivals=[(cleared_at, charged - first)], keep=closing_minor, until=stops.spending
    )
    return History(top_ups, payments, paid_minor=closing_minor)
