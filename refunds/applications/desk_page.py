"""The pages of the application desk: the queue with its filters, and one application."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from urllib.parse import urlencode

from django import forms
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from refunds.applications import document_page, names
from refunds.applications.desk_acts import ASKED, CHANNELS, DESK, REJECTIONS
from refunds.models import Entitlement, Payee, RefundApplication, UnusualHit
from refunds.payouts import payable
from refunds.payouts.view_page import CODES
from winddown import clock
from winddown.actors import Actor
from winddown.authority import approvals
from winddown.evidence import audit
from winddown.models import Approval
from winddown.site import acts
from winddown.site.decisions import Decision
from winddown.words import Text

PAGE_ROWS = 50
State = RefundApplication.State
QUEUES: dict[str, tuple[Text, tuple[str, ...]]] = {
    "work": (_("Everything that waits for staff"), (State.IDENTITY_CHECK, State.AMOUNT_CONFIRMED)),
    "identity": (_("Identity to be checked"), (State.IDENTITY_CHECK,)),
    "decide": (_("To be proposed or decided"), (State.AMOUNT_CONFIRMED,)),
    "customer": (_("Waiting for the customer"), (State.NEEDS_INFO, State.VERIFIED)),
    "approved": (_("Accepted"), (State.APPROVED,)),
    "sent": (
        _("Everything that is not over"),
        (*RefundApplication.SENT, State.NEEDS_INFO),
    ),
    "over": (_("Over"), RefundApplication.ENDED),
}
# The reasons of `payable.REASONS` that people look into, one list for each.
AGAINST = (
    "payment_blocked",
    "shared_account",
    "payee_refused",
    "entered_during_compromise",
    "chosen_during_compromise",
    "claim_undecided",
    "unusual",
)
# The reasons of `payable.REASONS` that leave an application to people.
WHY: dict[str, Text] = {
    "payment_blocked": _("The holder is on a list of people who are paid nothing."),
    "amount": _("The amount is above the limit of approval by rule."),
    "person_amount": _("The accounts of the person are above that limit together."),
    "shared_account": _("More people gave the bank account than the limits allow."),
}
DIFFERENCES: dict[str, Text] = {
    names.SAME: _("The names are equal."),
    names.SWAPPED: _("Family and given name are swapped. Ask the customer."),
    names.NEAR: _("The names differ by one character. Ask the customer."),
    names.COMPANY: _("The account is in the name of a company. Ask the customer."),
    names.OTHER: _("The names differ. Ask the customer."),
    names.UNKNOWN: _("The holder's name in kana is not known."),
}


class QueueForm(forms.Form):
    queue = forms.ChoiceField(
        label=_("Queue"), choices=[(code, name) for code, (name, _states) in QUEUES.items()]
    )
    channel = forms.ChoiceField(
        label=_("How it came in"), required=False, choices=[("", _("All")), *CHANNELS.items()]
    )
    against = forms.ChoiceField(
        label=_("What is against the payment"),
        required=False,
        choices=[("", _("All")), *((code, CODES[code]) for code in AGAINST)],
    )
    late = forms.BooleanField(label=_("Only late claims"), required=False)
    truncated = forms.BooleanField(label=_("Only names that the bank cuts"), required=False)


@dataclass(frozen=True, slots=True)
class Row:
    """One application of the queue."""

    application: RefundApplication
    waiting: Approval | None

    @property
    def channel(self) -> Text:
        return CHANNELS[self.application.channel]

    @property
    def why(self) -> Text:
        return WHY.get(self.application.review_reason, "")


@dataclass(frozen=True, slots=True)
class QueuePage:
    """The queue as its filters choose it, the oldest first, and what can be done."""

    at: dt.datetime
    form: QueueForm
    rows: list[Row]
    total: int
    decisions: list[Decision]


@dataclass(frozen=True, slots=True)
class ApplicationPage:
    """One application with its payee, the two names side by side, and what can be done."""

    at: dt.datetime
    row: Row
    entitlement: Entitlement
    payee: Payee | None
    holder_name: str
    difference: Text
    asked_for: Text
    rejection: Text
    unusual: list[UnusualHit]
    documents: list[document_page.Row]
    decisions: list[Decision]

    @property
    def query(self) -> str:
        """Fills the forms of its verbs in."""
        filled = {
            "application": self.row.application.pk,
            "account": f"account:{self.row.application.applicant_id}",
            "payee": self.payee.pk if self.payee else "",
            "refund": f"entitlement:{self.entitlement.pk}",
        }
        return f"?{urlencode(filled)}"


def queue(given: QueryDict, *, actor: Actor) -> QueuePage:
    """Returns the page as `actor` sees it. Filters that are not understood count as absent."""
    form = QueueForm(given if given.get("queue") else {**given.dict(), "queue": "work"})
    chosen = form.cleaned_data if form.is_valid() else {"queue": "work"}
    found = RefundApplication.objects.all()
    if chosen.get("against"):
        found = payable.against_applications(chosen["against"], clock.now())
    found = found.filter(state__in=QUEUES[chosen["queue"]][1])
    if chosen.get("channel"):
        found = found.filter(channel=chosen["channel"])
    if chosen.get("late"):
        found = found.filter(late=True)
    if chosen.get("truncated"):
        cut = Payee.objects.filter(
            holder=OuterRef("applicant"), replaced_at=None, name_truncated=True
        )
        found = found.filter(Exists(cut))
    waiting = _waiting()
    rows = found.select_related("entitlement").order_by("submitted_at", "pk")[:PAGE_ROWS]
    return QueuePage(
        at=clock.now(),
        form=form,
        rows=[Row(each, waiting.get(each.subject)) for each in rows],
        total=found.count(),
        decisions=_decisions(
            ("enter", "load", "correct", "compensation", "leave", "hold", "release", "check-file"),
            actor=actor,
        ),
    )


def one(number: int, *, actor: Actor) -> ApplicationPage | None:
    """Returns the page of the application, and None if there is none. The audit journal records who
    opened it, because it shows names (rule 64).
    """
    found = (
        RefundApplication.objects.filter(pk=number)
        .select_related("entitlement", "payee", "applicant")
        .first()
    )
    if found is None:
        return None
    with transaction.atomic():
        audit.append("application.open", found.subject, actor=actor)
    current = Payee.objects.filter(holder=found.applicant, replaced_at=None).first()
    payee = current or found.payee
    holder_name = found.applicant.kana_name
    return ApplicationPage(
        at=clock.now(),
        row=Row(found, _waiting().get(found.subject)),
        entitlement=found.entitlement,
        payee=payee,
        holder_name=holder_name,
        difference=DIFFERENCES[names.compared(holder_name, payee.name_kana)] if payee else "",
        asked_for=ASKED.get(found.asked_for, found.asked_for),
        rejection=REJECTIONS.get(found.rejection, ""),
        documents=document_page.of_application(found),
        unusual=list(found.unusual.filter(cleared_at=None).order_by("rule")),
        decisions=_decisions(_possible(found, payee), actor=actor),
    )


def _possible(found: RefundApplication, payee: Payee | None) -> tuple[str, ...]:
    """Returns the verbs that the state of the application allows, for any person."""
    by_state: dict[str, tuple[str, ...]] = {
        State.IDENTITY_CHECK: ("verify", "ask", "reject"),
        State.NEEDS_INFO: ("answer", "correct", "reject"),
        State.VERIFIED: ("confirm", "reject"),
        State.AMOUNT_CONFIRMED: ("propose", "reject"),
        State.APPROVED: ("ask",),
    }
    verbs = by_state.get(found.state, ())
    if found.asked_for == RefundApplication.BANK_ACCOUNT:
        verbs = tuple(verb for verb in verbs if verb != "answer")
    if payee is not None and payee.state == Payee.State.REFUSED:
        verbs = (*verbs, "override")
    if found.review_reason == "shared_account":
        verbs = (*verbs, "shared")
    return (*verbs, "withdraw") if found.live else verbs


def _waiting() -> dict[str, Approval]:
    return {request.subject: request for request in approvals.open_requests()}


def _decisions(verbs: tuple[str, ...], *, actor: Actor) -> list[Decision]:
    return [acts.decision(verb, DESK[verb], actor=actor) for verb in verbs]
