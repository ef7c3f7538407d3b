"""What staff do with requests to card issuers, chargebacks and the operator's own remedies, one
declaration for command and page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.models import (
    Chargeback,
    Doubt,
    Issuer,
    IssuerAction,
    IssuerAnswer,
    IssuerFile,
    QuarantinedLine,
    Remedy,
    RequestList,
)
from refunds.remedies import (
    by_hand,
    chargeback_answers,
    chargebacks,
    doubts,
    follow_up,
    issuer_answers,
    own_funds,
    quarantine,
    requests,
)
from refunds.remedies.exchange_lines import arn_is_sound
from wallets.models import TopUp
from winddown.actors import Actor
from winddown.errors import GuardNotMet, says
from winddown.programme.evidence_files import File
from winddown.site.acts import Act
from winddown.site.fields import (
    AmountField,
    DayField,
    EvidenceField,
    LocalInstantField,
    happened,
    planned,
)
from winddown.site.forms import ReasonForm, RowField, SayingField, ToldField
from winddown.site.pages import stored_file
from winddown.words import Text

DRAFT = "refunds.draft_issuer_action"
SEND = "refunds.send_issuer_action"
SCHEMES = (("visa", "Visa"), ("mastercard", "Mastercard"), ("jcb", "JCB"), ("other", _("Another")))


ANSWERS: dict[str, Text] = {
    IssuerAnswer.Code.ACCEPTED_DEBIT_STOPPED: _("The debit is stopped"),
    IssuerAnswer.Code.ACCEPTED_REFUNDED: _("The cardholder was credited"),
    IssuerAnswer.Code.ALREADY_CHARGED_BACK: _("The money was taken back by a chargeback"),
    IssuerAnswer.Code.TOO_LATE_WILL_REPAY: _("Too late to stop it; a refund is possible"),
    IssuerAnswer.Code.TOO_LATE_CANNOT: _("Too late, and no refund is possible"),
    IssuerAnswer.Code.CARDHOLDER_UNKNOWN: _("The cardholder is unknown"),
    IssuerAnswer.Code.DECLINED: _("The issuer declines"),
    IssuerAnswer.Code.NEED_INFO: _("The issuer needs more"),
}
VERDICTS: dict[str, Text] = {
    Doubt.Verdict.FIRST: _("The earlier word is true"),
    Doubt.Verdict.LAST: _("The later word is true"),
    Doubt.Verdict.COLLECT: _("Paid twice: ask for it back"),
    Doubt.Verdict.WAIVE: _("Paid twice: do not ask for it back"),
}


FORMATS: dict[str, Text] = {
    "csv": "CSV",
    "json": "JSON",
    "sheet": _("A sheet to print"),
}


class RowsField(SayingField):
    """Rows by their numbers, separated by spaces or commas. Its value is a list of rows."""

    def __init__(self, model: type[IssuerAction | QuarantinedLine | Remedy], **kwargs: Any) -> None:
        super().__init__(max_length=20_000, **kwargs)
        self._model = model

    def clean(self, value: Any) -> list[Any]:
        words = list(dict.fromkeys(super().clean(value).replace(",", " ").split()))
        if not all(word.isascii() and word.isdigit() and len(word) < 19 for word in words):
            raise ValidationError(_("Numbers are expected, separated by spaces."))
        found = self._model._default_manager.in_bulk([int(word) for word in words])
        for word in words:
            if int(word) not in found:
                raise ValidationError(_("There is no row %(number)s."), params={"number": word})
        return list(found.values())


class ArnField(forms.CharField):
    """The reference number of an acquirer for a charge or a credit."""

    def clean(self, value: Any) -> str:
        arn: str = super().clean(value).strip()
        if not arn_is_sound(arn):
            raise ValidationError(
                _("An ARN has 8 to 30 digits, and its check digit must be right.")
            )
        return arn


class IssuerField(SayingField):
    """A card issuer of the set-up, by its code."""

    def __init__(self) -> None:
        super().__init__(label=_("Card issuer"), max_length=20, help_text=_("Its code."))

    def clean(self, value: Any) -> Any:
        code = super().clean(value)
        found = Issuer.objects.filter(code=code).first()
        if found is None:
            raise ValidationError(
                _("There is no such card issuer. Known are %(codes)s."),
                params={
                    "codes": ", ".join(
                        Issuer.objects.order_by("code").values_list("code", flat=True)
                    )
                },
            )
        return found


class IssuerForm(ReasonForm):
    issuer = IssuerField()


class SendForm(IssuerForm):
    again = forms.BooleanField(
        label=_("Repeat requests that are overdue or need more"), required=False
    )

    written_as = forms.ChoiceField(
        label=_("Format"), required=False, choices=[("", _("As usual")), *FORMATS.items()]
    )


class FileForm(ReasonForm):
    file = RowField(
        IssuerFile,
        label=_("Number of the file"),
        missing=_("There is no file of this number."),
    )


class AnswersForm(IssuerForm):
    answers = EvidenceField(label=_("Answer file of the issuer"))


class ByHandForm(ReasonForm):
    request = RowField(
        IssuerAction,
        label=_("Number of the request"),
        missing=_("There is no request of this number."),
    )
    answer = forms.ChoiceField(label=_("Answer"), choices=list(ANSWERS.items()))
    answered_at = LocalInstantField(
        label=_("Answered at"), between=happened, help_text=_("Like 2019-07-08T15:00.")
    )
    statement_on = DayField(
        label=_("Day of the statement that shows it"), required=False, between=planned
    )
    refund_arn = ArnField(label=_("ARN of the credit"), required=False, max_length=30)
    evidence = ToldField(
        label=_("Evidence"),
        max_length=200,
        help_text=_("Where the answer is: the number of a letter, a mail, a note of a call."),
    )
    copy = EvidenceField(
        label=_("Copy of it"), required=False, help_text=_("Only its SHA-256 is kept.")
    )


class RequestsForm(ReasonForm):
    requests = RowsField(IssuerAction, label=_("Numbers of the requests"))


class LinesForm(ReasonForm):
    lines = RowsField(QuarantinedLine, label=_("Numbers of the lines"))


class RemediesForm(ReasonForm):
    remedies = RowsField(Remedy, label=_("Numbers of the remedies"))


class ChargebackForm(IssuerForm):
    chargeback_ref = ToldField(label=_("Reference of the chargeback"), max_length=40)
    scheme = forms.ChoiceField(label=_("Scheme"), choices=SCHEMES)
    scheme_reason = ToldField(
        label=_("Reason code of the scheme"),
        max_length=10,
        help_text=_("For example 10.4 or 4837."),
    )
    amount = AmountField(label=_("Amount"), min_value=0)
    arn = ArnField(label=_("ARN"), required=False, max_length=30)
    rrn = forms.CharField(label=_("RRN"), required=False, max_length=12)
    foreign_amount = forms.RegexField(
        r"^[0-9]{1,15}(\.[0-9]{1,3})? [A-Z]{3}$",
        label=_("Amount in the notice's currency"),
        required=False,
        max_length=30,
        help_text=_("If it is another one, like 271.40 USD."),
    )
    due_at = LocalInstantField(
        label=_("To be answered by"),
        required=False,
        between=planned,
        help_text=_(
            "As the scheme's notice says, like 2019-09-30T24:00. Without it the scheme's clock counts."
        ),
    )

    def clean_amount(self) -> int:
        amount: int = self.cleaned_data["amount"]
        if not amount:
            raise ValidationError(_("The amount is above zero."))
        return amount

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if not self.errors and not (given["arn"] or given["rrn"]):
            self.add_error("arn", ValidationError(_("Give the ARN or the RRN of the charge.")))
        return given


class ChargebackField(SayingField):
    """A chargeback by its reference."""

    def __init__(self) -> None:
        super().__init__(label=_("Reference of the chargeback"), max_length=40)

    def clean(self, value: Any) -> Any:
        reference = super().clean(value)
        found = Chargeback.objects.filter(chargeback_ref=reference).first()
        if found is None:
            raise ValidationError(_("There is no chargeback of this reference."))
        return found


class CaseForm(ReasonForm):
    chargeback = ChargebackField()


class ReplyForm(CaseForm):
    answer = forms.ChoiceField(
        label=_("Answer"),
        choices=[
            (chargeback_answers.ACCEPT, _("Accept: the issuer keeps the money")),
            (chargeback_answers.REPRESENT, _("Represent: the defence goes to the scheme")),
            (chargeback_answers.ARBITRATE, _("Arbitrate: the scheme decides")),
        ],
    )
    note = forms.CharField(
        label=_("What the scheme is told"),
        required=False,
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Of a difference, who gives the cardholder the rest."),
    )


class MatchForm(CaseForm):
    charge = RowField(
        TopUp, label=_("Number of the charge"), missing=_("There is no charge of this number.")
    )


class SettleForm(CaseForm):
    note = SayingField(
        label=_("In whose hands the money is"),
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class OutcomeForm(CaseForm):
    outcome = forms.ChoiceField(
        label=_("What the scheme says"),
        choices=[
            ("contest", _("The issuer does not accept our defence")),
            ("win", _("Won: the money came back")),
            ("lose", _("Lost: the issuer keeps the money")),
        ],
    )
    due_at = LocalInstantField(
        label=_("To be answered by"),
        required=False,
        between=planned,
        help_text=_("Only if the issuer does not accept it. Without it the scheme's clock counts."),
    )


class DoubtForm(ReasonForm):
    doubt = RowField(
        Doubt, label=_("Number of the doubt"), missing=_("There is no doubt of this number.")
    )


class SettleDoubtForm(DoubtForm):
    verdict = forms.ChoiceField(label=_("Verdict"), choices=list(VERDICTS.items()))


def _submit(actor: Actor, given: dict[str, Any]) -> RequestList:
    drafts = IssuerAction.objects.filter(
        issuer=given["issuer"], state=IssuerAction.State.DRAFT
    ).order_by("deadline_at", "pk")[: RequestList.ACTIONS_MAX]
    return requests.submit(list(drafts), actor=actor, reason=given["reason"])


def _send(actor: Actor, given: dict[str, Any]) -> HttpResponse:
    """Returns the file as an answer that a browser stores."""
    file = requests.send(
        given["issuer"],
        actor=actor,
        reason=given["reason"],
        again=given["again"],
        written_as=given["written_as"],
    )
    if file is None:
        raise GuardNotMet(
            action=says("send issuer actions"), why=says("no request to this issuer is approved")
        )
    return stored_file(requests.as_sent(file))


def _hand_out(actor: Actor, given: dict[str, Any]) -> HttpResponse:
    return stored_file(requests.hand_out(given["file"], actor=actor, reason=given["reason"]))


def _hear(actor: Actor, given: dict[str, Any]) -> object:
    sent: File = given["answers"]
    return issuer_answers.import_answers(
        given["issuer"], sent.content, name=sent.name, actor=actor, reason=given["reason"]
    )


def _foresee(actor: Actor, given: dict[str, Any]) -> HttpResponse:
    """Returns the list of what each line would do, as an answer that a browser stores."""
    sent: File = given["answers"]
    lines = issuer_answers.preview(given["issuer"], sent.content, name=sent.name, actor=actor)
    rows = ["line,verdict,why,cell"]
    rows += [f"{each.line},{each.verdict},{each.why},{each.cell}" for each in lines]
    return stored_file(File(name="preview.csv", content="\r\n".join([*rows, ""]).encode()))


def _by_hand(actor: Actor, given: dict[str, Any]) -> object:
    copy: File | None = given["copy"]
    return by_hand.ask(
        given["request"],
        answer_code=given["answer"],
        answered_at=given["answered_at"],
        statement_on=given["statement_on"],
        refund_arn=given["refund_arn"],
        evidence=given["evidence"],
        sha256=copy.sha256 if copy else "",
        actor=actor,
        reason=given["reason"],
    )


def _charged_back(actor: Actor, given: dict[str, Any]) -> object:
    return chargebacks.register(
        given["issuer"],
        chargeback_ref=given["chargeback_ref"],
        scheme=given["scheme"],
        scheme_reason=given["scheme_reason"],
        amount_minor=given["amount"],
        due_at=given["due_at"],
        arn=given["arn"],
        rrn=given["rrn"],
        foreign_amount=given["foreign_amount"],
        actor=actor,
        reason=given["reason"],
    )


DESK: dict[str, Act] = {
    "submit": Act(
        title=pgettext_lazy("verb", "Submit the drafts to an issuer"),
        effect=_("A second person decides about the list. The first deadlines come first."),
        permission=DRAFT,
        form=IssuerForm,
        do=_submit,
    ),
    "send": Act(
        title=pgettext_lazy("verb", "Make the file of approved requests"),
        effect=_("The requests count as sent, and their answers are awaited."),
        permission=SEND,
        form=SendForm,
        do=_send,
        tone="danger",
    ),
    "hand-out": Act(
        title=pgettext_lazy("verb", "Store a file of requests once more"),
        effect=_("The same bytes as before. The audit journal says who took them."),
        permission=SEND,
        form=FileForm,
        do=_hand_out,
        tone="danger",
    ),
    "preview": Act(
        title=pgettext_lazy("verb", "Look at answers before they count"),
        effect=_("A list of what each line would do. Nothing changes."),
        permission=SEND,
        form=AnswersForm,
        do=_foresee,
    ),
    "answers": Act(
        title=pgettext_lazy("verb", "Upload answers of an issuer"),
        effect=_(
            "Each good answer is a remedy, or opens the next route. Other lines are in quarantine."
        ),
        permission=SEND,
        form=AnswersForm,
        do=_hear,
    ),
    "by-hand": Act(
        title=pgettext_lazy("verb", "Type an answer that came without a file"),
        effect=_("It counts when a second person agrees."),
        permission=SEND,
        form=ByHandForm,
        do=_by_hand,
    ),
    "settle": Act(
        title=pgettext_lazy("verb", "Ask to settle lines in quarantine"),
        effect=_("If a second person agrees, nothing more is done about them."),
        permission=SEND,
        form=LinesForm,
        do=lambda actor, given: quarantine.ask(given["lines"], actor=actor, reason=given["reason"]),
    ),
    "escalate": Act(
        title=pgettext_lazy("verb", "Escalate overdue requests"),
        effect=_("Somebody talks to the issuer about them."),
        permission=SEND,
        form=RequestsForm,
        do=lambda actor, given: follow_up.escalate(
            given["requests"], actor=actor, reason=given["reason"]
        ),
    ),
    "recredit": Act(
        title=pgettext_lazy("verb", "Give points and bonus back"),
        effect=_("Every loss that waits for points or bonus value is made good."),
        permission="refunds.decide_claim",
        do=lambda actor, given: own_funds.recredit(actor=actor, reason=given["reason"]),
    ),
    "instead": Act(
        title=pgettext_lazy("verb", "Pay from own funds instead"),
        effect=_("The route is given up, and the loss takes the next one."),
        permission="refunds.decide_claim",
        form=RemediesForm,
        do=lambda actor, given: own_funds.pay_instead(
            given["remedies"], actor=actor, reason=given["reason"]
        ),
    ),
    "chargeback": Act(
        title=pgettext_lazy("verb", "Register a chargeback"),
        effect=_(
            "It is matched to the charge, and no other route pays the same loss. One for a charge made"
            " good already is represented."
        ),
        permission=DRAFT,
        form=ChargebackForm,
        do=_charged_back,
    ),
    "reply": Act(
        title=pgettext_lazy("verb", "Propose the answer to a chargeback"),
        effect=_("A second person decides. The difference to the charge is in the request."),
        permission=DRAFT,
        form=ReplyForm,
        do=lambda actor, given: chargeback_answers.ask(
            given["chargeback"],
            given["answer"],
            note=given["note"],
            actor=actor,
            reason=given["reason"],
        ),
    ),
    "match": Act(
        title=pgettext_lazy("verb", "Match a chargeback to its charge"),
        effect=_("A second person decides. Then the chargeback stands for the loss."),
        permission=DRAFT,
        form=MatchForm,
        do=lambda actor, given: chargeback_answers.ask(
            given["chargeback"],
            chargeback_answers.MATCH,
            top_up=given["charge"],
            actor=actor,
            reason=given["reason"],
        ),
    ),
    "outcome": Act(
        title=pgettext_lazy("verb", "Record what the scheme says"),
        effect=_("Money that came back frees the loss. What the issuer keeps is booked."),
        permission=DRAFT,
        form=OutcomeForm,
        do=lambda actor, given: chargeback_answers.record_outcome(
            given["chargeback"],
            given["outcome"],
            due_at=given["due_at"],
            actor=actor,
            reason=given["reason"],
        ),
    ),
    "settle-chargeback": Act(
        title=pgettext_lazy("verb", "Settle what an issuer kept"),
        effect=_("A second person decides. Then nothing more is expected."),
        permission=DRAFT,
        form=SettleForm,
        do=lambda actor, given: chargeback_answers.ask(
            given["chargeback"],
            chargeback_answers.SETTLE,
            note=given["note"],
            actor=actor,
            reason=given["reason"],
        ),
    ),
    "take-doubt": Act(
        title=pgettext_lazy("verb", "Take a doubt over"),
        effect=_("You own it, and clear up with the issuer what is true."),
        permission=SEND,
        form=DoubtForm,
        do=lambda actor, given: doubts.take_over(
            given["doubt"], actor=actor, reason=given["reason"]
        ),
    ),
    "settle-doubt": Act(
        title=pgettext_lazy("verb", "Ask to settle a doubt"),
        effect=_("A second person decides. Until then, what is doubtful is not paid."),
        permission=SEND,
        form=SettleDoubtForm,
        do=lambda actor, given: doubts.ask_settle(
            given["doubt"], verdict=given["verdict"], actor=actor, reason=given["reason"]
        ),
    ),
}
