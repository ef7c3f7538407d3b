"""The customer's application for the refund, one question for each page, without JavaScript.

Its customer signed in, or came with a claim number.

The answers are kept after each page: encrypted in the draft of the application, or in the session
where there is no draft (before applications open, and for the account that replaces another one).
"""

from __future__ import annotations

import uuid
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.forms import FileField, Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.attempts import limits
from accounts.models import User
from accounts.sign_in.origins import device_of, network_of
from refunds.applications import (
    account_statement,
    answers,
    choosing,
    claim_portal,
    compensations,
    document_portal,
    leaving,
    payees,
    proved,
    retrying,
    review,
    standing,
    status,
    submitting,
)
from refunds.applications.claimants import channel_of, customer_of, of_customer, of_sure_customer
from refunds.applications.origins import Origin
from refunds.applications.payees import PayeeRefused
from refunds.applications.portal_forms import (
    ACCOUNT_TYPES,
    AccountForm,
    AddressForm,
    BankForm,
    CheckForm,
    IbanForm,
    NameForm,
    YuchoForm,
)
from refunds.applications.standing import What
from refunds.applications.status import Way
from refunds.applications.submitting import AlreadyApplied, AmountDiffers, MethodRefused
from refunds.bankfiles import iban
from refunds.bankfiles.transfer_items import PAYEE_BYTES_MAX
from refunds.bankfiles.yucho import YUCHO_BANK_CODE
from refunds.models import ArrivalQuestion, Payee, Payout, RefundApplication, Voucher
from refunds.payouts import arrivals, bank_search, methods, refund_limits, traces
from wallets.models import Wallet
from winddown import clock
from winddown.errors import WinddownError
from winddown.models import Programme, PublicNotice
from winddown.site.pages import page, refusals_told, told
from winddown.words import Text

_KEPT = "refund_answers"
# Why an application was not accepted, as its holder is told.
REJECTED: dict[str, Text] = {
    RefundApplication.Rejection.NOT_IDENTIFIED: _lazy("We could not find out that it is you."),
    RefundApplication.Rejection.NOT_THE_HOLDER: _lazy("The balance belongs to somebody else."),
    RefundApplication.Rejection.ALREADY_COMPENSATED: _lazy("The amount was paid to you before."),
    RefundApplication.Rejection.NO_ANSWER: _lazy("We asked you for something and got no answer."),
    RefundApplication.Rejection.OTHER: _lazy("Call us: we tell you the reason."),
}
_FIRST, _LAST = "bank", "check"
_OF_AN_ACCOUNT = ("branch", "kind", "number", "symbol", "yucho_number")


