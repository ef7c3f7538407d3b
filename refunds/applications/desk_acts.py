"""What staff do with applications, held refunds and payees, one declaration for command and page."""

from __future__ import annotations

import uuid
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from refunds.applications import (
    choosing,
    claim_letters,
    claim_numbers,
    compensations,
    documents,
    holds,
    intake,
    leaving,
    payees,
    review,
    submitting,
)
from refunds.bank_accounts import Account
from refunds.bankfiles import iban
from refunds.models import ClaimNumber, Entitlement, Payee, RefundApplication
from refunds.payouts.methods import METHODS, postal_addresses
from refunds.payouts.methods.postal_addresses import AddressRefused, PostalAddress
from winddown.actors import Actor
from winddown.errors import GuardNotMet, says
from winddown.programme.evidence_files import File
from winddown.site.acts import Act
from winddown.site.forms import ReasonForm, RowField, SayingField, ToldField
from winddown.site.pages import stored_file
from winddown.site.panels import number_in
from winddown.words import Text

WORK = "refunds.work_application"
DECIDE = "refunds.decide_application"
REJECTIONS: dict[str, Text] = {
    RefundApplication.Rejection.NOT_IDENTIFIED: _("Not identified"),
    RefundApplication.Rejection.NOT_THE_HOLDER: _("Not the holder"),
    RefundApplication.Rejection.ALREADY_COMPENSATED: _("Compensated already"),
    RefundApplication.Rejection.NO_ANSWER: _("No answer"),
    RefundApplication.Rejection.OTHER: _("Another reason"),
}
ASKED: dict[str, Text] = {
    RefundApplication.BANK_ACCOUNT: _("Another bank account"),
    RefundApplication.VOUCHER: _("Whether a new postal order or code is wanted"),
    "identity": _("A proof of identity"),
    "authority": _("A proof of the authority to act for the holder"),
    "documents": _("Documents"),
}
CHANNELS: dict[str, Text] = {
    RefundApplication.Channel.APP: _("App"),
    RefundApplication.Channel.WEB: _("Web"),
    RefundApplication.Channel.PAPER: _("Paper form"),
    RefundApplication.Channel.PHONE: _("By telephone"),
    RefundApplication.Channel.CLAIM: _("By claim number"),
}
TAKEN_BY_STAFF = (RefundApplication.Channel.PAPER, RefundApplication.Channel.PHONE)


class ApplicationForm(ReasonForm):
    application = RowField(
        RefundApplication,
        label=_("Number of the application"),
        missing=_("There is no application of this number."),
    )


class AskForm(ApplicationForm):
    asked_for = forms.ChoiceField(
        label=_("What is missing"),
        choices=[
            (code, title)
            for code, title in ASKED.items()
            if code not in (RefundApplication.VOUCHER, documents.ASKED_FOR)
        ],
    )


