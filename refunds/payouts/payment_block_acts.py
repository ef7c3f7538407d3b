"""What people do with the list of those who are paid nothing, as one declaration for command and
page.
"""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from refunds.models import PaymentBlock
from refunds.payouts import payment_blocks
from winddown.site.acts import Act
from winddown.site.fields import LocalInstantField, planned
from winddown.site.forms import ReasonForm, RowField, SayingField
from winddown.site.panels import number_in
from winddown.words import Text

KINDS: dict[str, Text] = {
    PaymentBlock.Kind.SANCTION: _("Sanction list"),
    PaymentBlock.Kind.DISPUTE: _("Dispute"),
    PaymentBlock.Kind.LEGAL_HOLD: _("Legal hold"),
}


class EnterForm(ReasonForm):
    account = forms.CharField(
        label=_("Customer's account"),
        max_length=40,
        help_text=_("As the look-up names it: account:12."),
    )
    kind = forms.ChoiceField(label=_("List"), choices=list(KINDS.items()))
    evidence = SayingField(
        label=_("Evidence"),
        max_length=200,
        help_text=_("Where it stands: the list and its entry, or a file number. No name."),
    )
    ends_at = LocalInstantField(
        label=_("Until"),
        between=planned,
        help_text=_("As 2020-03-31T24:00 in the programme's time zone. It ends then by itself."),
    )

    def clean_account(self) -> User:
        number = number_in(self.cleaned_data["account"], "account")
        found = User.objects.filter(pk=number).first() if number is not None else None
        if found is None:
            raise ValidationError(_("There is no such account. Look it up first."))
        return found


class LiftForm(ReasonForm):
    number = RowField(
        PaymentBlock,
        label=_("Number of the payment block"),
        missing=_("There is no payment block of this number."),
    )


BLOCKS: dict[str, Act] = {
    "enter": Act(
        title=pgettext_lazy("verb", "Block payments to a customer"),
        effect=_(
            "Nothing is paid to the customer from now on. A second person is asked to confirm it."
        ),
        permission=payment_blocks.PERMISSION,
        form=EnterForm,
        do=lambda actor, given: payment_blocks.enter(
            given["account"],
            kind=given["kind"],
            evidence=given["evidence"],
            ends_at=given["ends_at"],
            actor=actor,
            reason=given["reason"],
        ),
        tone="danger",
    ),
    "lift": Act(
        title=pgettext_lazy("verb", "Ask to lift a payment block"),
        effect=_("The block stays in force until a second person agrees."),
        permission=payment_blocks.PERMISSION,
        form=LiftForm,
        do=lambda actor, given: payment_blocks.ask_lift(
            given["number"], actor=actor, reason=given["reason"]
        ),
    ),
}