class _Flow:
    """One customer's way through the form: where the customer stands, and the answers so far."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.customer = customer_of(request)
        self.standing = standing.of(self.customer)
        self.answers = self._read()

    @property
    def _has_draft(self) -> bool:
        return self.standing.what == What.APPLY

    def _read(self) -> dict[str, Any]:
        stored = self.request.session.get(_KEPT, "")
        in_session = answers.unsealed(stored, holder_id=self.customer.pk)
        application = self.standing.application
        if self._has_draft and application is not None and application.live:
            return submitting.draft_answers(application) or in_session
        payee = self.standing.payee
        if self.standing.what == What.CORRECT and payee is not None:
            # Only what is wrong is typed again, unless the account will never work.
            if in_session or status.refusal(payee).way == Way.ANOTHER:
                return in_session
            return answers.of_payee(payee)
        return in_session

    def keep(self, step: str, **given: Any) -> None:
        """The answers are kept, in the draft or in the session. Raises what `save_draft` raises."""
        self.answers = {answers.OP_ID: str(uuid.uuid4()), **self.answers, **given}
        if self._has_draft:
            submitting.save_draft(
                self.customer,
                channel=channel_of(self.request),
                step=answers.steps(self.answers).index(step) + 1,
                answers=self.answers,
                actor=self.customer,
            )
            self.request.session.pop(_KEPT, None)
        else:
            self.request.session[_KEPT] = answers.sealed(self.answers, holder_id=self.customer.pk)

    def forget(self) -> None:
        """Answers in the session are gone."""
        self.request.session.pop(_KEPT, None)

    @property
    def uses_known(self) -> bool:
        """Nothing is answered yet, and an account is known that can be paid."""
        payee = self.standing.payee
        return (
            self.standing.what == What.APPLY
            and answers.first_missing(self.answers) == _FIRST
            and payee is not None
            and payee.state != Payee.State.REFUSED
        )

    @property
    def replaces(self) -> bool:
        """A bank account that is known already would be replaced or no longer be paid, or what came
        back goes another way.
        """
        known = self.standing.payee is not None or self.standing.what == What.CORRECT
        return known and not self.uses_known

    @property
    def op_id(self) -> uuid.UUID:
        """Returns what makes one application of the form, however often it is sent."""
        if answers.OP_ID in self.answers:
            return uuid.UUID(self.answers[answers.OP_ID])
        applied = RefundApplication.objects.filter(applicant=self.customer).count()
        return uuid.uuid5(uuid.NAMESPACE_OID, f"known account:{self.customer.pk}:{applied}")

    def lead(self) -> str:
        """Returns the name of the page with the first question that is not answered, or of the last
        page.
        """
        missing = None if self.uses_known else answers.first_missing(self.answers)
        if missing is not None:
            return f"refund:{missing}"
        return "refund:change" if self.replaces else "refund:check"

    def refused_before(self, step: str) -> HttpResponse | None:
        """Returns where to go instead: an earlier question is open, or there is nothing to ask."""
        if not self.standing.is_form:
            return redirect("refund:start")
        missing = answers.first_missing(self.answers)
        if step == "check" and self.uses_known:
            return None
        steps = answers.steps(self.answers)
        if step not in steps or (missing is not None and steps.index(missing) < steps.index(step)):
            return redirect(f"refund:{missing or _LAST}")
        return None

    @cached_property
    def programme(self) -> Programme:
        return Programme.current()

    @property
    def in_japan(self) -> bool:
        """The banks are those of Japan, which write names and order banks by kana."""
        return self.programme.currency == "JPY"

    @cached_property
    def _offered(self) -> dict[str, methods.Offer]:
        """Every way to the money that is owed, in the order of the fallback."""
        owed = self.standing.owed
        found = methods.offered(owed.amount_minor) if owed is not None else []
        return {each.code: each for each in found}

    @property
    def transfer(self) -> methods.Offer | None:
        """The transfer as the page offers it: how long it takes."""
        return self._offered.get(methods.BANK)

    def offers(self) -> list[methods.Offer]:
        """Returns the ways to the money beside a transfer, in the order of the fallback."""
        return [each for code, each in self._offered.items() if code != methods.BANK]

    def way(self) -> methods.Offer | None:
        """Returns the way that was chosen beside a transfer."""
        chosen = self.answers.get("way", methods.BANK)
        return next((each for each in self.offers() if each.code == chosen), None)

    def page(self, template: str, *, step: str, **shown: Any) -> HttpResponse:
        """Returns the page of one question, with the way back and how many come."""
        steps = answers.steps(self.answers)
        place = steps.index(step)
        before = steps[place - 1] if place else "start"
        return page(
            self.request,
            f"refunds/portal/{template}.html",
            programme=self.programme,
            standing=self.standing,
            back=reverse(f"refund:{before}"),
            place=place + 1,
            places=len(steps),
            falls_back=bool(self.offers()),
            **shown,
        )


# --- the questions -------------------------------------------------------------------------------


@require_safe
@of_customer
def start(request: HttpRequest) -> HttpResponse:
    """What is owed, how it was computed, and what to do; or why there is nothing to do."""
    flow = _Flow(request)
    found = flow.standing
    if found.what == What.UNDER_WAY:
        return redirect("refund:status")
    if not found.is_form:
        return page(request, "refunds/portal/nothing_to_do.html", standing=found)
    if found.what == What.CORRECT:
        return page(
            request,
            "refunds/portal/correct.html",
            standing=found,
            refusal=status.refusal(found.payee, found.application),
            retry_on=retrying.day_of(found.owed, found.payee) if found.owed else None,
            uncashed=found.application is not None
            and found.application.asked_for == RefundApplication.VOUCHER,
            goes_on=reverse(flow.lead()),
        )
    computed = standing.computed(found.owed) if found.owed else None
    return page(
        request,
        "refunds/portal/start.html",
        standing=found,
        computed=computed,
        goes_on=reverse(flow.lead()),
        begun=bool(flow.answers),
        uses_known=flow.uses_known,
        rejection=REJECTED.get(found.application.rejection) if found.application else None,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@of_customer
def bank(request: HttpRequest) -> HttpResponse:
    """Which way, and which bank: by button, by a search, or in the rows of the kana table. A programme
    that asks for an IBAN has it on this page.
    """
    flow = _Flow(request)
    if (other := flow.refused_before("bank")) is not None:
        return other
    if refund_limits.asks_for_iban():
        return _iban(flow)
    form = BankForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if (chosen := bank_search.bank(request.POST.get("bank", ""))) is not None:
            return _bank_chosen(flow, chosen.code)
        if (way := request.POST.get("way", "")) in {each.code for each in flow.offers()}:
            return _kept(flow, "bank", {"way": way})
        if form.is_valid():
            query = urlencode({"q": form.cleaned_data["q"]})
            return redirect(f"{reverse('refund:bank')}?{query}")
    typed = getattr(request, "typed", request.GET).get("q", "")[:60]
    row = request.GET.get("row", "")
    if request.method != "POST":
        form.initial["q"] = typed
    found = bank_search.banks(typed) if typed else bank_search.banks_in_row(row)
    return flow.page(
        "bank",
        step="bank",
        form=form,
        largest=bank_search.largest(),
        rows=list(bank_search.ROWS) if flow.in_japan else [],
        row=row,
        typed=typed,
        found=found,
        transfer=flow.transfer,
        ways=flow.offers(),
        chosen=bank_search.bank(flow.answers.get("bank", "")),
    )


def _iban(flow: _Flow) -> HttpResponse:
    """As `bank`, for a programme that asks for an IBAN."""
    request = flow.request
    typed = request.method == "POST" and "way" not in request.POST
    form = IbanForm(request.POST if typed else None)
    if request.POST.get("way", "") in {each.code for each in flow.offers()}:
        return _kept(flow, "bank", {"way": request.POST["way"]})
    if typed and form.is_valid():
        number = {"bank": answers.IBAN, "number": form.cleaned_data["iban"]}
        return _kept(
            flow, "bank", {"way": methods.BANK, **dict.fromkeys(_OF_AN_ACCOUNT, ""), **number}
        )
    if answers.is_iban(flow.answers):
        form.initial["iban"] = iban.in_groups(flow.answers.get("number", ""))
    return flow.page("iban", step="bank", form=form, transfer=flow.transfer, ways=flow.offers())


def _bank_chosen(flow: _Flow, code: str) -> HttpResponse:
    """The bank is kept. Another bank has other branches, so the account is asked for again."""
    same = flow.answers.get("bank") == code
    fresh = {} if same else {"bank": code, **dict.fromkeys(_OF_AN_ACCOUNT, "")}
    return _kept(flow, "bank", {"way": methods.BANK, **fresh}, then="account")


def _kept(flow: _Flow, step: str, given: dict[str, Any], *, then: str = "") -> HttpResponse:
    """The answers are kept, and the browser goes to the next open question, or to `then`. A refusal
    is a message on the first page, which says what can be done now.
    """
    try:
        flow.keep(step, **given)
    except WinddownError as refused:
        messages.error(flow.request, told(refused))
        return redirect("refund:start")
    return redirect(f"refund:{then}" if then else flow.lead())


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@of_customer
def account(request: HttpRequest) -> HttpResponse:
    """Branch, kind and number, or Japan Post Bank's own two numbers."""
    flow = _Flow(request)
    if (other := flow.refused_before("account")) is not None:
        return other
    chosen = bank_search.bank(flow.answers["bank"])
    if chosen is None:
        return redirect("refund:bank")
    kind = YuchoForm if chosen.code == YUCHO_BANK_CODE else AccountForm
    form: YuchoForm | AccountForm = kind(
        _with_chosen_branch(request),
        initial=flow.answers,
        present=answers.digest(flow.answers, before="account"),
        bank=chosen,
    )
    if request.method == "POST" and form.is_valid():
        return _kept(flow, "account", form.answers())
    known = bank_search.branch(chosen.code, flow.answers.get("branch", ""))
    if isinstance(form, AccountForm) and known is not None:
        form.initial["branch"] = known.name
    return flow.page("account", step="account", form=form, bank=chosen)


