"""The payout methods: one registry of what they are, and their terms as the set-up file says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from refunds.models import MethodTerms
from winddown.models import Programme
from winddown.registries import Registry
from winddown.words import Text


class Needs(StrEnum):
    """What the holder must give for a method."""

    ACCOUNT = "account"
    ADDRESS = "address"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Method:
    """One way in which the money reaches a holder.

    `listed_as` has the four digits under which the files of its provider are numbered, as those of
    a bank are. It is empty for transfers, whose bank the limits name. `amount_max_minor` is the cap
    of the kind itself, whatever its terms say, and `currencies` those that it carries; None: no cap,
    every currency. `has_code`: the holder cashes it with a code, which is shown once.
    """

    label: Text
    needs: Needs
    listed_as: str = ""
    amount_max_minor: int | None = None
    currencies: frozenset[str] | None = None
    has_code: bool = False

    @property
    def is_voucher(self) -> bool:
        """Returns whether it is paid only when somebody cashes it, and may expire before."""
        return bool(self.listed_as)


METHODS: Registry[Method] = Registry(
    "payout methods",
    entries_are="by its code: what the holder must give, what it carries, and whose files list it",
    owner=__name__,
)
BANK: Final = MethodTerms.BANK


@dataclass(frozen=True, slots=True)
class Offer:
    """A method that can carry one amount, as a holder chooses it. Amounts are in minor units.

    `money_days` is the time to the money and `valid_days` the time until it expires, in days.
    `cost_minor` is what the operator pays for it; it is never deducted. None: not known, or never.
    """

    code: str
    label: Text
    needs: Needs
    money_days: int | None
    cost_minor: int | None
    valid_days: int | None
    amount_max_minor: int | None


def offered(amount_minor: int) -> list[Offer]:
    """Returns the methods that can carry the amount, in the order of the fallback. The transfer is
    always there; another one only if the set-up file has its terms.
    """
    terms = {each.code: each for each in MethodTerms.objects.filter(code__in=METHODS.names())}
    currency = Programme.current().currency
    found = [
        (each.place, _offer(code, each, amount_minor))
        for code, each in terms.items()
        if _carries(METHODS[code], each, amount_minor, currency=currency)
    ]
    if BANK not in terms:
        found.append((-1, Offer(BANK, METHODS[BANK].label, Needs.ACCOUNT, None, None, None, None)))
    return [offer for _place, offer in sorted(found, key=lambda pair: (pair[0], pair[1].code))]


def offer_of(code: str, amount_minor: int) -> Offer | None:
    """Returns the offer of this method for the amount; None if it cannot carry it."""
    return next((each for each in offered(amount_minor) if each.code == code), None)


def next_after(code: str, amount_minor: int, *, has_address: bool) -> str | None:
    """Returns the method that follows by rule when this one failed; None if none is left. A bank
    account is never asked for by rule, and an address must be there.
    """
    codes = [each.code for each in offered(amount_minor)]
    behind = codes[codes.index(code) + 1 :] if code in codes else codes
    for each in behind:
        needs = METHODS[each].needs
        if needs is Needs.NOTHING or (needs is Needs.ADDRESS and has_address):
            return each
    return None


def cost_minor(costs: list[list[int]], amount_minor: int) -> int | None:
    """Returns the cost of one payout of the amount; None above the last of the pairs."""
    return next((cost for most, cost in costs if amount_minor <= most), None)


def _carries(method: Method, terms: MethodTerms, amount_minor: int, *, currency: str) -> bool:
    caps = [terms.amount_max_minor]
    if method.amount_max_minor is not None:
        caps.append(method.amount_max_minor)
    spoken = method.currencies is None or currency in method.currencies
    return spoken and 0 < amount_minor <= min(caps)


def _offer(code: str, terms: MethodTerms, amount_minor: int) -> Offer:
    method = METHODS[code]
    return Offer(
        code=code,
        label=method.label,
        needs=method.needs,
        money_days=terms.money_days,
        cost_minor=cost_minor(terms.costs, amount_minor),
        valid_days=terms.valid_days or None,
        amount_max_minor=terms.amount_max_minor,
    )
