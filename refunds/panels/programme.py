"""What refunds add to the money table and to the page of the programme."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from refunds.closing.buckets import REFUNDS
from refunds.models import Entitlement
from refunds.payouts import forecast, view_lists
from refunds.payouts.methods import costs
from wallets.models import LedgerAccount
from winddown.actors import Actor
from winddown.site import panels
from winddown.site.panels import LEFT, OUT, Panel, Totals, money_line


def _of_refunds(account: LedgerAccount, *, sign: int) -> Callable[[Totals], int]:
    def amount(totals: Totals) -> int:
        return sign * totals.posted(accounts=(account,), kinds=REFUNDS)

    return amount


money_line(
    "refunded",
    _("Refunds paid, shown by the bank"),
    part=OUT,
    order=50,
    amount=_of_refunds(LedgerAccount.BANK, sign=-1),
)


money_line(
    "unclaimed",
    _("Excluded, unclaimed"),
    part=OUT,
    order=60,
    amount=_of_refunds(LedgerAccount.UNCLAIMED, sign=-1),
)


money_line(
    "refunds_owed",
    _("Refunds still owed"),
    part=LEFT,
    order=30,
    amount=_of_refunds(LedgerAccount.REFUNDS_PAYABLE, sign=1),
)


money_line(
    "refunds_in_flight",
    _("Refunds in preparation or on their way"),
    part=LEFT,
    order=40,
    amount=_of_refunds(LedgerAccount.PAYOUTS_IN_FLIGHT, sign=1),
)


@panels.PAGE_PANELS.entry("programme/forecast")
def _forecast(reader: Actor) -> Panel:
    """Returns when the refunds will be finished. Every reader of the page sees it."""
    template = "refunds/_forecast.html"
    if not Entitlement.objects.exists():
        return Panel(template)
    seen = forecast.forecast()
    titles = {
        "app": gettext("Applied in the app"),
        "web": gettext("Applied on the web"),
        "paper": gettext("Applied on paper"),
        "phone": gettext("Applied by telephone"),
        "claim": gettext("Applied by claim number"),
    }
    ranges = [(titles[name], found) for name, found in seen.routes.items()]
    return Panel(template, {"forecast": seen, "ranges": [*ranges, (gettext("All"), seen.whole)]})


@panels.PAGE_PANELS.entry("programme/straight_through")
def _straight_through(reader: Actor) -> Panel:
    """Returns the newest payout view. Every reader of the page sees its shares."""
    opens = reader.has_perm(view_lists.PERMISSION)
    return Panel("refunds/_newest_view.html", {"view": view_lists.newest(), "opens": opens})


@panels.PAGE_PANELS.entry("programme/payout_methods")
def _payout_methods(reader: Actor) -> Panel:
    """Returns what it would cost to pay by each method. Every reader of the page sees it."""
    return Panel("refunds/_payout_methods.html", {"costs": costs.of_all_owed()})
