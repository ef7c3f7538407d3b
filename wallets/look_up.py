"""The look-up's card of a wallet."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.look_up import accounts_named
from wallets.models import Posting, Wallet, WalletTransition
from wallets.panels import movement_title
from winddown.site.panels import FINDERS, Card, Fact, number_in

MOVEMENTS_SHOWN = 5


def wallets_named(typed: str) -> QuerySet[Wallet]:
    """Returns the wallets that the text means: a subject, a reference, or the holder's account."""
    if (number := number_in(typed, "wallet")) is not None:
        return Wallet.objects.filter(pk=number)
    return Wallet.objects.filter(Q(wallet_ref=typed) | Q(account__in=accounts_named(typed)))


@FINDERS.entry("wallet", place=20)
def _wallet(typed: str) -> list[Card]:
    return [_card(wallet) for wallet in wallets_named(typed)[:5]]


def _movements(wallet: Wallet) -> list[Fact]:
    """Returns the last movements of the wallet with their days."""
    last = (Posting.objects.filter(wallet=wallet).select_related("journal").order_by("-pk"))[
        :MOVEMENTS_SHOWN
    ]
    return [
        Fact(
            format_lazy(
                "{kind} {day}",
                kind=movement_title(each.journal.kind),
                day=f"{timezone.localtime(each.journal.occurred_at):%Y-%m-%d %H:%M}",
            ),
            each.amount_minor,
            "amount",
        )
        for each in last
    ]


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
            *_movements(wallet),
        ],
        subjects=(f"wallet:{wallet.pk}",),
        machine="wallet",
        state=wallet.state,
        logs=((WalletTransition, wallet.pk),),
    )