def _with_chosen_branch(request: HttpRequest) -> Any:
    """Returns what was sent. A branch that was chosen from several takes the place of the typed
    one.
    """
    if request.method != "POST":
        return None
    sent = request.POST.copy()
    if chosen := sent.get("chosen_branch", ""):
        sent["branch"] = chosen
    return sent


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@of_customer
def name(request: HttpRequest) -> HttpResponse:
    """The name of the account, and what happens if the transfer fails."""
    flow = _Flow(request)
    if (other := flow.refused_before("name")) is not None:
        return other
    form = NameForm(
        request.POST if request.method == "POST" else None,
        initial={**_known_name(flow.customer), **flow.answers},
        present=answers.digest(flow.answers, before="name"),
        holder_kana=flow.customer.kana_name,
        in_kana=flow.in_japan,
    )
    if request.method == "POST" and form.is_valid():
        given = {
            each: form.cleaned_data[each] for each in ("family", "given", "fallback", "as_written")
        }
        return _kept(flow, "name", given)
    fitted = form.fitted
    if fitted is None and flow.answers.get("family"):
        fitted = answers.seen_by_the_bank(flow.answers)
    return flow.page(
        "name", step="name", form=form, fitted=fitted, bytes_max=PAYEE_BYTES_MAX, **_summary(flow)
    )


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@of_customer
def address(request: HttpRequest) -> HttpResponse:
    """Where the letter goes, for a way that sends one."""
    flow = _Flow(request)
    if (other := flow.refused_before("address")) is not None:
        return other
    form = AddressForm(
        request.POST if request.method == "POST" else None,
        initial=flow.answers,
        present=answers.digest(flow.answers, before="address"),
    )
    if request.method == "POST" and form.is_valid():
        given = {
            each: form.cleaned_data[each] for each in ("to", "postal_code", "lines", "fallback")
        }
        return _kept(flow, "address", given)
    return flow.page("address", step="address", form=form, way=flow.way())


