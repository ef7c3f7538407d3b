"""What people do to trace holders, as one declaration for commands and page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from refunds.models import Entitlement, TracingEffort
from refunds.payouts import tracing
from winddown.actors import Actor
from winddown.programme import jurisdictions
from winddown.programme.evidence_files import File
from winddown.site import acts
from winddown.site.acts import Act
from winddown.site.decisions import Decision
from winddown.site.fields import LocalInstantField, happened
from winddown.site.forms import ReasonForm, SayingField
from winddown.site.panels import number_in
from winddown.words import Text

KINDS: dict[str, Text] = {
    TracingEffort.Kind.LETTER: pgettext_lazy("tracing effort", "Letter"),
    TracingEffort.Kind.EMAIL: _("E-mail"),
    TracingEffort.Kind.TELEPHONE: pgettext_lazy("tracing effort", "Telephone"),
    TracingEffort.Kind.REGISTER: _("Register of residents"),
    TracingEffort.Kind.OTHER: pgettext_lazy("tracing effort", "Other"),
}
EVIDENCE = SayingField(
    label=_("Evidence"),
    max_length=200,
    help_text=_("Where it stands: a list, a receipt or a file number. No name."),
)


class RecordForm(ReasonForm):
    account = forms.CharField(
        label=_("Customer's account"),
        max_length=40,
        help_text=_("As the look-up names it: account:12."),
    )
    kind = forms.ChoiceField(label=_("How it was tried"), choices=list(KINDS.items()))
    at = LocalInstantField(
        label=_("When it was tried"),
        between=happened,
        help_text=_("As 2020-01-08T14:00 in the programme's time zone."),
    )
    result = forms.ChoiceField(
        label=_("What came of it"),
        choices=[
            ("reached", pgettext_lazy("tracing effort", "Reached")),
            ("not_reached", _("Not reached")),
            ("new_address", _("New address found")),
            ("unknown", _("No answer yet")),
        ],
    )
    evidence = EVIDENCE

    def clean_account(self) -> User:
        number = number_in(self.cleaned_data["account"], "account")
        found = User.objects.customers().filter(pk=number).first() if number is not None else None
        if found is None:
            raise ValidationError(_("There is no such account. Look it up first."))
        return found


class LoadForm(ReasonForm):
    efforts = forms.FileField(
        label=_("File of efforts"),
        help_text=_("CSV in UTF-8 with the columns wallet_ref, kind, at and result."),
    )
    evidence = EVIDENCE


def _load(actor: Actor, given: dict[str, Any]) -> tracing.Loaded:
    sent = given["efforts"]
    return tracing.load(
        File(name=sent.name, content=sent.read()),
        evidence=given["evidence"],
        actor=actor,
        reason=given["reason"],
    )


TRACING: dict[str, Act] = {
    "record": Act(
        title=pgettext_lazy("verb", "Record an effort"),
        effect=_("It counts towards what the law asks before the amount is excluded."),
        permission=tracing.RECORD,
        form=RecordForm,
        do=lambda actor, given: tracing.record(
            given["account"],
            kind=given["kind"],
            at=given["at"],
            result=given["result"],
            evidence=given["evidence"],
            actor=actor,
            reason=given["reason"],
        ),
    ),
    "load": Act(
        title=pgettext_lazy("verb", "Load a file of efforts"),
        effect=_("All efforts of the file count, or none if a line is wrong."),
        permission=tracing.LOAD,
        form=LoadForm,
        do=_load,
    ),
}


@dataclass(frozen=True, slots=True)
class TracingPage:
    """Who could be excluded now and why others could not, the efforts, and what can be done."""

    excludable: int
    kept: list[tuple[Text, int]]
    law: tuple[int, int, int]
    efforts: list[tuple[Text, str, int]]
    decisions: list[Decision]


def look(*, actor: Actor) -> TracingPage:
    """Returns the page as `actor` sees it."""
    pack = jurisdictions.current()
    return TracingPage(
        excludable=tracing.to_be_excluded().count(),
        kept=[(_KEPT[code], n) for code, n in tracing.kept_from_exclusion().items()]
        + [
            (
                _("In process, returned or held"),
                Entitlement.objects.filter(state__in=Entitlement.UNPAID)
                .exclude(state__in=Entitlement.APPLICABLE)
                .count(),
            )
        ],
        law=(
            pack.number("tracing_efforts_min"),
            pack.number("tracing_large_minor"),
            pack.number("tracing_efforts_large"),
        ),
        efforts=[(KINDS[row["kind"]], row["result"], row["n"]) for row in tracing.by_kind()],
        decisions=[acts.decision(verb, act, actor=actor) for verb, act in TRACING.items()],
    )


_KEPT: dict[str, Text] = {
    "sent_before_restore": _("Paid by a file that a restored database does not know"),
    "notice_undeliverable": _("Holders whose notice did not arrive"),
    "application_under_way": _("An application is under way"),
    "open_hold": _("Holders with value on hold"),
    "payment_blocked": _("Holders who are paid nothing at present"),
    "not_traced": _("Holders who were not traced enough"),
}
