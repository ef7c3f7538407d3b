"""The page of other ends: deposits, takeovers, the unclaimed register, and the base dates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.closing import base_dates, other_ends, unclaimed
from refunds.closing.base_dates import BaseDate
from refunds.closing.other_ends import Given, Kind
from refunds.models import OtherEnd, Successor
from winddown.actors import Actor
from winddown.authority import approvals
from winddown.errors import GuardNotMet, says
from winddown.models import Approval
from winddown.site import acts
from winddown.site.acts import Act
from winddown.site.decisions import Decision
from winddown.site.fields import DayField, EvidenceField, happened
from winddown.site.forms import ReasonForm, SayingField
from winddown.words import Text

SHOWN_MAX = 50
KINDS: dict[str, Text] = {
    Kind.DEPOSITED: _("Deposited with the authority"),
    Kind.TRANSFERRED: _("Taken over by another issuer"),
    Kind.RETURNED: _("Given back to us"),
    Kind.CLAIMED: _("Paid out by the authority"),
}


class ListForm(ReasonForm):
    reference = SayingField(label=_("Receipt number"), max_length=60)
    ended_on = DayField(label=_("Day on the receipt"), between=happened)
    refunds = EvidenceField(
        label=_("List of refunds"),
        help_text=_("CSV in UTF-8 with the columns wallet_ref and amount_minor."),
    )
    evidence = EvidenceField(
        label=_("File of the receipt"), help_text=_("As the institution gave it.")
    )


class DepositForm(ListForm):
    institution = SayingField(
        label=_("Authority of the deposit"),
        max_length=120,
        help_text=_("For example: Tokyo Legal Affairs Bureau"),
    )
    contact = SayingField(
        label=_("Where the holder asks for it"),
        max_length=200,
        help_text=_("The customer reads it: address, telephone, hours."),
    )


class TransferForm(ListForm):
    institution = forms.CharField(
        label=_("Successor"), max_length=60, help_text=_("As the set-up file names it.")
    )


class AfterwardsForm(ListForm):
    institution = SayingField(
        label=_("Institution"), max_length=120, help_text=_("As the list below names it.")
    )


def _deposit(actor: Actor, given: dict[str, Any]) -> Approval:
    said = _given(Kind.DEPOSITED, given, contact=given["contact"])
    return other_ends.ask_deposit(said, actor=actor, reason=given["reason"])


def _transfer(actor: Actor, given: dict[str, Any]) -> Approval:
    successor = Successor.objects.filter(name=given["institution"]).first()
    said = _given(Kind.TRANSFERRED, given, contact=successor.contact if successor else "")
    return other_ends.ask_transfer(said, actor=actor, reason=given["reason"])


def _return(actor: Actor, given: dict[str, Any]) -> Approval:
    said = _given(Kind.RETURNED, given, contact=_contact(given["institution"]))
    return other_ends.ask_return(said, actor=actor, reason=given["reason"])


def _claimed(actor: Actor, given: dict[str, Any]) -> Approval:
    said = _given(Kind.CLAIMED, given, contact=_contact(given["institution"]))
    return other_ends.ask_claimed(said, actor=actor, reason=given["reason"])


def _contact(institution: str) -> str:
    """Returns where the institution said that holders ask. It took something before."""
    found = OtherEnd.objects.filter(institution=institution).order_by("-pk").first()
    if found is None:
        raise GuardNotMet(
            action=says("end the refunds"), why=says("no refund is with this institution")
        )
    return found.contact


def _given(kind: str, given: dict[str, Any], *, contact: str) -> Given:
    return Given(
        kind=kind,
        institution=given["institution"],
        contact=contact,
        reference=given["reference"],
        ended_on=given["ended_on"],
        refunds=given["refunds"],
        evidence=given["evidence"],
    )


OTHER_ENDS: dict[str, Act] = {
    "deposit": Act(
        title=pgettext_lazy("verb", "Record a deposit with the authority"),
        effect=_("When a second person agrees, the refunds of the list have ended."),
        permission=other_ends.PERMISSION,
        form=DepositForm,
        do=_deposit,
        tone="danger",
    ),
    "transfer": Act(
        title=pgettext_lazy("verb", "Record a takeover by another issuer"),
        effect=_("When a second person agrees, the refunds of the list have ended."),
        permission=other_ends.PERMISSION,
        form=TransferForm,
        do=_transfer,
        tone="danger",
    ),
    "return": Act(
        title=pgettext_lazy("verb", "Record that an institution gave amounts back"),
        effect=_("When a second person agrees, the refunds of the list are owed again."),
        permission=other_ends.PERMISSION,
        form=AfterwardsForm,
        do=_return,
        tone="danger",
    ),
    "claimed": Act(
        title=pgettext_lazy("verb", "Record that the authority paid holders"),
        effect=_("When a second person agrees, the register lists these refunds no longer."),
        permission=other_ends.PERMISSION,
        form=AfterwardsForm,
        do=_claimed,
        tone="danger",
    ),
}


@dataclass(frozen=True, slots=True)
class OtherEndsPage:
    """The lists that ended refunds, the register's sums, the base dates, and what can be done."""

    ends: list[tuple[OtherEnd, Text]]
    waiting: list[Approval]
    lines: list[unclaimed.Line]
    base_dates: list[BaseDate]
    decisions: list[Decision]
    may_export: bool


def look(*, actor: Actor) -> OtherEndsPage:
    """Returns the page as `actor` sees it."""
    ends = OtherEnd.objects.order_by("-pk")[:SHOWN_MAX]
    return OtherEndsPage(
        ends=[(each, KINDS[each.kind]) for each in ends],
        waiting=[
            each
            for each in approvals.open_requests()
            if each.subject.startswith(f"{other_ends.SUBJECT}:")
        ],
        lines=unclaimed.lines(),
        base_dates=[base_dates.of(day) for day in base_dates.passed()[:4]],
        decisions=[acts.decision(verb, act, actor=actor) for verb, act in OTHER_ENDS.items()],
        may_export=actor.has_perm(unclaimed.PERMISSION),
    )
