"""The page of the payout views: the newest one whole, and the earlier ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.models import PayoutView
from refunds.payouts import view_lists
from winddown import clock
from winddown.actors import Actor
from winddown.site import acts
from winddown.site.acts import Act
from winddown.site.decisions import Decision
from winddown.words import Text

SHOWN_MAX = 50

CODES: dict[str, Text] = {
    "paid": _("Paid"),
    "transferred": _("Taken over by another issuer"),
    "deposited": _("Deposited with the authority"),
    "in_flight": _("In a payout"),
    "excluded": _("Excluded from the refund"),
    "returned": _("Returned by the bank: another account is needed"),
    "sent_before_restore": _("Paid by a file that a restore of the database forgot"),
    "held": _("Held because of a suspicion"),
    "payment_blocked": _("On the list of payment blocks"),
    "payee_refused": _("The bank does not know the account"),
    "application_not_approved": _("No application is approved"),
    "no_payee": _("No bank account was given"),
    "cooling_off": _("The account is too new"),
    "method_cooling_off": _("The postal order or claim code was chosen too recently"),
    "payee_not_checked": _("The bank has not answered about the account"),
    "shared_account": _("Too many people gave the same account"),
    "above_cap": _("The amount is above the cap of one transfer"),
    "account_not_taken": _("The bank that pays takes no such account"),
    "branch_not_in_bank_data": _("The branch no longer exists"),
    "claim_undecided": _("A claim about the wallet is not decided"),
    "unusual": _("A rule found the application unusual"),
    "entered_during_compromise": _("The account was entered while a thief had the wallet"),
    "chosen_during_compromise": _("The way of payment was chosen while a thief had the wallet"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One reason of the excluded list."""

    title: Text
    rows: int
    minor: int


@dataclass(frozen=True, slots=True)
class ViewsPage:
    """The newest view with its reasons, and the views before it."""

    at: dt.datetime
    newest: PayoutView | None
    lines: list[Line]
    views: Sequence[PayoutView]
    decisions: list[Decision]


def look(*, actor: Actor) -> ViewsPage:
    """Returns the page as `actor` sees it."""
    views = list(PayoutView.objects.select_related("taken_by").order_by("-pk")[:SHOWN_MAX])
    newest = views[0] if views else None
    return ViewsPage(
        at=clock.now(),
        newest=newest,
        lines=lines_of(newest) if newest else [],
        views=views,
        decisions=[acts.decision(verb, act, actor=actor) for verb, act in VIEWS.items()],
    )


def lines_of(view: PayoutView) -> list[Line]:
    """Returns the reasons of the excluded list in their order of precedence."""
    return [
        Line(CODES[code], *view.reasons[code]) for code in view_lists.CODES if code in view.reasons
    ]


VIEWS: dict[str, Act] = {
    "take": Act(
        title=pgettext_lazy("verb", "Take the payout views now"),
        effect=_("Both lists are stored with their hashes. Payments go on meanwhile."),
        permission=view_lists.PERMISSION,
        do=lambda actor, given: view_lists.take(actor=actor, reason=given["reason"]),
        tone="main",
    ),
}
