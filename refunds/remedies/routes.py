"""The table of routes to a remedy, by what was lost, what the issuer said, and whether its cut-off
is still ahead."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from typing import Final

from refunds.bankfiles.calendar import roll_forward
from winddown.errors import WinddownError


class NoRoute(WinddownError):
    """There is no route for a {funding} loss after {after} was answered {answer}."""


class WrongRoute(WinddownError):
    """{kind} is no route for a {funding} loss."""


@dataclass(frozen=True, slots=True)
class BillingTerms:
    """When an issuer closes a bill, when it is paid, and until when a line can be taken out of
    it."""

    closes_on_day: int
    pays_on_day: int
    stop_before_days: int
    margin_days: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an answer means. The loss is made good by `done`, or `next` is tried. With neither, the
    issuer is asked again.
    """

    done: str | None = None
    next: str | None = None


STOP_DEBIT: Final = "stop_debit"
ISSUER_REFUND: Final = "issuer_refund"
DEBIT_REIMBURSEMENT: Final = "debit_reimbursement"
CHARGEBACK_ACCEPTED: Final = "chargeback_accepted"
COMPENSATION_PAYOUT: Final = "compensation_payout"
POINTS_RECREDIT: Final = "points_recredit"
BONUS_RECREDIT: Final = "bonus_recredit"

# (funding, cut-off still ahead) -> the first route. A debit card is debited at once, so its debit
# cannot be stopped.
FIRST: Final[dict[tuple[str, bool], str]] = {
    ("credit", True): STOP_DEBIT,
    ("credit", False): ISSUER_REFUND,
    ("debit", True): DEBIT_REIMBURSEMENT,
    ("debit", False): DEBIT_REIMBURSEMENT,
    ("points", True): POINTS_RECREDIT,
    ("points", False): POINTS_RECREDIT,
    ("bonus", True): BONUS_RECREDIT,
    ("bonus", False): BONUS_RECREDIT,
    ("own_balance", True): COMPENSATION_PAYOUT,
    ("own_balance", False): COMPENSATION_PAYOUT,
}

_CARDS: Final = frozenset({"credit", "debit"})
# The fundings of the losses that a route can make good. The operator can pay for every loss.
_OF: Final[dict[str, frozenset[str]]] = {
    STOP_DEBIT: frozenset({"credit"}),
    ISSUER_REFUND: _CARDS,
    DEBIT_REIMBURSEMENT: frozenset({"debit"}),
    CHARGEBACK_ACCEPTED: _CARDS,
    POINTS_RECREDIT: frozenset({"points"}),
    BONUS_RECREDIT: frozenset({"bonus"}),
}

_BY_US: Final = Outcome(next=COMPENSATION_PAYOUT)
_PULLED: Final = Outcome(done=CHARGEBACK_ACCEPTED)
_AGAIN: Final = Outcome()

# (what was asked, what the issuer answered) -> what follows.
AFTER: Final[dict[tuple[str, str], Outcome]] = {
    (STOP_DEBIT, "accepted_debit_stopped"): Outcome(done=STOP_DEBIT),
    (STOP_DEBIT, "accepted_refunded"): Outcome(done=ISSUER_REFUND),
    (STOP_DEBIT, "already_charged_back"): _PULLED,
    (STOP_DEBIT, "too_late_will_repay"): Outcome(next=ISSUER_REFUND),
    (STOP_DEBIT, "too_late_cannot"): _BY_US,
    (STOP_DEBIT, "cardholder_unknown"): _BY_US,
    (STOP_DEBIT, "declined"): _BY_US,
    (STOP_DEBIT, "need_info"): _AGAIN,
    (ISSUER_REFUND, "accepted_refunded"): Outcome(done=ISSUER_REFUND),
    (ISSUER_REFUND, "already_charged_back"): _PULLED,
    (ISSUER_REFUND, "too_late_cannot"): _BY_US,
    (ISSUER_REFUND, "cardholder_unknown"): _BY_US,
    (ISSUER_REFUND, "declined"): _BY_US,
    (ISSUER_REFUND, "need_info"): _AGAIN,
    (DEBIT_REIMBURSEMENT, "accepted_refunded"): Outcome(done=DEBIT_REIMBURSEMENT),
    (DEBIT_REIMBURSEMENT, "already_charged_back"): _PULLED,
    (DEBIT_REIMBURSEMENT, "too_late_cannot"): _BY_US,
    (DEBIT_REIMBURSEMENT, "cardholder_unknown"): _BY_US,
    (DEBIT_REIMBURSEMENT, "declined"): _BY_US,
    (DEBIT_REIMBURSEMENT, "need_info"): _AGAIN,
}

# The next route if a route ended without an issuer's answer, because the request was not sent
# before the cut-off, nobody could be credited, or the money of a chargeback came back.
UNANSWERED: Final[dict[str, str]] = {
    STOP_DEBIT: ISSUER_REFUND,
    ISSUER_REFUND: COMPENSATION_PAYOUT,
    DEBIT_REIMBURSEMENT: COMPENSATION_PAYOUT,
    POINTS_RECREDIT: COMPENSATION_PAYOUT,
    CHARGEBACK_ACCEPTED: COMPENSATION_PAYOUT,
}


def first_route(funding: str, *, cut_off_ahead: bool) -> str:
    """Returns the kind of remedy that a fresh loss of this funding takes (rules 18 and 20)."""
    return FIRST[funding, cut_off_ahead]


def refuse_other_funding(kind: str, *, funding: str) -> None:
    """Raises `WrongRoute` unless the route can make a loss of this funding good (rule 20)."""
    if funding not in _OF.get(kind, {funding}):
        raise WrongRoute(kind=kind, funding=funding)


def after_answer(kind: str, *, funding: str, answer: str) -> Outcome:
    """Returns what follows when an issuer that was asked for `kind` gives `answer` (rule 19).

    Raises `NoRoute` for an answer that does not belong to the request, such as a stopped debit of a
    debit card.
    """
    try:
        return AFTER[kind, answer]
    except KeyError:
        raise NoRoute(funding=funding, after=kind, answer=answer) from None


def debit_on(spent_on: dt.date, terms: BillingTerms) -> dt.date:
    """Returns the day on which the cardholder is debited for what was spent on `spent_on`.

    The bill closes on `closes_on_day` inclusive (31 is the last day of any month) and is paid on
    `pays_on_day` of the month after, rolled forward to a bank business day.
    """
    year, month = spent_on.year, spent_on.month
    if spent_on > _day(year, month, terms.closes_on_day):
        year, month = _next(year, month)
    year, month = _next(year, month)
    return roll_forward(_day(year, month, terms.pays_on_day))


def cut_off_on(spent_on: dt.date, terms: BillingTerms) -> dt.date:
    """Returns the first day on which the debit can no longer be stopped. Its midnight is the
    exclusive cut-off.
    """
    return debit_on(spent_on, terms) - dt.timedelta(days=terms.stop_before_days)


def deadline_on(spent_on: dt.date, terms: BillingTerms) -> dt.date:
    """Returns the day at whose midnight the issuer should have our request, which is the cut-off
    less our margin (rule 18).
    """
    return cut_off_on(spent_on, terms) - dt.timedelta(days=terms.margin_days)


def _next(year: int, month: int) -> tuple[int, int]:
    return (year + 1, 1) if month == 12 else (year, month + 1)


def _day(year: int, month: int, day: int) -> dt.date:
    return dt.date(year, month, min(day, calendar.monthrange(year, month)[1]))