class MethodForm(ApplicationForm):
    method = forms.ChoiceField(
        label=_("Payout method"),
        choices=[(code, each.label) for code, each in METHODS.items() if each.is_voucher],
    )
    fallback_consent = forms.BooleanField(
        label=_("If it fails, the next method may be used without asking"), required=False
    )
    name = SayingField(
        label=_("Name on the letter"),
        required=False,
        max_length=postal_addresses.NAME_MAX,
        help_text=_("For a postal order, if the application has no address or another one."),
    )
    postal_code = forms.CharField(
        label=_("Postal code"), required=False, max_length=10, help_text=_("Seven digits.")
    )
    address = SayingField(
        label=_("Postal address"), required=False, max_length=postal_addresses.LINES_MAX
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        typed = [given.get(name, "") for name in ("name", "postal_code", "address")]
        given["to"] = None
        if any(typed) and not self.errors:
            try:
                given["to"] = PostalAddress.typed(
                    name=typed[0], postal_code=typed[1], lines=typed[2]
                )
            except AddressRefused as refusal:
                field = "address" if refusal.facts["field"] == "lines" else refusal.facts["field"]
                self.add_error(field, refusal.facts["why"])
        return given


class RejectForm(ApplicationForm):
    rejection = forms.ChoiceField(label=_("Why"), choices=list(REJECTIONS.items()))


class HolderForm(ReasonForm):
    account = forms.CharField(
        label=_("Customer's account"),
        max_length=40,
        help_text=_(
            "As the look-up names it: account:12. Or the ten digits of a paper form: scan its square."
        ),
    )

    def clean_account(self) -> User:
        scanned = claim_numbers.by_reference(self.cleaned_data["account"])
        number = (
            number_in(self.cleaned_data["account"], "account")
            if scanned is None
            else scanned.holder_id
        )
        found = User.objects.customers().filter(pk=number).first() if number is not None else None
        if found is None:
            raise ValidationError(_("There is no such account. Look it up first."))
        return found


class PaperForm(ReasonForm):
    reference = forms.CharField(
        label=_("Reference of the claim number"),
        max_length=20,
        required=False,
        help_text=_("Ten digits. Empty: a blank form, on which people write who they are."),
    )


class NumberForm(ReasonForm):
    reference = forms.CharField(
        label=_("Reference of the claim number"),
        max_length=20,
        help_text=_("Ten digits: they stand on the paper form."),
    )

    def clean_reference(self) -> ClaimNumber:
        found = claim_numbers.by_reference(self.cleaned_data["reference"])
        if found is None:
            raise ValidationError(_("There is no claim number with this reference."))
        return found


class PayeeFields(HolderForm):
    bank_code = forms.CharField(
        label=_("Bank code"),
        max_length=4,
        required=False,
        help_text=_("Four digits. Leave it empty beside an IBAN, as the next two."),
    )
    branch_code = forms.CharField(
        label=_("Branch code"), max_length=3, required=False, help_text=_("Three digits.")
    )
    account_type = forms.ChoiceField(
        label=_("Kind of bank account"),
        required=False,
        choices=[
            ("", "–"),
            (Payee.AccountType.ORDINARY, _("Ordinary")),
            (Payee.AccountType.CURRENT, _("Current")),
            (Payee.AccountType.SAVINGS, _("Savings")),
            (Payee.AccountType.OTHER, _("Another kind")),
        ],
    )
    account_number = forms.CharField(
        label=_("Number of the bank account, or IBAN"), max_length=iban.TYPED_MAX
    )
    account_number_again = forms.CharField(
        label=_("Number of the bank account, once more"),
        max_length=iban.TYPED_MAX,
        help_text=_("Read it from the paper again: a slip of the hand pays somebody else."),
    )
    name = SayingField(
        label=_("Name of the bank account, in kana"),
        max_length=60,
        help_text=_("As the bank writes it, for example ヤマダ　タロウ."),
    )
    name_again = SayingField(label=_("Name of the bank account, once more"), max_length=60)

    def payee(self) -> Account:
        """Returns the account as it was typed."""
        given = self.cleaned_data
        return Account(
            given["bank_code"],
            given["branch_code"],
            given["account_type"],
            given["account_number"],
            given["name"],
        )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        for name in ("account_number", "name"):
            if given.get(name) and given.get(f"{name}_again") not in (None, given[name]):
                self.add_error(f"{name}_again", _("It is not the same as above."))
        codes = ("bank_code", "branch_code", "account_type")
        if any(given.get(name) for name in codes):
            for name in codes:
                if name in given and not given[name]:
                    self.add_error(name, _("Bank, branch and kind belong together."))
        if not self.errors:
            given["payee"] = self.payee()
        return given


class EnterForm(PayeeFields):
    channel = forms.ChoiceField(
        label=_("How it came in"), choices=[(each, CHANNELS[each]) for each in TAKEN_BY_STAFF]
    )
    late_reason = ToldField(
        label=_("Why it comes late"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Needed after the end of the window."),
    )


class RefundForm(ReasonForm):
    refund = forms.CharField(
        label=_("Refund"), max_length=40, help_text=_("As the look-up names it: entitlement:12.")
    )

    def clean_refund(self) -> Entitlement:
        number = number_in(self.cleaned_data["refund"], "entitlement")
        found = Entitlement.objects.filter(pk=number).first() if number is not None else None
        if found is None:
            raise ValidationError(_("There is no such refund. Look it up first."))
        return found


class PayeeForm(ReasonForm):
    payee = RowField(
        Payee,
        label=_("Number of the payee"),
        missing=_("There is no payee of this number."),
    )


def _enter(actor: Actor, given: dict[str, Any]) -> RefundApplication:
    """The form is about one entitlement in one state, so the same form twice is one application."""
    holder = given["account"]
    applied = RefundApplication.objects.filter(applicant=holder).count()
    return submitting.submit(
        holder,
        channel=given["channel"],
        op_id=uuid.uuid5(uuid.NAMESPACE_OID, f"entered by staff:{holder.pk}:{applied}"),
        actor=actor,
        account=given["payee"],
        late_reason=given["late_reason"],
    )


class LoadForm(ReasonForm):
    applications = forms.FileField(
        label=_("File of what customers sent in"),
        help_text=_("CSV in UTF-8, with the columns that load_applications --help names."),
    )


def _load(actor: Actor, given: dict[str, Any]) -> intake.Loaded | HttpResponse:
    """Returns what became of the lines, or a file of those that were refused, with the reason."""
    sent = given["applications"]
    done = intake.load(
        File(name=sent.name, content=sent.read()), actor=actor, reason=given["reason"]
    )
    if not done.refused:
        return done
    lines = [f"{number},{refusal}" for number, refusal in sorted(done.refused.items())]
    return stored_file(File(name="refused-lines.csv", content="\n".join([*lines, ""]).encode()))


def check_file(actor: Actor, given: dict[str, Any]) -> HttpResponse:
    """Returns the file as an answer that a browser stores."""
    with TemporaryDirectory() as directory:
        path = payees.export_check_file(
            Path(directory), actor=actor, reason=given["reason"], again=given["again"]
        )
        if path is None:
            raise GuardNotMet(action=says("ask the bank"), why=says("no payee waits for it"))
        answer = HttpResponse(path.read_bytes(), content_type="application/octet-stream")
        answer["Content-Disposition"] = content_disposition_header(True, path.name)
    return answer


class CheckFileForm(ReasonForm):
    again = forms.BooleanField(
        label=_("Ask again about accounts that the bank has not answered"), required=False
    )


DESK: dict[str, Act] = {
    "enter": Act(
        title=pgettext_lazy("verb", "Enter an application for a customer"),
        effect=_("It is checked like one from the web. The customer is paid to this bank account."),
        permission=WORK,
        form=EnterForm,
        do=_enter,
        # Money goes where it says: the person proves again who it is, in the command too.
        tone="danger",
        typed=("account_number", "account_number_again", "name", "name_again"),
    ),
    "load": Act(
        title=pgettext_lazy("verb", "Load a file of what customers sent in"),
        effect=_("Each line is in as if it were entered alone. Those refused come back as a file."),
        permission=WORK,
        form=LoadForm,
        do=_load,
        tone="danger",
    ),
    "number": Act(
        title=pgettext_lazy("verb", "Issue a claim number"),
        effect=_(
            "A letter brings it, with the paper form. An earlier number of the customer is dead"
            " from now on."
        ),
        permission=claim_numbers.PERMISSION,
        form=HolderForm,
        do=lambda actor, given: claim_numbers.issue(
            given["account"], actor=actor, reason=given["reason"]
        ),
    ),
    "form": Act(
        title=pgettext_lazy("verb", "Print the paper form"),
        effect=_("A page to print. Its square carries the reference, and nothing names a person."),
        permission=claim_numbers.PERMISSION,
        form=PaperForm,
        do=lambda actor, given: stored_file(
            claim_letters.form_for(given["reference"], actor=actor, reason=given["reason"])
        ),
    ),
    "end-number": Act(
        title=pgettext_lazy("verb", "End a claim number"),
        effect=_("It opens nothing any more, and no other takes its place."),
        permission=claim_numbers.PERMISSION,
        form=NumberForm,
        do=lambda actor, given: claim_numbers.end(
            given["reference"], actor=actor, reason=given["reason"]
        ),
    ),
    "verify": Act(
        title=pgettext_lazy("verb", "Confirm the identity"),
        effect=_("The applicant counts as the holder."),
        permission=WORK,
        form=ApplicationForm,
        do=lambda actor, given: review.verify(
            given["application"], actor=actor, reason=given["reason"]
        ),
    ),
    "confirm": Act(
        title=pgettext_lazy("verb", "Record that the customer agreed to the amount"),
        effect=_("It can be proposed to a second person."),
        permission=WORK,
        form=ApplicationForm,
        do=lambda actor, given: review.record_consent(
            given["application"], actor=actor, reason=given["reason"]
        ),
    ),
    "ask": Act(
        title=pgettext_lazy("verb", "Ask the customer for something"),
        effect=_("The application waits until the customer has given it."),
        permission=WORK,
        form=AskForm,
        do=lambda actor, given: review.ask_for_info(
            given["application"],
            asked_for=given["asked_for"],
            actor=actor,
            reason=given["reason"],
        ),
    ),
    "answer": Act(
        title=pgettext_lazy("verb", "Record that the customer gave it"),
        effect=_("The identity is checked again."),
        permission=WORK,
        form=ApplicationForm,
        do=lambda actor, given: review.answer_info(
            given["application"], actor=actor, reason=given["reason"]
        ),
    ),
    "correct": Act(
        title=pgettext_lazy("verb", "Enter another bank account for a customer"),
        effect=_("It replaces the account that the bank could not pay, and is checked like it."),
        permission=WORK,
        form=PayeeFields,
        do=lambda actor, given: review.correct_payee(
            given["account"], given["payee"], actor=actor, reason=given["reason"]
        ),
        tone="danger",
        typed=("account_number", "account_number_again", "name", "name_again"),
    ),
    "compensation": Act(
        title=pgettext_lazy("verb", "Enter a bank account for a compensation"),
        effect=_("A compensation that waits is paid to it, once the bank has confirmed it."),
        permission=WORK,
        form=PayeeFields,
        do=lambda actor, given: compensations.give(
            given["account"], given["payee"], actor=actor, reason=given["reason"]
        ),
        tone="danger",
        typed=("account_number", "account_number_again", "name", "name_again"),
    ),
    "leave": Act(
        title=pgettext_lazy("verb", "Let a customer leave the service"),
        effect=_(
            "Nothing is charged to the wallet or spent from it any more. The balance is not"
            " forfeited: it is refunded after the end."
        ),
        permission=WORK,
        form=HolderForm,
        do=lambda actor, given: leaving.leave(
            given["account"], actor=actor, reason=given["reason"]
        ),
        tone="danger",
    ),
    "method": Act(
        title=pgettext_lazy("verb", "Pay a customer by another method"),
        effect=_("For money that did not arrive: a postal order or a code, or a new one of it."),
        permission=WORK,
        form=MethodForm,
        do=lambda actor, given: choosing.choose(
            given["application"],
            method=given["method"],
            fallback_consent=given["fallback_consent"],
            address=given["to"],
            actor=actor,
            reason=given["reason"],
        ),
        typed=("name", "postal_code", "address"),
    ),
    "propose": Act(
        title=pgettext_lazy("verb", "Propose an application for payment"),
        effect=_("A second person decides. A late claim needs somebody who may approve those."),
        permission=WORK,
        form=ApplicationForm,
        do=lambda actor, given: review.propose(
            given["application"], actor=actor, reason=given["reason"]
        ),
    ),
    "reject": Act(
        title=pgettext_lazy("verb", "Reject an application"),
        effect=_("It ends unpaid, and the customer is told why. The customer may apply again."),
        permission=DECIDE,
        form=RejectForm,
        do=lambda actor, given: review.reject(
            given["application"],
            rejection=given["rejection"],
            actor=actor,
            reason=given["reason"],
        ),
        tone="danger",
    ),
    "withdraw": Act(
        title=pgettext_lazy("verb", "Withdraw an application for a customer"),
        effect=_("It ends unpaid. The customer may apply again."),
        permission=WORK,
        form=ApplicationForm,
        do=lambda actor, given: review.withdraw(
            given["application"], actor=actor, reason=given["reason"]
        ),
        tone="danger",
    ),
    "hold": Act(
        title=pgettext_lazy("verb", "Hold a refund"),
        effect=_("Nothing is paid on it until two people release it."),
        permission="refunds.hold_entitlement",
        form=RefundForm,
        do=lambda actor, given: holds.hold(given["refund"], actor=actor, reason=given["reason"]),
        tone="danger",
    ),
    "release": Act(
        title=pgettext_lazy("verb", "Ask to release a held refund"),
        effect=_("It stays held until a second person agrees."),
        permission="wallets.release_wallet",
        form=RefundForm,
        do=lambda actor, given: holds.ask_release(
            given["refund"], actor=actor, reason=given["reason"]
        ),
    ),
    "override": Act(
        title=pgettext_lazy("verb", "Ask to pay a payee that the bank refused"),
        effect=_("It is paid only if a second person agrees."),
        permission=WORK,
        form=PayeeForm,
        do=lambda actor, given: payees.ask_override(
            given["payee"], actor=actor, reason=given["reason"]
        ),
    ),
    "shared": Act(
        title=pgettext_lazy("verb", "Ask to pay a shared bank account"),
        effect=_("It is paid only if a second person agrees."),
        permission=WORK,
        form=PayeeForm,
        do=lambda actor, given: payees.ask_shared(
            given["payee"], actor=actor, reason=given["reason"]
        ),
    ),
    "check-file": Act(
        title=pgettext_lazy("verb", "Get the file that asks the bank about accounts"),
        effect=_("It names every bank account that the bank was not asked about yet."),
        permission="refunds.make_payout_batch",
        form=CheckFileForm,
        do=check_file,
    ),
}