def _known_name(customer: User) -> dict[str, str]:
    """Returns the two parts of the name that we know, so that nobody types it again."""
    parts = customer.kana_name.split()
    return {"family": parts[0], "given": parts[1]} if len(parts) == 2 else {}


def _summary(flow: _Flow) -> dict[str, Any]:
    """Returns the bank account as the pages show it."""
    given = flow.answers
    if answers.is_iban(given):
        return {"iban": iban.in_groups(given["number"]), "mask": f"*{given['number'][-3:]}"}
    chosen = bank_search.bank(given["bank"])
    return {
        "given": given,
        "bank": chosen,
        "branch": bank_search.branch(given["bank"], given["branch"]),
        "kind": dict(ACCOUNT_TYPES).get(given["kind"], given["kind"]),
        "mask": f"*{given['number'][-3:]}",
    }


# --- sending -------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@of_customer
def check(request: HttpRequest) -> HttpResponse:
    """All answers, and the button that sends them. A known account is replaced on another page."""
    return _check(request, replaces=False)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@of_sure_customer
@proved.asked_by_channel
def change(request: HttpRequest) -> HttpResponse:
    """As `check`, where a bank account that is known already is replaced, or money that came back
    goes another way: the person proves again who it is.
    """
    return _check(request, replaces=True)


def _check(request: HttpRequest, *, replaces: bool) -> HttpResponse:
    flow = _Flow(request)
    if request.method == "POST" and _is_sent_already(flow):
        return redirect("refund:done")
    if (other := flow.refused_before("check")) is not None:
        return other
    if replaces != flow.replaces:
        return redirect(flow.lead())
    form = CheckForm(
        request.POST if request.method == "POST" else None, present=answers.digest(flow.answers)
    )
    if request.method == "POST" and form.is_valid():
        try:
            return _send(flow, form.cleaned_data)
        except AmountDiffers as refused:
            flow = _Flow(request)
            form.add_error(None, told(refused))
        except AlreadyApplied:
            return redirect("refund:done")
        except (PayeeRefused, MethodRefused) as refused:
            form.add_error(None, told(refused))
        except WinddownError as refused:
            messages.error(request, told(refused))
            return redirect("refund:start")
    shown: dict[str, Any] = {}
    if not flow.uses_known and answers.is_of_a_bank(flow.answers):
        shown = _summary(flow) | {"fitted": answers.seen_by_the_bank(flow.answers)}
    return flow.page(
        "check",
        step="check",
        form=form,
        way=flow.way(),
        answers=flow.answers,
        op_id=flow.op_id,
        bytes_max=PAYEE_BYTES_MAX,
        **shown,
    )


