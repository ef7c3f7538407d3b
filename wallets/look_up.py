"""The look-up's card of a wallet."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.look_up import accounts_named
from wallets.models import Wallet, WalletTransition
from winddown.site.panels import FINDERS, Card, Fact, number_in


def wallets_named(typed: str) -> QuerySet[Wallet]:
    """Returns the wallets that the text means: a subject, a reference, or the holder's account."""
    if (number := number_in(typed, "wallet")) is not None:
        return Wallet.objects.filter(pk=number)
    return Wallet.objects.filter(Q(wallet_ref=typed) | Q(account__in=accounts_named(typed)))


@FINDERS.entry("wallet", place=20)
def _wallet(typed: str) -> list[Card]:
    return [_card(wallet) for wallet in wallets_named(typed)[:5]]


def _card(wallet: Wallet) -> Card:
    account = f"account:{wallet.account_id}"
    return Card(
        subject=f"wallet:{wallet.pk}",
        title=_("Wallet"),
        facts=[
            Fact(pgettext_lazy("account", "Reference"), wallet.wallet_ref),
            Fact(_("Holder"), account, look_up=account),
            Fact(_("Paid value"), wallet.paid_minor, "amount"),
            Fact(_("Bonus value"), wallet.bonus_minor, "amount"),
            Fact(_("On hold"), wallet.held_minor, "amount"),
            Fact(pgettext_lazy("wallet", "Opened"), wallet.opened_at, "time"),
        ],
        subjects=(f"wallet:{wallet.pk}",),
        machine="wallet",
        state=wallet.state,
        logs=((WalletTransition, wallet.pk),),
    )
