"""What staff do about alarms: acknowledge one, and say where a role is reached."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from winddown.alarms import duty_addresses
from winddown.authority.role_words import ROLE_WORDS
from winddown.models import DutyAddress
from winddown.site.acts import Act
from winddown.site.forms import ReasonForm

CHANNELS = (
    (DutyAddress.Channel.MAIL.value, _("Mail")),
    (DutyAddress.Channel.WEBHOOK.value, _("Webhook")),
)


class OfRoleForm(ReasonForm):
    role = forms.ChoiceField(label=_("Role"), choices=list(ROLE_WORDS.items()))
    channel = forms.ChoiceField(label=pgettext_lazy("duty address", "Channel"), choices=CHANNELS)


class DutyAddressForm(OfRoleForm):
    address = forms.CharField(
        label=_("Address"),
        max_length=500,
        help_text=_("A mail address, or the https address of a webhook. Nobody can read it later."),
    )
    secret = forms.CharField(
        label=_("Signing secret"),
        required=False,
        max_length=200,
        help_text=_("For a webhook: at least 32 characters, which its receiver knows too."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)


def _set(actor: Any, given: dict[str, Any]) -> None:
    duty_addresses.set_address(
        role=given["role"],
        channel=given["channel"],
        address=given["address"],
        secret=given["secret"],
        language=given["language"],
        actor=actor,
        reason=given["reason"],
    )


def _end(actor: Any, given: dict[str, Any]) -> None:
    duty_addresses.end_address(
        role=given["role"], channel=given["channel"], actor=actor, reason=given["reason"]
    )


DUTY: dict[str, Act] = {
    "set": Act(
        title=pgettext_lazy("verb", "Set a duty address"),
        effect=_("The alarms of the role go there from now on, in place of its earlier address."),
        permission=duty_addresses.PERMISSION,
        form=DutyAddressForm,
        do=_set,
        typed=("address", "secret"),
    ),
    "end": Act(
        title=pgettext_lazy("verb", "End a duty address"),
        effect=_("The role has no address of the channel any more."),
        permission=duty_addresses.PERMISSION,
        form=OfRoleForm,
        do=_end,
        not_now=lambda: "" if duty_addresses.in_force() else _("No role has a duty address."),
    ),
}
