"""How the claims desk shares its work: whose a claim is, until when, notes, and linked claims."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from refunds.claims import noting
from refunds.claims.desk_fields import ClaimField, ClaimsField
from winddown.site.acts import Act
from winddown.site.fields import LocalInstantField, planned
from winddown.site.forms import ReasonForm, SayingField, ToldField


class MemberField(SayingField):
    """A member of staff, by login ID."""

    def __init__(self) -> None:
        super().__init__(label=_("Login ID"), max_length=150)

    def clean(self, value: Any) -> Any:
        typed = super().clean(value)
        found = User.objects.filter(kind=User.Kind.STAFF, login_id=typed, is_active=True).first()
        if found is None:
            raise ValidationError(_("There is no such member of staff."))
        return found


class AssignForm(ReasonForm):
    claims = ClaimsField()
    member = MemberField()


class UntilForm(ReasonForm):
    claims = ClaimsField()
    until = LocalInstantField(
        label=_("Until"),
        between=planned,
        help_text=_("Like 2019-07-31T17:00, in the programme's time zone."),
    )


class EscalateForm(ReasonForm):
    claims = ClaimsField()


class NoteForm(ReasonForm):
    claim = ClaimField()
    reason = ToldField(
        label=_("Note"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("No names, addresses or numbers of cards."),
    )


class LinkForm(ReasonForm):
    claim = ClaimField()
    other = ClaimField()
    reason = ToldField(
        label=_("What the link means"), max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["other"].label = _("Linked claim")


CASES: dict[str, Act] = {
    "assign": Act(
        title=pgettext_lazy("verb", "Assign claims"),
        effect=_("The claims are that person's work."),
        permission=noting.WORK,
        form=AssignForm,
        do=lambda actor, given: noting.assign(
            given["claims"], given["member"], actor=actor, reason=given["reason"]
        ),
    ),
    "due": Act(
        title=pgettext_lazy("verb", "Set a due date"),
        effect=_("The claims are sorted by it."),
        permission=noting.WORK,
        form=UntilForm,
        do=lambda actor, given: noting.set_due(
            given["claims"], given["until"], actor=actor, reason=given["reason"]
        ),
    ),
    "snooze": Act(
        title=pgettext_lazy("verb", "Put claims off"),
        effect=_("They leave the queue until then."),
        permission=noting.WORK,
        form=UntilForm,
        do=lambda actor, given: noting.snooze(
            given["claims"], given["until"], actor=actor, reason=given["reason"]
        ),
    ),
    "escalate": Act(
        title=pgettext_lazy("verb", "Escalate claims"),
        effect=_("They stand first, and a supervisor looks after them."),
        permission=noting.WORK,
        form=EscalateForm,
        do=lambda actor, given: noting.escalate(
            given["claims"], actor=actor, reason=given["reason"]
        ),
    ),
    "note": Act(
        title=pgettext_lazy("verb", "Write a note"),
        effect=_("The claim keeps it. It cannot be changed."),
        permission=noting.WORK,
        form=NoteForm,
        do=lambda actor, given: noting.note(given["claim"], actor=actor, reason=given["reason"]),
    ),
    "see-link": Act(
        title=pgettext_lazy("verb", "Look at a linked claim"),
        effect=_("The link no longer blocks the decision about either claim."),
        permission=noting.WORK,
        form=LinkForm,
        do=lambda actor, given: noting.see_link(
            given["claim"], given["other"], actor=actor, reason=given["reason"]
        ),
    ),
}