def _is_sent_already(flow: _Flow) -> bool:
    """The form was sent a moment ago, by a second press of its button or from another window."""
    sent = flow.request.POST.get("op_id", "")
    application = flow.standing.application
    return (
        application is not None
        and application.op_id is not None
        and str(application.op_id) == sent
        and flow.standing.what == What.UNDER_WAY
    )


def _origin(request: HttpRequest) -> Origin:
    """Returns where the request comes from. A device without a cookie is a new one."""
    return Origin(network=network_of(request) or "", device=device_of(request).ref)


def _send(flow: _Flow, given: dict[str, Any]) -> HttpResponse:
    """The application is in, or the account is known. Raises what the verbs raise."""
    customer, application = flow.customer, flow.standing.application
    by_bank = flow.uses_known or answers.is_of_a_bank(flow.answers)
    account = answers.account(flow.answers) if by_bank and not flow.uses_known else None
    method = methods.BANK if by_bank else flow.answers["way"]
    consents = bool(flow.answers.get(answers.FALLBACK))
    if flow.standing.what == What.APPLY:
        submitting.submit(
            customer,
            channel=channel_of(flow.request),
            op_id=flow.op_id,
            actor=customer,
            account=account,
            confirmed_minor=given["confirmed_minor"],
            method=method,
            fallback_consent=consents,
            address=answers.address(flow.answers),
            language=get_language() or "ja",
            origin=_origin(flow.request),
        )
    elif flow.standing.what == What.CORRECT and account is not None:
        review.correct_payee(customer, account, actor=customer)
    elif flow.standing.what == What.CORRECT and application is not None:
        choosing.choose(
            application,
            method=method,
            fallback_consent=consents,
            address=answers.address(flow.answers),
            actor=customer,
        )
    elif flow.standing.what == What.COMPENSATION and account is not None:
        compensations.give(customer, account, actor=customer)
    elif account is not None:
        payees.enter(customer, account, actor=customer)
    flow.forget()
    return redirect("refund:done")


# --- afterwards ----------------------------------------------------------------------------------


@require_safe
@of_customer
def done(request: HttpRequest) -> HttpResponse:
    """The receipt: reference, amount, what happens when. It may be opened again and printed."""
    flow = _Flow(request)
    found = flow.standing
    early = found.what in (What.EARLY, What.COMPENSATION) and found.payee is not None
    if not early and not found.sent:
        return redirect("refund:start")
    return page(
        request,
        "refunds/portal/done.html",
        programme=flow.programme,
        standing=found,
        early=early,
        waits=found.payee is not None and found.payee.usable_from > clock.now(),
        zone=flow.programme.time_zone,
    )


@require_POST
@of_customer
def arrived(request: HttpRequest) -> HttpResponse:
    """Somebody who was asked says whether the money is there. A no is traced."""
    holder, answer = customer_of(request), request.POST.get("answer", "")
    number = request.POST.get("payout", "")
    payout = (
        Payout.objects.filter(pk=int(number), holder=holder).first()
        if number.isascii() and number.isdecimal() and len(number) < 16
        else None
    )
    if payout is None or answer not in ArrivalQuestion.Answer.values:
        return redirect("refund:status")
    with refusals_told(request):
        arrivals.answer(payout, arrived=answer == ArrivalQuestion.Answer.YES, actor=holder)
        messages.success(
            request,
            _("Thank you. Nothing more is needed.")
            if answer == ArrivalQuestion.Answer.YES
            else _("Thank you. We look for the money now."),
        )
    return redirect("refund:status")


