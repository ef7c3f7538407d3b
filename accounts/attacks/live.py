"""The sign-ins of all people together can look like a list-type attack. A storm then holds for a
time.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass

from django.db import IntegrityError, transaction

from accounts.models import SignInStorm
from winddown import clock
from winddown.actors import SYSTEM
from winddown.evidence import audit
from winddown.machines.move import transition_one
from winddown.runs import clockwork

HOLDS = dt.timedelta(minutes=10)
# `holds_until` may be so many seconds old. Therefore few attempts of a storm write the row.
PROLONGED_EVERY = dt.timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Sign:
    """The sign of a storm: at least `least` attempts within `WINDOW_S`. Of these, `unknown_pct`
    percent or more had a login id that nobody has, or `wrong_pct` percent or more had a wrong
    password.
    """

    least: int
    unknown_pct: int
    wrong_pct: int

    def shown_by(self, tally: Tally) -> bool:
        unknown = 100 * tally.unknown >= self.unknown_pct * tally.attempts
        wrong = 100 * tally.wrong >= self.wrong_pct * tally.attempts
        return tally.attempts >= self.least and (unknown or wrong)


@dataclass(frozen=True, slots=True)
class Tally:
    """Customers' attempts within `WINDOW_S` from devices that were seen for the first time.

    `unknown` had a login id that nobody has. `wrong` had a wrong password, of an account that has
    one. An attempt at an account without a password counts as an attempt only: after a mass reset
    thousands of honest people fail in this way.
    """

    attempts: int
    unknown: int
    wrong: int


WINDOW_S = 300
# The lists that were tried in 2014 opened 0.15 to 10 % of the accounts. Honest people mistype a
# login id in a few of a hundred attempts, and mostly get a mistyped password right at the second.
# Weaker signs are enough to prolong a storm than to begin one. Otherwise it would end and begin
# again and again.
BEGINS = Sign(least=100, unknown_pct=30, wrong_pct=60)
GOES_ON = Sign(least=20, unknown_pct=15, wrong_pct=40)


def under_way(at: dt.datetime) -> SignInStorm | None:
    """Returns the storm that holds at that instant."""
    holding = SignInStorm.objects.filter(state=SignInStorm.State.UNDER_WAY, holds_until__gt=at)
    return holding.first()


def begin_or_prolong(tally: Tally, *, at: dt.datetime) -> None:
    """A storm begins or goes on, if the tally shows it; otherwise nothing changes."""
    if not GOES_ON.shown_by(tally):
        return
    storm = under_way(at)
    if storm is not None:
        stale = SignInStorm.objects.filter(
            pk=storm.pk,
            state=SignInStorm.State.UNDER_WAY,
            holds_until__lt=at + HOLDS - PROLONGED_EVERY,
        )
        stale.update(holds_until=at + HOLDS)
    elif BEGINS.shown_by(tally):
        _begin(tally, at=at)


def _begin(tally: Tally, *, at: dt.datetime) -> None:
    """One storm is under way from now on. This holds also when two processes see its signs at once."""
    end_past(at=at)
    try:
        with transaction.atomic():
            storm = SignInStorm.objects.create(
                began_at=at, holds_until=at + HOLDS, signs=asdict(tally)
            )
            audit.append(
                "sign_in_storm.begin",
                f"sign_in_storm:{storm.pk}",
                actor=SYSTEM,
                signs=asdict(tally),
            )
    except IntegrityError:
        return


def end_past(*, at: dt.datetime | None = None) -> int:
    """Every storm whose time is over has ended. Returns how many ended."""
    at = at or clock.now()
    with transaction.atomic():
        past = SignInStorm.objects.select_for_update(skip_locked=True).filter(
            state=SignInStorm.State.UNDER_WAY, holds_until__lte=at
        )
        ended = [
            transition_one(storm, "end", actor=SYSTEM, reason="the signs are gone")
            for storm in past
        ]
        for storm in ended:
            audit.append("sign_in_storm.end", f"sign_in_storm:{storm.pk}", actor=SYSTEM)
    return len(ended)


clockwork.FOLLOW_UPS.add("sign_in_storms", end_past)
