"""One request that waits for a second person, whatever it asks for, and the decision about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from winddown import clock
from winddown.actors import Actor
from winddown.authority import approvals
from winddown.models import Approval, Signature
from winddown.site import incident_page
from winddown.site.decisions import Decision
from winddown.site.fields import AmountField
from winddown.site.forms import ReasonForm
from winddown.words import Text

# verb -> button, tone, and whether it approves
_VERBS: dict[str, tuple[Text, str, bool]] = {
    "approve": (pgettext_lazy("verb", "Approve"), "danger", True),
    "reject": (pgettext_lazy("verb", "Reject"), "plain-danger", False),
}
_THEN: dict[str, Text] = {
    "approve": _("What was asked for holds now."),
    "reject": _("Nothing has changed. Whoever asked can ask again."),
}


class _SumField(AmountField):
    """A sum that is compared with the one on the page, so its commas may stay."""

    def clean(self, value: Any) -> int | None:
        return super().clean(str(value or "").replace(",", ""))


class DecideForm(ReasonForm):
    """A decision. Whoever approves money types the sum that was read."""

    amount = _SumField(
        label=_("Sum"),
        max_digits=20,
        help_text=_("Type the sum that you read above."),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    digest = forms.CharField(min_length=64, max_length=64, widget=forms.HiddenInput)
    field_order = ("amount", "reason")

    def __init__(self, *args: Any, sum_minor: int | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sum_minor = sum_minor
        if sum_minor is None:
            del self.fields["amount"]

    def clean_amount(self) -> int | None:
        typed: int | None = self.cleaned_data["amount"]
        if typed != self._sum_minor:
            raise forms.ValidationError(_("This is not the sum of the request."))
        return typed


@dataclass(frozen=True, slots=True)
class ApprovalPage:
    """Everything on the page."""

    waiting: incident_page.Waiting
    decided: bool

    @property
    def approval(self) -> Approval:
        return self.waiting.approval

    def sum_minor(self, verb: str) -> int | None:
        """Returns the amount that has to be typed: the first on the page that is not zero. None if
        the decision moves none.
        """
        amounts = (change.number for change in self.waiting.changes if change.is_amount)
        return next(filter(None, amounts), None) if _VERBS[verb][2] else None

    def decision(self, verb: str) -> Decision | None:
        """Returns the decision, or None when it was made or can no longer be made."""
        gone = self.decided or not approvals.still_waiting([self.approval])
        if gone or verb not in _VERBS or self.approval.expires_at <= clock.now():
            return None
        title, tone, _approves = _VERBS[verb]
        return Decision(
            verb=verb,
            title=title,
            tone=tone,
            refused=self.waiting.refused,
            permission=self.waiting.approval.permission,
            then=_THEN[verb],
        )


def look(approval: Approval, *, actor: Actor) -> ApprovalPage:
    """Returns the page as `actor` sees it."""
    (waiting,) = incident_page.waiting([approval], actor=actor)
    decided = Signature.objects.filter(approval=approval).exclude(part=Signature.Part.MAKER)
    return ApprovalPage(waiting=waiting, decided=decided.exists())


def knows(verb: str) -> bool:
    return verb in _VERBS


def decide(approval: Approval, verb: str, *, actor: Actor, given: dict[str, Any]) -> None:
    """`actor` has decided as the form says. Raises what `approvals.carry_out` raises."""
    approvals.carry_out(
        approval,
        shown=given["digest"],
        actor=actor,
        reason=given["reason"],
        approve=_VERBS[verb][2],
    )
