"""What people do with payout batches and with breaks, as one declaration for commands and pages."""

from __future__ import annotations

import hashlib
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.models import Payout, PayoutBatch, ReconciliationBreak
from refunds.payouts import batch_ends, breaks, line_removal, matching, payout_batches
from refunds.payouts.break_kinds import KINDS
from winddown.actors import Actor
from winddown.models import Approval
from winddown.site.acts import Act
from winddown.site.forms import ReasonForm, RowField, SayingField

_Kind = ReconciliationBreak.Kind


class NumbersField(forms.CharField):
    """Numbers of rows with commas between them. Its value is a list."""

    def clean(self, value: Any) -> Any:
        words = str(super().clean(value)).replace(",", " ").split()
        if not all(word.isascii() and word.isdecimal() and len(word) < 16 for word in words):
            raise ValidationError(_("Numbers with commas between them are expected."))
        return [int(word) for word in words]


class BatchForm(ReasonForm):
    number = RowField(
        PayoutBatch,
        label=_("Number of the payout batch"),
        missing=_("There is no payout batch of this number."),
    )


class LinesForm(BatchForm):
    payouts = NumbersField(
        label=_("Numbers of the payouts"),
        max_length=2_000,
        help_text=_("As the page of the batch shows them, with commas: 3, 17."),
    )


class RefusalForm(BatchForm):
    evidence = forms.FileField(
        label=_("Message of the bank"),
        help_text=_("The file in which the bank says that it rejects the file. Keep it."),
    )


class PayoutForm(ReasonForm):
    number = RowField(
        Payout,
        label=_("Number of the payout"),
        missing=_("There is no payout of this number."),
    )


class BreakForm(ReasonForm):
    number = RowField(
        ReconciliationBreak,
        label=_("Number of the break"),
        missing=_("There is no break of this number."),
    )


class ClearForm(BreakForm):
    explanation = SayingField(
        label=_("What the line was"),
        max_length=500,
        help_text=_("What the bank said, and where it stands. No name and no account number."),
    )


class MatchForm(ReasonForm):
    breaks = NumbersField(label=_("Numbers of the breaks"), max_length=500)
    payouts = NumbersField(
        label=_("Numbers of the payouts"),
        max_length=2_000,
        help_text=_("Together they come to the same amount as the breaks."),
    )


class ClearAllForm(ReasonForm):
    kind = forms.ChoiceField(
        label=_("What differs"),
        choices=[each for each in KINDS.items() if each[0] != _Kind.PAID_AFTER_ALL],
    )
    explanation = SayingField(
        label=_("What the lines were"),
        max_length=500,
        help_text=_("What the bank said, and where it stands. No name and no account number."),
    )


def _refusal(actor: Actor, given: dict[str, Any]) -> Approval:
    evidence = given["evidence"]
    return batch_ends.ask_refusal(
        given["number"],
        sha256=hashlib.sha256(evidence.read()).hexdigest(),
        name=evidence.name,
        actor=actor,
        reason=given["reason"],
    )


