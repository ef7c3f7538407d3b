"""What people do about the notice to merchants: send it, remind, print letters, record receipts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.merchants import letters, notices, receipts
from accounts.models import MerchantReceipt
from winddown.actors import Actor
from winddown.models import Merchant
from winddown.site.acts import Act
from winddown.site.fields import EvidenceField, LocalInstantField, happened
from winddown.site.forms import ReasonForm
from winddown.site.letter_acts import letters_act
from winddown.words import Text

Channel = MerchantReceipt.Channel
CHANNELS: dict[Channel, Text] = {
    Channel.LINK: _("Link in the mail"),
    Channel.TELEPHONE: _("By telephone"),
    Channel.VISIT: _("By a visit"),
    Channel.FAX: _("By fax"),
    Channel.POST: _("By post"),
}


class MerchantField(forms.CharField):
    """A merchant, by its reference in the set-up."""

    def clean(self, value: Any) -> Merchant:
        ref = super().clean(value)
        found = Merchant.objects.filter(merchant_ref=ref).first()
        if found is None:
            raise forms.ValidationError(_("There is no merchant of this reference."))
        return found


class ReceiptForm(ReasonForm):
    merchant = MerchantField(
        label=_("Merchant"), max_length=64, help_text=_("Its reference, as M-0001.")
    )
    channel = forms.ChoiceField(
        label=_("How it confirmed"),
        choices=[(code.value, CHANNELS[code]) for code in MerchantReceipt.BY_STAFF],
    )
    received_at = LocalInstantField(
        label=_("Confirmed at"),
        between=happened,
        help_text=_("As 2019-08-01T14:00 in the programme's time zone."),
    )
    evidence = EvidenceField(
        label=_("Evidence"),
        help_text=_("The signed slip, the fax, or the note of the call, as a file."),
    )


def _record(actor: Actor, given: dict[str, Any]) -> MerchantReceipt:
    return receipts.record(
        merchant=given["merchant"],
        channel=given["channel"],
        received_at=given["received_at"],
        file=given["evidence"],
        actor=actor,
        reason=given["reason"],
    )


def _nobody_to_tell() -> Text:
    text = notices.in_force()
    if text is None:
        return _("No text to merchants is released. Draft one under Programme.")
    return "" if notices.not_told(text).exists() else _("Every merchant has got it.")


def _nobody_to_remind() -> Text:
    text = notices.in_force()
    if text is None or not notices.of_version(text).exists():
        return _("The notice was not sent yet.")
    if notices.to_remind(text).exists():
        return ""
    return _("Every merchant has confirmed it, or was told within a day.")


def _nothing_to_confirm() -> Text:
    text = notices.in_force()
    if text is None or not notices.of_version(text).exists():
        return _("The notice was not sent yet.")
    return "" if notices.without_receipt(text).exists() else _("Every merchant has confirmed it.")


MERCHANTS: dict[str, Act] = {
    "send": Act(
        title=pgettext_lazy("verb", "Send the notice to the merchants"),
        effect=_(
            "Each merchant that has not got it gets a mail with a link to confirm it. Without an"
            " address for mail it gets a letter."
        ),
        permission=notices.PERMISSION,
        do=lambda actor, given: notices.send(actor=actor, reason=given["reason"]),
        tone="danger",
        not_now=_nobody_to_tell,
    ),
    "remind": Act(
        title=pgettext_lazy("verb", "Remind the merchants"),
        effect=_("Each merchant without a receipt gets the notice again."),
        permission=notices.PERMISSION,
        do=lambda actor, given: notices.remind(actor=actor, reason=given["reason"]),
        not_now=_nobody_to_remind,
    ),
    "letters": letters_act(
        title=pgettext_lazy("verb", "Print the letters to merchants"),
        effect=_("The notice, a slip for the receipt, and the poster for each merchant."),
        permission=notices.PERMISSION,
        export=letters.export,
        any_exists=letters.any_exists,
    ),
    "record-receipt": Act(
        title=pgettext_lazy("verb", "Record a receipt"),
        effect=_("The merchant counts as told, and gets no reminder."),
        permission=notices.PERMISSION,
        form=ReceiptForm,
        do=_record,
        not_now=_nothing_to_confirm,
    ),
}
