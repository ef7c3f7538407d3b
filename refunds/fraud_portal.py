"""The customer's pages about movements that were not the customer's own: a report, an answer to our
question, how far it is, an appeal, and files.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from accounts.sign_in.origins import device_of, network_of
from refunds.applications.claimants import customer_of, of_customer, of_sure_customer
from refunds.attribution.wallet_traces import FUNDING_OF_KIND
from refunds.claims import appeals, asking, files, progress, reporting, reports, telling
from refunds.claims.reports import Said
from refunds.models import ClaimFile, FraudClaim, FraudReport
from wallets.models import Payment, TopUp, Wallet
from winddown.errors import WinddownError
from winddown.models import Merchant, Programme
from winddown.programme import declared
from winddown.site.fields import DayField, EvidenceField, happened
from winddown.site.forms import ToldField
from winddown.site.pages import page, told
from winddown.templatetags.spoken import amount, moment

MOVEMENTS_SHOWN = 60
_ONE = gettext_lazy("Choose a movement, or tell us what was strange.")


class WordsForm(forms.Form):
    """What was strange, in own words."""

    words = ToldField(
        label=gettext_lazy("What happened, in your words"),
        max_length=reports.WORDS_MAX,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("Never write a card number or a password here."),
        error_messages={"required": gettext_lazy("Tell us in a few words.")},
    )


class ReportForm(WordsForm):
    """Which movements were not the customer's own, since when the customer knows, and own words."""

    field_order: tuple[str, ...] = ("movements", "noticed_on", "words")

    movements = forms.MultipleChoiceField(
        label=gettext_lazy("Which of these were not yours?"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("If something else was strange, choose none and describe it below."),
    )
    noticed_on = DayField(
        label=gettext_lazy("When did you notice it?"),
        required=False,
        between=happened,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("If you remember the day."),
    )

    def __init__(
        self, *args: Any, wallet: Wallet | None, marked: Collection[str] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"movements": list(marked)}
        self.fields["words"].required = False
        self.wallet = wallet
        chosen = self.fields["movements"]
        if not isinstance(chosen, forms.ChoiceField):
            raise AssertionError("the field is a choice")
        chosen.choices = _choices(wallet, marked) if wallet is not None else []
        if not chosen.choices:
            del self.fields["movements"]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if not self.errors and not given.get("movements") and not given["words"]:
            raise forms.ValidationError(_ONE)
        return given

    def said(self, request: HttpRequest) -> Said:
        """Returns what the valid form says, with the browser that sent it."""
        given = self.cleaned_data
        named = given.get("movements", [])
        found = reports.movements_of(named, wallet_id=self.wallet.pk) if self.wallet else []
        return Said(
            movements=tuple(found),
            noticed_on=given["noticed_on"],
            words=given["words"],
            network=network_of(request) or "",
            device=device_of(request).ref,
        )


class AnswerForm(ReportForm):
    """The same, filled in by us; or all of it was the customer's own."""

    field_order = ("movements", "all_mine", "noticed_on", "words")

    all_mine = forms.BooleanField(label=gettext_lazy("I made all of these myself"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "movements" in self.fields:
            self.fields["movements"].help_text = gettext_lazy(
                "We have marked what looked strange to us. Correct it where we are wrong."
            )

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if self.errors:
            return given
        if given["all_mine"]:
            # What we had marked is no word of the customer's.
            given["movements"] = []
        elif not given.get("movements") and not given["words"]:
            raise forms.ValidationError(
                _("Choose a movement, or say that all were yours, or tell us what was strange.")
            )
        return given


class FileForm(forms.Form):
    file = EvidenceField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "A PDF, a photograph (PNG or JPEG), a CSV or a text, at most 5 MiB. Cover card numbers."
        ),
    )


@require_safe
@of_customer
def overview(request: HttpRequest) -> HttpResponse:
    """The customer's claims and questions, and the way to report something."""
    customer = customer_of(request)
    return page(
        request,
        "refunds/fraud/overview.html",
        claims=[progress.of(each) for each in progress.seen_by(customer)],
        enquiries=progress.enquiries_of(customer),
    )


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@of_sure_customer
def report(request: HttpRequest) -> HttpResponse:
    """One form: movements open a claim, or are kept on the open one; words alone are a question."""
    customer = customer_of(request)
    wallet = Wallet.objects.filter(account=customer).first()
    form = ReportForm(request.POST or None, wallet=wallet)
    if request.method == "POST" and form.is_valid():
        try:
            taken = _taken(form.said(request), customer, wallet)
        except WinddownError as refused:
            form.add_error(None, told(refused))
        else:
            messages.success(
                request,
                _("We received it. Your reference number is {reference}.").format(
                    reference=taken.reference
                ),
            )
            if isinstance(taken, FraudClaim):
                return redirect("fraud_claim", taken.pk)
            return redirect("fraud")
    return page(request, "refunds/fraud/report.html", form=form)


def _taken(said: Said, customer: User, wallet: Wallet | None) -> FraudClaim | FraudReport:
    if wallet is None or not said.movements:
        enquiry = reports.enquire(
            customer, said, actor=customer, channel=FraudClaim.Channel.CUSTOMER
        )
        telling.reported(enquiry)
        return enquiry
    return reporting.take(
        wallet,
        said,
        actor=customer,
        channel=FraudClaim.Channel.CUSTOMER,
        reason="reported on the own page",
    )


@require_safe
@of_customer
def claim(request: HttpRequest, number: int) -> HttpResponse:
    """How far one claim is."""
    found = _own(request, number)
    return page(request, "refunds/fraud/claim.html", seen=progress.of(found))


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@of_sure_customer
def answer(request: HttpRequest, number: int) -> HttpResponse:
    """Our question with what we saw, to confirm or correct."""
    found = _own(request, number)
    asked = progress.question_of(found)
    if asked is None:
        return redirect("fraud_claim", found.pk)
    form = AnswerForm(request.POST or None, wallet=found.wallet, marked=asked.proposed)
    if request.method == "POST" and form.is_valid():
        try:
            asking.answer(asked, form.said(request), actor=customer_of(request))
        except WinddownError as refused:
            form.add_error(None, told(refused))
        else:
            messages.success(request, _("Thank you. We go on with what you told us."))
            return redirect("fraud_claim", found.pk)
    return page(request, "refunds/fraud/answer.html", form=form, seen=progress.of(found))


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@of_sure_customer
def appeal(request: HttpRequest, number: int) -> HttpResponse:
    """The customer does not agree, with the reasons in own words."""
    found = _own(request, number)
    if not progress.of(found).may_appeal:
        return redirect("fraud_claim", found.pk)
    form = WordsForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            appeals.appeal(
                found,
                actor=customer_of(request),
                reason="on the own page",
                said=Said(words=form.cleaned_data["words"]),
            )
        except WinddownError as refused:
            form.add_error(None, told(refused))
        else:
            messages.success(
                request,
                _("We received your appeal against the decision about {reference}.").format(
                    reference=found.reference
                ),
            )
            return redirect("fraud_claim", found.pk)
    return page(request, "refunds/fraud/appeal.html", form=form, seen=progress.of(found))


@require_http_methods(["GET", "HEAD", "POST"])
@of_sure_customer
def file(request: HttpRequest, number: int) -> HttpResponse:
    """The customer adds a file that shows what happened."""
    found = _own(request, number)
    customer = customer_of(request)
    if not progress.of(found).takes_files:
        return redirect("fraud_claim", found.pk)
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            files.keep(found, form.cleaned_data["file"], actor=customer)
        except WinddownError as refused:
            form.add_error("file", told(refused))
        else:
            messages.success(request, _("We have your file. Only those who work on it read it."))
            return redirect("fraud_file", found.pk)
    return page(
        request,
        "refunds/fraud/file.html",
        form=form,
        seen=progress.of(found),
        kept=ClaimFile.objects.filter(claim=found, given_by=customer).order_by("pk"),
    )


def _own(request: HttpRequest, number: int) -> FraudClaim:
    """Returns the customer's claim. Raises `Http404` for one that the customer may not know of."""
    seen = progress.seen_by(customer_of(request)).filter(pk=number)
    found = FraudClaim.objects.select_related("wallet").filter(pk__in=seen.values("pk")).first()
    if found is None:
        raise Http404
    return found


def _choices(wallet: Wallet, marked: Collection[str]) -> list[tuple[str, Any]]:
    """Returns the charges and payments that can be named, the newest first, with all that are marked."""
    came = TopUp.objects.filter(
        wallet=wallet,
        state__in=TopUp.CHARGED,
        source__in=declared.sources_of(*FUNDING_OF_KIND),
    )
    went = Payment.objects.filter(wallet=wallet, state__in=Payment.SPENT)
    newest: list[TopUp | Payment] = [
        *came.order_by("-occurred_at")[:MOVEMENTS_SHOWN],
        *went.order_by("-occurred_at")[:MOVEMENTS_SHOWN],
    ]
    newest = sorted(newest, key=_newest_first)[:MOVEMENTS_SHOWN]
    shown = {reports.subject_of(each) for each in newest}
    more = [each for each in marked if each not in shown]
    newest += reports.movements_of(more, wallet_id=wallet.pk)
    shops = dict(
        Merchant.objects.filter(
            merchant_ref__in={each.merchant_ref for each in newest if isinstance(each, Payment)}
        ).values_list("merchant_ref", "name")
    )
    programme = Programme.current()
    with timezone.override(programme.zone):
        return [
            (
                reports.subject_of(each),
                format_html(
                    "{} {} <strong>{}</strong> {}",
                    moment(each.occurred_at),
                    _("Charge") if isinstance(each, TopUp) else _("Payment"),
                    amount(each.amount_minor, programme.currency),
                    "" if isinstance(each, TopUp) else shops.get(each.merchant_ref, ""),
                ),
            )
            for each in sorted(newest, key=_newest_first)
        ]


def _newest_first(movement: TopUp | Payment) -> float:
    return -movement.occurred_at.timestamp()


urlpatterns = [
    path("account/fraud/", overview, name="fraud"),
    path("account/fraud/report/", report, name="fraud_report"),
    path("account/fraud/<int:number>/", claim, name="fraud_claim"),
    path("account/fraud/<int:number>/answer/", answer, name="fraud_answer"),
    path("account/fraud/<int:number>/appeal/", appeal, name="fraud_appeal"),
    path("account/fraud/<int:number>/file/", file, name="fraud_file"),
]