@require_safe
@of_customer
def how_far(request: HttpRequest) -> HttpResponse:
    """How far the refund has come, who acts, and what is missing."""
    found = _Flow(request).standing
    if found.owed is None or found.application is None or not found.sent:
        return redirect("refund:start")
    return page(
        request,
        "refunds/portal/status.html",
        standing=found,
        status=status.of(found.owed, application=found.application, payee=found.payee),
        question=arrivals.open_question(customer_of(request)),
        trace=traces.of_holder(customer_of(request)),
        shown={
            "vouchers": Voucher.objects.filter(
                payout__holder=customer_of(request), state__in=Voucher.OUT
            ).select_related("payout")
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@of_sure_customer
def withdraw(request: HttpRequest) -> HttpResponse:
    """The application is taken back, as long as no payout of it is in a file for the bank."""
    flow = _Flow(request)
    application, owed = flow.standing.application, flow.standing.owed
    if owed is None or application is None:
        return redirect("refund:start")
    if not status.of(owed, application=application, payee=flow.standing.payee).may_withdraw:
        return redirect("refund:status")
    if request.method == "POST":
        with refusals_told(request):
            review.withdraw(application, actor=flow.customer)
            messages.success(
                request, _("Your application is withdrawn. You can apply again while it is open.")
            )
        return redirect("refund:start")
    return page(request, "refunds/portal/withdraw.html", standing=flow.standing)


@require_http_methods(["GET", "HEAD", "POST"])
@of_sure_customer
def leave(request: HttpRequest) -> HttpResponse:
    """The customer uses the service no more, and the balance stays owed."""
    customer = customer_of(request)
    wallet = Wallet.objects.filter(account=customer).first()
    if request.method == "POST":
        with refusals_told(request):
            leaving.leave(customer, actor=customer, reason="")
            messages.success(request, _("You have left. What is in your wallet stays yours."))
        return redirect("home")
    return page(request, "refunds/portal/leave.html", standing=standing.of(customer), wallet=wallet)


@require_POST
@of_sure_customer
def again(request: HttpRequest) -> HttpResponse:
    """The account that the bank could not pay is tried once more, with the same details."""
    flow = _Flow(request)
    payee = flow.standing.payee
    if flow.standing.what == What.CORRECT and payee is not None:
        with refusals_told(request):
            review.try_again(flow.customer, actor=flow.customer)
            flow.forget()
            return redirect("refund:done")
    return redirect("refund:start")


# --- the statement -------------------------------------------------------------------------------


class StatementForm(Form):
    """A statement that somebody shows."""

    statement = FileField(
        label=_lazy("Statement (CSV file)"),
        error_messages={"required": _lazy("Choose the file.")},
    )


@require_safe
@of_customer
def statement(request: HttpRequest) -> HttpResponse:
    """The balance, every movement and what became of the refund, to read and to print."""
    made = account_statement.of(customer_of(request))
    return page(request, "refunds/portal/statement.html", made=made)


@require_safe
@of_customer
def statement_file(request: HttpRequest) -> HttpResponse:
    """The same as a signed CSV file."""
    made = account_statement.of(customer_of(request))
    answer = HttpResponse(account_statement.as_csv(made), content_type="text/csv; charset=utf-8")
    name = f"statement-{timezone.localtime(made.made_at):%Y%m%d}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def statement_check(request: HttpRequest) -> HttpResponse:
    """For everybody: whether a statement that somebody shows is ours, byte for byte."""
    sent = request.method == "POST"
    form = StatementForm(request.POST if sent else None, request.FILES if sent else None)
    asked = sent and form.is_valid()
    allowed = asked and limits.allow("notice_check", network=network_of(request))
    ours = allowed and account_statement.is_ours(
        form.cleaned_data["statement"].read(account_statement.BYTES_MAX + 1)
    )
    return page(
        request,
        "refunds/portal/statement_check.html",
        form=form,
        asked=asked,
        allowed=allowed,
        ours=ours,
    )


@require_safe
@of_customer
def other_ways(request: HttpRequest) -> HttpResponse:
    """For people without a bank account: whom to call and where to write."""
    return page(
        request,
        "refunds/portal/other_ways.html",
        notice=PublicNotice.objects.order_by("-pk").first(),
    )


urlpatterns = [
    path("account/refund/", start, name="start"),
    path("account/refund/bank/", bank, name="bank"),
    path("account/refund/account/", account, name="account"),
    path("account/refund/name/", name, name="name"),
    path("account/refund/address/", address, name="address"),
    path("account/refund/check/", check, name="check"),
    path("account/refund/change/", change, name="change"),
    path("account/refund/done/", done, name="done"),
    path("account/refund/status/", how_far, name="status"),
    path("account/refund/arrived/", arrived, name="arrived"),
    path("account/refund/withdraw/", withdraw, name="withdraw"),
    path("account/refund/again/", again, name="again"),
    path("account/leave/", leave, name="leave"),
    path("account/statement/", statement, name="statement"),
    path("account/statement/file/", statement_file, name="statement_file"),
    path("is-this-statement-from-us/", statement_check, name="statement_check"),
    path("account/refund/other-ways/", other_ways, name="other_ways"),
    path("account/refund/prove/", proved.prove, name="prove"),
    *claim_portal.urlpatterns,
    *document_portal.urlpatterns,
]
app_name = "refund"
