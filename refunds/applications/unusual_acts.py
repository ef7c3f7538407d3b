"""What people do about unusual applications, as one declaration for command and page."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.applications import unusual
from refunds.models import RefundApplication, UnusualRule
from refunds.payouts.unusual_rules import RULES
from winddown.site.acts import Act
from winddown.site.forms import ReasonForm, RowField, SayingField
from winddown.words import Text

RULE_WORDS: dict[str, Text] = {
    "one_device": _("Several people, one device"),
    "shared_payee": _("Several people, one bank account"),
    "one_network": _("Many people, one network"),
    "near_address": _("Postal addresses that differ by a flat number"),
    "near_mail": _("Mail addresses that differ by a letter"),
    "burst": _("Far more applications than usual"),
}
MODES: dict[str, Text] = {
    UnusualRule.Mode.OFF: pgettext_lazy("rule", "Off"),
    UnusualRule.Mode.OBSERVE: pgettext_lazy("rule", "Only observed"),
    UnusualRule.Mode.ENFORCE: pgettext_lazy("rule", "Holds the payment"),
}


class RuleForm(ReasonForm):
    field_order = ("code", "mode", "least", "hours", "source", "reason")
    code = forms.ChoiceField(label=_("Rule"), choices=[(code, RULE_WORDS[code]) for code in RULES])
    mode = forms.ChoiceField(label=_("What it does"), choices=list(MODES.items()))
    least = forms.IntegerField(label=_("From how many on"), min_value=2, max_value=1_000_000)
    hours = forms.IntegerField(label=_("Within so many hours"), min_value=1, max_value=8_760)
    source = SayingField(
        label=_("Source"), max_length=200, help_text=_("Where these limits come from.")
    )


class ClearForm(ReasonForm):
    application = RowField(
        RefundApplication,
        label=_("Number of the application"),
        missing=_("There is no application of this number."),
    )


UNUSUAL: dict[str, Act] = {
    "find": Act(
        title=pgettext_lazy("verb", "Look for unusual applications"),
        effect=_("What the rules find is on the list. Nothing is refused."),
        permission=unusual.FIND,
        do=lambda actor, given: unusual.find(actor=actor, reason=given["reason"]),
    ),
    "clear": Act(
        title=pgettext_lazy("verb", "Ask to clear an application"),
        effect=_("If a second person agrees, nothing stands against its payment any more."),
        permission=unusual.FIND,
        form=ClearForm,
        do=lambda actor, given: unusual.ask_clear(
            given["application"], actor=actor, reason=given["reason"]
        ),
    ),
    "rule": Act(
        title=pgettext_lazy("verb", "Ask to change a rule"),
        effect=_("If a second person agrees, the rule holds like this from then on."),
        permission=unusual.DECIDE,
        form=RuleForm,
        do=lambda actor, given: unusual.ask_rule(
            given["code"],
            mode=given["mode"],
            least=given["least"],
            hours=given["hours"],
            source=given["source"],
            actor=actor,
            reason=given["reason"],
        ),
        tone="danger",
    ),
}
