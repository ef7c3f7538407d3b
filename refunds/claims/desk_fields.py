"""Fields in which staff name claims, movements and losses, as the pages and the commands show
them."""

from __future__ import annotations

import re
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from refunds.models import FraudClaim
from wallets.models import Payment, TopUp, Wallet
from winddown.site.forms import SayingField
from winddown.site.panels import number_in

# A list that one person can look through; a decision takes as many.
NAMED_MAX: Final = 1_000
_REFERENCE: Final = re.compile(r"FC([0-9]{8,})|claim:([0-9]+)|([0-9]+)")
_MOVEMENT: Final = re.compile(r"(top_up|payment):([0-9]{1,18})")
_KINDS: Final[dict[str, type[TopUp] | type[Payment]]] = {"top_up": TopUp, "payment": Payment}


class ClaimsField(SayingField):
    """Claims by number or reference, separated by spaces or commas. Its value is a list of claims."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Claims"))
        kwargs.setdefault(
            "help_text", _("Numbers or references such as FC00000012, separated by spaces.")
        )
        super().__init__(max_length=20_000, **kwargs)

    def clean(self, value: Any) -> list[FraudClaim]:
        words = _words(super().clean(value))
        numbers = [_number(word) for word in words]
        found = FraudClaim.objects.filter(pk__in=numbers).order_by("pk")
        _refuse_unknown(words, numbers, {claim.pk for claim in found})
        return list(found)


class ClaimField(ClaimsField):
    """One claim, by number or reference."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            label=_("Claim"),
            help_text=_("Its number, or its reference such as FC00000012."),
            **kwargs,
        )

    def clean(self, value: Any) -> Any:
        found = super().clean(value)
        if len(found) != 1:
            raise ValidationError(_("Name one claim."))
        return found[0]


class MovementsField(SayingField):
    """Top-ups and payments, as the claim's page names them. Its value is a list of movements."""

    def __init__(self, *, kinds: tuple[str, ...] = tuple(_KINDS), **kwargs: Any) -> None:
        super().__init__(max_length=20_000, **kwargs)
        self._kinds = kinds

    def clean(self, value: Any) -> list[TopUp | Payment]:
        typed = super().clean(value)
        words = _words(typed) if typed else []
        wanted: dict[str, list[int]] = {kind: [] for kind in self._kinds}
        for word in words:
            match = _MOVEMENT.fullmatch(word)
            if match is None or match[1] not in wanted:
                raise ValidationError(
                    _("%(word)s is no movement. Write for example %(example)s."),
                    params={"word": word[:40], "example": f"{self._kinds[-1]}:12"},
                )
            wanted[match[1]].append(int(match[2]))
        found: list[TopUp | Payment] = []
        for kind, numbers in wanted.items():
            rows = _KINDS[kind]._default_manager.in_bulk(numbers)
            for number in numbers:
                if number not in rows:
                    raise ValidationError(
                        _("There is no %(word)s."), params={"word": f"{kind}:{number}"}
                    )
            found += [rows[number] for number in dict.fromkeys(numbers)]
        return found


class WalletField(SayingField):
    """A wallet, by its subject or by the account of its holder."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Customer's account or wallet"),
            max_length=40,
            help_text=_("As the look-up names it: account:12 or wallet:12."),
        )

    def clean(self, value: Any) -> Any:
        typed = super().clean(value)
        account, wallet = number_in(typed, "account"), number_in(typed, "wallet")
        found = Wallet.objects.filter(pk=wallet).first() if wallet is not None else None
        if account is not None:
            holder = User.objects.customers().filter(pk=account).first()
            found = Wallet.objects.filter(account=holder).first() if holder else None
        if found is None:
            raise ValidationError(_("There is no such wallet. Look it up first."))
        return found


def _words(text: str) -> list[str]:
    words = list(dict.fromkeys(text.replace(",", " ").split()))
    if len(words) > NAMED_MAX:
        raise ValidationError(_("Name at most %(most)s."), params={"most": f"{NAMED_MAX:,}"})
    return words


def claim_number(word: str) -> int | None:
    """Returns the number of the claim that the word means, or None if it means none."""
    match = _REFERENCE.fullmatch(word.strip())
    if match is None or len(word) > 20:
        return None
    number = int(match[1] or match[2] or match[3])
    return number if number < 2**63 else None


def _number(word: str) -> int:
    number = claim_number(word)
    if number is None:
        raise ValidationError(_("%(word)s is no claim."), params={"word": word[:40]})
    return number


def _refuse_unknown(words: list[str], numbers: list[int], known: set[int]) -> None:
    for word, number in zip(words, numbers, strict=True):
        if number not in known:
            raise ValidationError(_("There is no claim %(word)s."), params={"word": word})
