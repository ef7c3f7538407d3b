"""Applications, payees and payment blocks: the pages of what is to be approved, and the words of
their states.
"""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.models import Entitlement
from refunds.payouts.payment_block_acts import KINDS
from winddown import words
from winddown.site import panels
from winddown.site.panels import Change
from winddown.words import StateWord

words.REFUSALS.add_all(
    {
        "PayeeRefused": _("The account cannot be used: {why}"),
        "NothingOwed": _("No refund is owed here, or it is not open for an application."),
        "AlreadyApplied": _("The refund was applied for already."),
        "AmountDiffers": _("The amount that was confirmed is not the amount owed."),
        "MethodRefused": _("The amount cannot be paid in this way: {why}"),
        "AddressRefused": _("The postal address cannot be used: {why}"),
        "EndedElsewhere": _(
            "Another institution has the amount: ask {institution}, {contact}. Number: {reference}."
        ),
        "WindowOver": _("The time for applications ended at {at}. A late claim needs a reason."),
    }
)


for _prefix, _title in (
    ("payee", _("Payee")),
    ("entitlement", _("Release of a held refund")),
):
    panels.name_subjects(_prefix, _title)


@panels.CONTENTS.entry("payment_block")
def _block_content(listed: dict[str, Any]) -> list[Change]:
    return [
        Change(
            format_lazy(_("{list}: number of the account"), list=KINDS[listed["kind"]]),
            listed["holder"],
        )
    ]


@panels.SUBJECTS.entry("application")
def _application_subject(subject: str) -> panels.SubjectPage:
    number = subject.split(":")[1]
    return panels.SubjectPage(
        title=format_lazy("{} {}", _("Refund application"), number),
        url=reverse("console:application", args=[number]),
    )


@panels.CONTENTS.entry("application")
def _application_content(listed: dict[str, Any]) -> list[Change]:
    return [Change(_("Amount"), listed["amount_minor"], is_amount=True)]


@panels.CONTENTS.entry("entitlement")
def _release_content(listed: dict[str, Any]) -> list[Change]:
    return [Change(_("Amount"), listed["amount_minor"], is_amount=True)]


@panels.SUBJECTS.entry("payment_block")
def _block_subject(subject: str) -> panels.SubjectPage:
    number = subject.split(":")[1]
    lifts = ":lift:" in subject
    title = _("Lifting of payment block {number}") if lifts else _("Payment block {number}")
    return panels.SubjectPage(
        title=format_lazy(title, number=number), url=reverse("console:payment_blocks")
    )


words.STATES.add(
    "payment_block",
    {
        "in_force": StateWord(pgettext_lazy("payment block", "In force"), "wait"),
        "over": StateWord(pgettext_lazy("payment block", "Over"), "idle"),
        "lifted": StateWord(pgettext_lazy("payment block", "Lifted"), "idle"),
    },
)


words.STATES.add(
    "reminder",
    {
        "email": StateWord(_("E-mail"), "idle"),
        "phone": StateWord(_("Text message"), "idle"),
        "letter": StateWord(_("Letter"), "idle"),
    },
)


words.STATES.add(
    "tracing_effort",
    {
        "reached": StateWord(pgettext_lazy("tracing effort", "Reached"), "on"),
        "not_reached": StateWord(_("Not reached"), "idle"),
        "new_address": StateWord(_("New address found"), "run"),
        "unknown": StateWord(_("No answer yet"), "idle"),
    },
)


words.STATES.add(
    "refund_application",
    {
        "draft": StateWord(_("Draft"), "idle"),
        "submitted": StateWord(pgettext_lazy("application", "Received"), "wait"),
        "identity_check": StateWord(_("Identity to be checked"), "wait"),
        "needs_info": StateWord(_("Waiting for the customer"), "wait"),
        "verified": StateWord(_("Amount to be confirmed"), "wait"),
        "amount_confirmed": StateWord(_("To be decided by two people"), "wait"),
        "approved": StateWord(_("Accepted"), "run"),
        "closed": StateWord(_("Paid"), "on"),
        "rejected": StateWord(_("Rejected"), "bad"),
        "withdrawn": StateWord(_("Withdrawn"), "off"),
    },
)


words.STATES.add(
    "payee",
    {
        "entered": StateWord(_("Not asked about yet"), "wait"),
        "asked": StateWord(_("Bank asked"), "wait"),
        "matched": StateWord(_("Known to the bank"), "on"),
        "refused": StateWord(_("Refused by the bank"), "bad"),
        "overridden": StateWord(_("Accepted by two people"), "on"),
    },
)


words.STATES.add(
    "entitlement",
    {
        Entitlement.State.COMPUTED: StateWord(_("Not applied for"), "wait"),
        Entitlement.State.NOTIFIED: StateWord(_("Not applied for"), "wait"),
        Entitlement.State.APPLIED: StateWord(_("Being checked"), "run"),
        Entitlement.State.APPROVED: StateWord(_("Accepted, not sent yet"), "run"),
        Entitlement.State.PAYING: StateWord(_("Transfer under way"), "run"),
        Entitlement.State.PAID: StateWord(_("Arrived"), "on"),
        Entitlement.State.RETURNED: StateWord(_("Returned by the bank"), "bad"),
        Entitlement.State.EXCLUDED: StateWord(_("Not claimed in time"), "idle"),
        Entitlement.State.LATE_APPROVED: StateWord(_("Accepted late"), "run"),
        Entitlement.State.HELD: StateWord(_("Being checked"), "wait"),
        Entitlement.State.TRANSFERRED: StateWord(_("Transferred"), "on"),
        Entitlement.State.DEPOSITED: StateWord(_("Deposited with the authority"), "on"),
    },
)
