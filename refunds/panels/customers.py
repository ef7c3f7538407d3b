"""How far a customer's refund has come, on the customer's page."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from refunds.applications import standing, status
from refunds.claims import progress
from refunds.models import Entitlement, RefundApplication, Voucher
from wallets.models import Wallet
from winddown.site import panels
from winddown.site.panels import Panel

_DRAFT_ENDED = _("The time for applications ended before you sent what you had begun to write.")


@panels.HOME_PANELS.entry("entitlement", place=5)
def entitlement(customer: User) -> Panel | None:
    """Returns what the customer is owed, what to do about it by when, and how far the refund has
    come, part by part. It is None while nothing can be done and nothing is owed.
    """
    can = standing.of(customer)
    refunds = []
    for owed in Entitlement.objects.filter(wallet__account=customer).order_by("part"):
        application = RefundApplication.objects.filter(entitlement=owed).order_by("pk").last()
        refunds.append(
            {
                "entitlement": owed,
                "application": application,
                "status": status.of(owed, application=application, payee=can.payee),
                "can": can if can.owed == owed and can.is_form else None,
                "draft_ended": _DRAFT_ENDED if _draft_ended(application) else "",
            }
        )
    if refunds or can.is_form:
        return Panel("refunds/_entitlement.html", {"refunds": refunds, "can": can})
    return None


@panels.HOME_PANELS.entry("vouchers", place=21)
def vouchers_of(customer: User) -> Panel | None:
    """Returns the postal orders and codes that the customer can cash; None without any."""
    found = Voucher.objects.filter(payout__holder=customer, state__in=Voucher.OUT)
    rows = list(found.select_related("payout").order_by("pk"))
    return Panel("refunds/_vouchers.html", {"vouchers": rows}) if rows else None


@panels.HOME_PANELS.entry("fraud", place=80)
def fraud(customer: User) -> Panel | None:
    """Leads to the page about movements that were not the customer's; None without a wallet."""
    if not Wallet.objects.filter(account=customer).exists():
        return None
    newest = progress.seen_by(customer).first()
    return Panel(
        "refunds/_fraud_link.html",
        {
            "reference": newest.reference if newest else "",
            "asked": newest is not None and progress.question_of(newest) is not None,
        },
    )


@panels.HOME_PANELS.entry("statement", place=85)
def statement(customer: User) -> Panel | None:
    """Leads to the customer's statement, which outlives the service; None without a wallet."""
    has_wallet = Wallet.objects.filter(account=customer).exists()
    return Panel("refunds/_statement_link.html") if has_wallet else None


def _draft_ended(application: RefundApplication | None) -> bool:
    """The last application was never sent, and the end of the window ended it."""
    return (
        application is not None
        and application.state == RefundApplication.State.WITHDRAWN
        and application.submitted_at is None
    )
