"""What staff do with reports: of holders, of cardholders, questions, and files of evidence."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from refunds.claims import asking, files, reporting, reports, telling, thieves
from refunds.claims.desk_fields import ClaimField, ClaimsField, MovementsField, WalletField
from refunds.claims.reports import Said
from refunds.models import ClaimFile, FraudClaim, FraudReport
from winddown.actors import Actor
from winddown.errors import GuardNotMet, says
from winddown.site.acts import Act
from winddown.site.fields import DayField, EvidenceField, LocalInstantField, happened
from winddown.site.forms import ReasonForm, RowField, ToldField
from winddown.site.pages import stored_file
from winddown.words import Text

REPORT: Final = "refunds.report_claim"
WORK: Final = "refunds.work_claim"
CHANNELS: dict[str, Text] = {
    FraudClaim.Channel.RULE: _("Found by a rule"),
    FraudClaim.Channel.CUSTOMER: _("Reported by the customer"),
    FraudClaim.Channel.SUPPORT: _("Reported by telephone or on paper"),
    FraudClaim.Channel.ISSUER: _("Reported by the card issuer"),
}
TAKEN_BY_STAFF = (FraudClaim.Channel.SUPPORT, FraudClaim.Channel.ISSUER)


class WordsField(ToldField):
    """What somebody said, which is kept encrypted. A card number is refused."""

    def __init__(self, *, required: bool = False) -> None:
        super().__init__(
            label=_("What was said"),
            required=required,
            max_length=reports.WORDS_MAX,
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text=_("In the person's own words. Kept encrypted, no card numbers."),
        )


class ChannelField(forms.ChoiceField):
    """How a report came in that staff take."""

    def __init__(self) -> None:
        super().__init__(
            label=_("How it came in"), choices=[(each, CHANNELS[each]) for each in TAKEN_BY_STAFF]
        )


class ReportForm(ReasonForm):
    wallet = WalletField()
    channel = ChannelField()
    movements = MovementsField(
        label=_("What the holder did not do"),
        required=False,
        help_text=_(
            "As the claim's page names them: top_up:12 payment:7. The holder's other payments since"
            " then count as the holder's own."
        ),
    )
    noticed_on = DayField(
        label=_("Noticed on"),
        required=False,
        between=happened,
        help_text=_("If the caller remembers the day, like 2019-07-03."),
    )
    words = WordsField()
    since = LocalInstantField(
        label=_("In the thief's hands since"),
        required=False,
        between=happened,
        help_text=_(
            "If the caller knows it, like 2019-07-02T15:00. A bank account that was given since"
            " then is not paid to."
        ),
    )


class CardForm(ReasonForm):
    charge = MovementsField(
        label=_("Charge from the stolen card"),
        kinds=("top_up",),
        help_text=_("As the look-up names it: top_up:12."),
    )
    channel = ChannelField()
    words = WordsField()

    def clean_charge(self) -> Any:
        named = self.cleaned_data["charge"]
        if len(named) != 1:
            raise ValidationError(_("Name one charge."))
        return named[0]


class EnquiryForm(ReasonForm):
    wallet = WalletField()
    channel = ChannelField()
    words = WordsField(required=True)


class EnquiryField(RowField):
    """A question, by its number or by the reference that the customer was told."""

    def __init__(self) -> None:
        super().__init__(
            FraudReport,
            label=_("Number of the question"),
            missing=_("There is no question of this number."),
            help_text=_("Its number, or its reference such as EQ00000003."),
            widget=forms.TextInput,
        )

    def clean(self, value: Any) -> Any:
        return super().clean(str(value).strip().upper().removeprefix("EQ") if value else value)


class EnquiryAnswerForm(ReasonForm):
    enquiry = EnquiryField()
    answer = ToldField(
        label=_("What the customer is told"),
        max_length=reports.WORDS_MAX,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The customer reads it on the own page. Kept encrypted, no card numbers."),
    )


class AskForm(ReasonForm):
    claims = ClaimsField()


class HolderAnswerForm(ReasonForm):
    claim = ClaimField()
    movements = MovementsField(
        label=_("What the holder did not do"),
        required=False,
        help_text=_("None if the holder made all of them. Like top_up:12 payment:7."),
    )
    noticed_on = DayField(label=_("Noticed on"), required=False, between=happened)
    words = WordsField()


class FileForm(ReasonForm):
    claim = ClaimField()
    file = EvidenceField(
        label=_("File"), help_text=_("PDF, PNG, JPEG, CSV or text, at most 5 MiB, no card numbers.")
    )


class ReadFileForm(ReasonForm):
    file = RowField(
        ClaimFile, label=_("Number of the file"), missing=_("There is no file of this number.")
    )


def _said(given: dict[str, Any]) -> Said:
    return Said(
        movements=tuple(given.get("movements") or ()),
        noticed_on=given.get("noticed_on"),
        words=given["words"],
    )


def _report(actor: Actor, given: dict[str, Any]) -> FraudClaim:
    return reporting.take(
        given["wallet"],
        _said(given),
        actor=actor,
        reason=given["reason"],
        channel=given["channel"],
        compromised_from=given["since"],
    )


def _enquire(actor: Actor, given: dict[str, Any]) -> FraudReport:
    taken = reports.enquire(
        given["wallet"].account,
        _said(given),
        actor=actor,
        channel=given["channel"],
        reason=given["reason"],
    )
    telling.reported(taken)
    return taken


def _take_answer(actor: Actor, given: dict[str, Any]) -> FraudReport:
    asked = FraudReport.objects.filter(claim=given["claim"], given_at=None).first()
    if asked is None:
        raise GuardNotMet(action=says("answer the question"), why=says("nobody was asked"))
    return asking.answer(asked, _said(given), actor=actor, reason=given["reason"])


def _read(actor: Actor, given: dict[str, Any]) -> HttpResponse:
    return stored_file(files.disclose(given["file"], actor=actor, reason=given["reason"]))


def _reference(taken: FraudClaim | FraudReport) -> Text:
    return gettext("Reference: %(reference)s.") % {"reference": taken.reference}


def _number(kept: ClaimFile) -> Text:
    return gettext("Number of the file: %(number)s.") % {"number": kept.pk}


def _asked(count: int) -> Text:
    said = ngettext("%(n)s holder is asked now.", "%(n)s holders are asked now.", count)
    return said % {"n": f"{count:,}"}


REPORTS: dict[str, Act] = {
    "report": Act(
        title=pgettext_lazy("verb", "Take a report of fraud"),
        effect=_(
            "The wallet has a claim with a reference, which the caller is told. What a thief may"
            " have left in it is held at once."
        ),
        permission=REPORT,
        form=ReportForm,
        do=_report,
        says=_reference,
    ),
    "report-card": Act(
        title=pgettext_lazy("verb", "Take a report of a stolen card"),
        effect=_(
            "The wallet that the card charged is the thief's: nothing moves in it, and nobody is"
            " paid from it."
        ),
        permission=REPORT,
        form=CardForm,
        do=lambda actor, given: thieves.report_card(
            given["charge"],
            _said(given),
            actor=actor,
            reason=given["reason"],
            channel=given["channel"],
        ),
        says=_reference,
    ),
    "enquire": Act(
        title=pgettext_lazy("verb", "Take a question"),
        effect=_("It opens no claim. An analyst answers, and the customer reads the answer."),
        permission=REPORT,
        form=EnquiryForm,
        do=_enquire,
        says=_reference,
    ),
    "answer-enquiry": Act(
        title=pgettext_lazy("verb", "Answer a question"),
        effect=_("The customer reads the answer on the own page. It cannot be changed."),
        permission=WORK,
        form=EnquiryAnswerForm,
        do=lambda actor, given: reports.answer_enquiry(
            given["enquiry"], given["answer"], actor=actor, reason=given["reason"]
        ),
    ),
    "ask": Act(
        title=pgettext_lazy("verb", "Ask the holder"),
        effect=_(
            "The holder finds on the own page what we saw, and confirms or corrects it. A claim"
            " under investigation waits for the answer."
        ),
        permission=WORK,
        form=AskForm,
        do=lambda actor, given: asking.ask(given["claims"], actor=actor, reason=given["reason"]),
        says=_asked,
    ),
    "take-answer": Act(
        title=pgettext_lazy("verb", "Take the holder's answer"),
        effect=_("The claim is under investigation again."),
        permission=REPORT,
        form=HolderAnswerForm,
        do=_take_answer,
        says=_reference,
    ),
    "keep-file": Act(
        title=pgettext_lazy("verb", "Keep a file"),
        effect=_("The claim keeps it encrypted, with its type, size and hash."),
        permission=REPORT,
        form=FileForm,
        do=lambda actor, given: files.keep(
            given["claim"], given["file"], actor=actor, reason=given["reason"]
        ),
        says=_number,
    ),
    "read-file": Act(
        title=pgettext_lazy("verb", "Read a file"),
        effect=_("You get the file. The audit journal records it."),
        permission=WORK,
        form=ReadFileForm,
        do=_read,
    ),
}