BATCHES: dict[str, Act] = {
    "release": Act(
        title=pgettext_lazy("verb", "Release the file"),
        effect=_(
            "The file leaves after the grace that the limits lay down. Until somebody downloads"
            " it, one person can stop it."
        ),
        permission="refunds.make_payout_batch",
        form=BatchForm,
        do=lambda actor, given: payout_batches.release(
            given["number"], actor=actor, reason=given["reason"]
        ),
        tone="main",
    ),
    "stop": Act(
        title=pgettext_lazy("verb", "Stop the release"),
        effect=_("The file stays. It can be released again, or voided by two people."),
        permission="refunds.stop_release",
        form=BatchForm,
        do=lambda actor, given: payout_batches.stop_release(
            given["number"], actor=actor, reason=given["reason"]
        ),
        tone="danger",
    ),
    "transmit": Act(
        title=pgettext_lazy("verb", "Record the transmission"),
        effect=_("The bank has the file. From now on only its rejection ends the batch."),
        permission="refunds.transmit_payout_batch",
        form=BatchForm,
        do=lambda actor, given: payout_batches.mark_transmitted(
            given["number"], actor=actor, reason=given["reason"]
        ),
        tone="danger",
    ),
    "accept": Act(
        title=pgettext_lazy("verb", "Record the bank's acceptance"),
        effect=_("The bank will carry the file out on its value date."),
        permission="refunds.reconcile",
        form=BatchForm,
        do=lambda actor, given: payout_batches.mark_accepted(
            given["number"], actor=actor, reason=given["reason"]
        ),
    ),
    "void": Act(
        title=pgettext_lazy("verb", "Ask to void a payout batch"),
        effect=_("When a second person agrees, the file is never sent, and its payouts wait."),
        permission="refunds.make_payout_batch",
        form=BatchForm,
        do=lambda actor, given: batch_ends.ask_void(
            given["number"], actor=actor, reason=given["reason"]
        ),
    ),
    "lines": Act(
        title=pgettext_lazy("verb", "Ask to take payouts out"),
        effect=_(
            "When a second person agrees, the file is void. A new file without these payouts takes"
            " its own approvals. What was taken out waits for the next plan: block the payments of"
            " whom nothing may be paid."
        ),
        permission=line_removal.ASKS,
        form=LinesForm,
        do=lambda actor, given: line_removal.ask(
            given["number"], given["payouts"], actor=actor, reason=given["reason"]
        ),
    ),
    "refusal": Act(
        title=pgettext_lazy("verb", "Record the bank's rejection"),
        effect=_(
            "When a second person agrees, nothing of the file was paid, and its payouts wait."
        ),
        permission="refunds.reconcile",
        form=RefusalForm,
        do=_refusal,
    ),
    "close": Act(
        title=pgettext_lazy("verb", "Close a payout batch"),
        effect=_("Nothing more is expected of it. The bank may still send money back."),
        permission="refunds.reconcile",
        form=BatchForm,
        do=lambda actor, given: payout_batches.close_batch(
            given["number"], actor=actor, reason=given["reason"]
        ),
    ),
    "waiver": Act(
        title=pgettext_lazy("verb", "Ask to close it with open payouts"),
        effect=_("When a second person agrees, it is closed. The bank may still answer."),
        permission="refunds.reconcile",
        form=BatchForm,
        do=lambda actor, given: batch_ends.ask_waiver(
            given["number"], actor=actor, reason=given["reason"]
        ),
    ),
    "give-up": Act(
        title=pgettext_lazy("verb", "Give a returned payout up"),
        effect=_("No further transfer of it is tried."),
        permission="refunds.reconcile",
        form=PayoutForm,
        do=lambda actor, given: payout_batches.give_up(
            given["number"], actor=actor, reason=given["reason"]
        ),
    ),
}
# The command writes the file into a directory; the browser saves it.
EXPORT = Act(
    title=pgettext_lazy("verb", "Download the file"),
    effect=_("The approved file has left the service: send it to the bank. Its bytes stay."),
    permission="refunds.make_payout_batch",
    form=BatchForm,
    do=lambda actor, given: payout_batches.hand_out(
        given["number"], actor=actor, reason=given["reason"]
    ),
    tone="main",
)
BREAKS: dict[str, Act] = {
    "take": Act(
        title=pgettext_lazy("verb", "Take a break over"),
        effect=_("You see to it from now on."),
        permission=breaks.PERMISSION,
        form=BreakForm,
        do=lambda actor, given: breaks.take(given["number"], actor=actor, reason=given["reason"]),
    ),
    "match": Act(
        title=pgettext_lazy("verb", "Ask to match movements with payouts"),
        effect=_(
            "When a second person agrees, the payouts came back or arrived, and the breaks are"
            " cleared."
        ),
        permission=matching.PERMISSION,
        form=MatchForm,
        do=lambda actor, given: matching.ask_match(
            given["breaks"], given["payouts"], actor=actor, reason=given["reason"]
        ),
    ),
    "clear": Act(
        title=pgettext_lazy("verb", "Ask to clear a break"),
        effect=_("It stays open until a second person agrees. While one is open, no file leaves."),
        permission=breaks.PERMISSION,
        form=ClearForm,
        do=lambda actor, given: breaks.ask_clear(
            given["number"],
            explanation=given["explanation"],
            actor=actor,
            reason=given["reason"],
        ),
    ),
    "clear-all": Act(
        title=pgettext_lazy("verb", "Ask to clear all breaks of a kind"),
        effect=_("They stay open until a second person agrees to their number and sum."),
        permission=breaks.PERMISSION,
        form=ClearAllForm,
        do=lambda actor, given: breaks.ask_clear_all(
            given["kind"],
            explanation=given["explanation"],
            actor=actor,
            reason=given["reason"],
        ),
    ),
}
