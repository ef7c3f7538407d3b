"""The look-up's cards of a refund with its applications, and of a claim."""

from __future__ import annotations

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.applications import reminders
from refunds.claims.desk_fields import claim_number
from refunds.models import (
    Entitlement,
    EntitlementTransition,
    FraudClaim,
    FraudClaimTransition,
    Payee,
    RefundApplication,
)
from wallets.look_up import wallets_named
from winddown.site.panels import FINDERS, Card, Fact, Item, Items, number_in

REMINDERS_MAX = 10
APPLICATIONS_MAX = 5


@FINDERS.entry("claim", place=40)
def _claim(typed: str) -> list[Card]:
    number = number_in(typed, "claim")
    if number is None and typed.strip().upper().startswith("FC"):
        number = claim_number(typed.upper())
    found = (
        FraudClaim.objects.filter(pk=number)
        if number is not None
        else FraudClaim.objects.filter(wallet__in=wallets_named(typed)[:5])
    )
    return [_claim_card(claim) for claim in found.order_by("pk")]


def _claim_card(claim: FraudClaim) -> Card:
    wallet = f"wallet:{claim.wallet_id}"
    lost = claim.losses.filter(dropped_at=None).aggregate(sum=Sum("amount_minor", default=0))
    return Card(
        subject=claim.subject,
        title=_("Fraud claim"),
        facts=[
            Fact(pgettext_lazy("account", "Reference"), claim.reference),
            Fact(_("Losses of the claim"), lost["sum"], "amount"),
            Fact(_("Wallet"), wallet, look_up=wallet),
            Fact(pgettext_lazy("claim", "Opened"), claim.opened_at, "time"),
        ],
        subjects=(claim.subject,),
        machine="fraud_claim",
        state=claim.state,
        logs=((FraudClaimTransition, claim.pk),),
    )


@FINDERS.entry("refund", place=30)
def _refund(typed: str) -> list[Card]:
    number = number_in(typed, "entitlement")
    found = (
        Entitlement.objects.filter(pk=number)
        if number is not None
        else Entitlement.objects.filter(wallet__in=wallets_named(typed)[:5])
    )
    return [_card(owed) for owed in found.select_related("wallet")]


def _card(owed: Entitlement) -> Card:
    holder = owed.wallet.account_id
    applications = RefundApplication.objects.filter(entitlement=owed).order_by("-pk")
    payees = Payee.objects.filter(holder=holder).values_list("pk", flat=True)
    wallet = f"wallet:{owed.wallet_id}"
    return Card(
        subject=f"entitlement:{owed.pk}",
        title=_("Refund"),
        facts=[
            Fact(_("Amount"), owed.amount_minor, "amount"),
            Fact(_("Wallet"), wallet, look_up=wallet),
            *(
                Fact(_("Reminder"), reminder.queued_at, "time")
                for reminder in reminders.of_holder(holder)[:REMINDERS_MAX]
            ),
        ],
        subjects=(
            f"entitlement:{owed.pk}",
            *(each.subject for each in applications),
            *(f"payee:{number}" for number in payees),
        ),
        machine="entitlement",
        state=owed.state,
        logs=((EntitlementTransition, owed.pk),),
        lists=(
            Items(
                _("Refund applications"),
                [_application(each, owed) for each in applications[:APPLICATIONS_MAX]],
                len(applications),
            ),
        ),
    )


def _application(application: RefundApplication, owed: Entitlement) -> Item:
    return Item(
        subject=application.subject,
        machine="refund_application",
        state=application.state,
        amount_minor=owed.amount_minor,
        at=application.submitted_at or application.started_at,
        page="console:application",
    )
