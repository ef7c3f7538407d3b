"""What people do with the programme: its stages, deadlines, notice, contact and funds."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from winddown import words
from winddown.authority import roles
from winddown.authority.role_words import ROLE_WORDS
from winddown.models import Capability, Milestone, Programme, PublicNotice
from winddown.programme import funds, gates, incident_withdrawal, milestones, public_notice, stages
from winddown.programme.gates import GATES
from winddown.runs import registry
from winddown.site import announcement_acts, notice_acts, panels
from winddown.site.acts import Act
from winddown.site.fields import AmountField, DayField, LocalInstantField, happened, planned
from winddown.site.forms import ReasonForm, SayingField

State = Programme.State
KINDS = [(each.value, words.milestone_title(each.value)) for each in Milestone.Kind]


def _switches() -> list[tuple[str, words.Text]]:
    codes = Capability.objects.order_by("code").values_list("code", flat=True)
    return [(code, words.capability_title(code)) for code in codes]


def _still_open() -> words.Text:
    n = len(stages.open_things())
    if not n:
        return ""
    return ngettext(
        "%(n)s thing is still open: see the list.", "%(n)s things are still open: see the list.", n
    ) % {"n": n}


class AwareForm(ReasonForm):
    aware_at = LocalInstantField(
        label=_("Aware since"),
        between=happened,
        required=False,
        help_text=_("As 2019-07-03T09:00 in the programme's time zone. Empty: now."),
    )


class MilestoneForm(ReasonForm):
    kind = forms.ChoiceField(
        label=_("Deadline"),
        choices=[(each.value, words.milestone_title(each.value)) for each in milestones.BY_PEOPLE],
    )
    at = LocalInstantField(
        label=_("Instant"),
        between=planned,
        help_text=_("As 2019-09-30T24:00 in the programme's time zone: the end of that day."),
    )
    ends_capability = forms.CharField(label=_("Ends the switch"), required=False)
    workflow = forms.CharField(label=_("Starts the workflow"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """The page offers what there is; a command reads the codes."""
        super().__init__(*args, **kwargs)
        workflows = [(name, words.workflow_title(name)) for name in registry.names()]
        for field, known in (("ends_capability", _switches()), ("workflow", workflows)):
            self.fields[field].widget = forms.Select(choices=[("", _("None")), *known])

    def clean_ends_capability(self) -> str:
        code: str = self.cleaned_data["ends_capability"]
        if code and not Capability.objects.filter(code=code).exists():
            raise ValidationError(_("There is no switch of this name."))
        return code

    def clean_workflow(self) -> str:
        name: str = self.cleaned_data["workflow"]
        if name and name not in registry.WORKFLOWS:
            raise ValidationError(
                _("There is no such workflow. Known are: %(known)s."),
                params={"known": ", ".join(registry.WORKFLOWS.names())},
            )
        return name


class AssignForm(ReasonForm):
    kind = forms.ChoiceField(label=_("Milestone"), choices=KINDS)
    owner_role = forms.ChoiceField(
        label=_("Role that answers for it"),
        choices=[(role, ROLE_WORDS[role]) for role in roles.ROLES],
    )
    owner = forms.CharField(
        label=_("Person who answers for it"),
        required=False,
        max_length=150,
        help_text=_("The login ID of somebody with the role. Empty: the role alone."),
    )
    gate = forms.ChoiceField(
        label=_("Gate"),
        required=False,
        choices=lambda: [("", _("None")), *((name, gate.title) for name, gate in GATES.items())],
    )
    needs = forms.MultipleChoiceField(
        label=_("Depends on"),
        required=False,
        choices=KINDS,
        widget=forms.CheckboxSelectMultiple,
    )


class ReachForm(ReasonForm):
    kind = forms.ChoiceField(label=_("Milestone"), choices=KINDS)


class NoticeForm(ReasonForm):
    statement = SayingField(
        label=_("That the balance is refunded"), widget=forms.Textarea(attrs={"rows": 3})
    )
    issuer_name = SayingField(label=_("Name of the issuer"), max_length=200)
    instrument = SayingField(label=_("Kind of the instrument"), max_length=200)
    window_first_day = DayField(
        label=_("First day"), help_text=_("As 2019-10-01."), between=public_notice.first_days
    )
    window_last_day = DayField(
        label=pgettext_lazy("window", "Last day"),
        help_text=_("As 2020-01-10; applications count until its end."),
        between=public_notice.last_days,
    )
    exclusion_statement = SayingField(
        label=_("What happens to those who do not apply"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    contact = SayingField(
        label=_("Where people ask: name, address, telephone, hours"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    how_to_claim = SayingField(label=_("How to apply"), widget=forms.Textarea(attrs={"rows": 3}))
    how_it_is_paid = SayingField(
        label=_("How it is paid"), widget=forms.Textarea(attrs={"rows": 3})
    )


class ContactForm(ReasonForm):
    phone = forms.CharField(
        label=_("Telephone number"), max_length=20, help_text=_("As it is shown to customers.")
    )


class FundsForm(ReasonForm):
    amount = AmountField(
        label=_("Funds set aside"),
        min_value=0,
        max_digits=18,
        help_text=_("The custodian's newest report, in the programme's currency."),
    )


PROGRAMME: dict[str, Act] = {
    "declare-incident": Act(
        title=pgettext_lazy("verb", "Declare an incident"),
        effect=_("The deadlines for reports to the authorities count from this instant."),
        permission="winddown.declare_incident",
        form=AwareForm,
        do=lambda actor, given: stages.declare_incident(
            actor=actor, reason=given["reason"], aware_at=given["aware_at"]
        ),
        tone="danger",
        states=(State.OPERATING,),
    ),
    "withdraw-incident": Act(
        title=pgettext_lazy("verb", "Withdraw the incident"),
        effect=_(
            "For an incident that was declared by mistake. It waits for a second person. With that"
            " decision the deadlines for reports no longer count, drafts of them end, and the"
            " service is in operation."
        ),
        permission=incident_withdrawal.WITHDRAW,
        do=lambda actor, given: incident_withdrawal.ask(actor=actor, reason=given["reason"]),
        tone="danger",
        states=(State.INCIDENT, State.RESTRICTED),
        not_now=lambda: gates.said(incident_withdrawal.resting()),
    ),
    "restore": Act(
        title=pgettext_lazy("verb", "End the incident"),
        effect=_("The service goes on as before. Every switch must be on."),
        permission="winddown.restore_programme",
        do=lambda actor, given: stages.restore(actor=actor, reason=given["reason"]),
        states=(State.RESTRICTED,),
    ),
    "announce": Act(
        title=pgettext_lazy("verb", "Announce the end"),
        effect=_(
            "It waits for a second person. With that decision the end of the service is public, and"
            " cannot be taken back. Charges and registration never come back."
        ),
        permission=stages.ANNOUNCE,
        do=lambda actor, given: stages.ask_announcement(actor=actor, reason=given["reason"]),
        tone="danger",
        states=(State.OPERATING, State.RESTRICTED),
    ),
    "set-milestone": Act(
        title=pgettext_lazy("verb", "Set a deadline"),
        effect=_("The deadline holds from its instant on, even if no worker runs then."),
        permission="winddown.set_milestone",
        form=MilestoneForm,
        do=lambda actor, given: milestones.set_milestone(
            given["kind"],
            at=given["at"],
            actor=actor,
            reason=given["reason"],
            ends_capability=given["ends_capability"],
            workflow=given["workflow"],
        ),
    ),
    "assign-milestone": Act(
        title=pgettext_lazy("verb", "Assign a milestone"),
        effect=_("It belongs to the role, and waits for its gate and for what comes before it."),
        permission="winddown.set_milestone",
        form=AssignForm,
        do=lambda actor, given: milestones.assign(
            given["kind"],
            owner_role=given["owner_role"],
            owner=given["owner"],
            gate=given["gate"],
            needs=given["needs"],
            actor=actor,
            reason=given["reason"],
        ),
    ),
    "reach-milestone": Act(
        title=pgettext_lazy("verb", "Mark a milestone as reached"),
        effect=_("From then on nothing of the milestone can change."),
        permission="winddown.reach_milestone",
        form=ReachForm,
        do=lambda actor, given: milestones.reach(
            given["kind"], actor=actor, reason=given["reason"]
        ),
    ),
    "publish-notice": Act(
        title=pgettext_lazy("verb", "Publish the notice"),
        effect=_("The notice stands as it is: only a new notice can make the window longer."),
        permission="winddown.publish_notice",
        form=NoticeForm,
        do=lambda actor, given: public_notice.publish_notice(
            actor=actor,
            reason=given["reason"],
            **{
                field.name: given[field.name]
                for field in PublicNotice._meta.concrete_fields
                if field.name in given
            },
        ),
        tone="danger",
    ),
    **notice_acts.NOTICE,
    **announcement_acts.DRAFT,
    "publish-contact": Act(
        title=pgettext_lazy("verb", "Publish the contact"),
        effect=_("Customers find this telephone number on the public pages."),
        permission="winddown.publish_notice",
        form=ContactForm,
        do=lambda actor, given: public_notice.publish_contact(
            given["phone"], actor=actor, reason=given["reason"]
        ),
    ),
    "report-funds": Act(
        title=pgettext_lazy("verb", "Report the funds"),
        effect=_("The opening of the refunds compares this amount with what is owed."),
        permission="winddown.report_funds",
        form=FundsForm,
        do=lambda actor, given: funds.report_safeguarded(
            given["amount"], actor=actor, reason=given["reason"]
        ),
    ),
    "complete": Act(
        title=pgettext_lazy("verb", "Complete the programme"),
        effect=_("Every refund is settled and every file closed: from then on nothing moves."),
        permission="winddown.complete_programme",
        not_now=_still_open,
        do=lambda actor, given: stages.complete(actor=actor, reason=given["reason"]),
        tone="danger",
        states=(State.SETTLING,),
    ),
    "report": Act(
        title=pgettext_lazy("verb", "Record the completion report"),
        effect=_("The authority has the completion report."),
        permission="winddown.file_completion",
        not_now=_still_open,
        do=lambda actor, given: stages.report(actor=actor, reason=given["reason"]),
        states=(State.COMPLETED,),
    ),
}


@panels.SUBJECTS.entry(incident_withdrawal.SUBJECT)
def _withdrawal(subject: str) -> panels.SubjectPage:
    return panels.SubjectPage(
        title=_("Withdrawal of the incident"), url=reverse("console:programme")
    )


@panels.CONTENTS.entry(incident_withdrawal.SUBJECT)
def _ends(withdrawn: dict[str, Any]) -> list[panels.Change]:
    return [
        panels.Change(_("Filings that are no longer due"), len(withdrawn["duties"])),
        panels.Change(_("Drafts of filings that end"), len(withdrawn["drafts"])),
    ]


@panels.SUBJECTS.entry(stages.ANNOUNCEMENT)
def _announcement(subject: str) -> panels.SubjectPage:
    return panels.SubjectPage(title=_("Announcement of the end"), url=reverse("console:programme"))
