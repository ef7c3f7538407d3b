"""What a member of staff can decide about a run or a switch now, and why not what is refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy, pgettext_lazy

from winddown.actors import Actor
from winddown.authority.role_words import who_may
from winddown.models import Approval, Capability, Run, Signature
from winddown.words import Text


@dataclass(frozen=True, slots=True)
class Decision:
    """One verb: the text and the tone of its button, and why it is refused to this person. An empty
    `refused` means that it is allowed. Its page opens only to who holds the `permission`. `then`
    says what comes next when it is done.
    """

    verb: str
    title: Text
    tone: str
    refused: Text = ""
    permission: str = ""
    then: Text = ""


# verb -> button, tone, transition that carries the permission
_RUN_VERBS: dict[str, tuple[Text, str, str]] = {
    "approve": (pgettext_lazy("verb", "Approve"), "main", "approve"),
    "reject": (pgettext_lazy("verb", "Reject"), "danger", "approve"),
    "plan-again": (pgettext_lazy("verb", "Plan again"), "plain", "submit"),
    "start": (pgettext_lazy("verb", "Start"), "danger", "start"),
    "pause": (pgettext_lazy("verb", "Pause"), "main", "pause"),
    "resume": (pgettext_lazy("verb", "Resume"), "main", "resume"),
    "retry": (pgettext_lazy("verb", "Retry failures"), "main", "retry"),
    "rate": (pgettext_lazy("verb", "Set the rate"), "plain", "pause"),
    "abort": (pgettext_lazy("verb", "Abort"), "plain-danger", "abort"),
}
_RUN_OFFERS: dict[str, tuple[str, ...]] = {
    Run.State.AWAITING_APPROVAL: ("approve", "reject", "plan-again", "abort"),
    Run.State.APPROVED: ("start", "abort"),
    Run.State.RUNNING: ("pause", "rate", "abort"),
    Run.State.PAUSED: ("resume", "rate", "abort"),
    Run.State.PARTIALLY_FAILED: ("retry",),
}
_SWITCH_VERBS: dict[str, tuple[Text, str, str]] = {
    "stop": (pgettext_lazy("verb", "Stop"), "danger", "stop"),
    "ratify": (pgettext_lazy("verb", "Ratify the stop"), "main", "stop"),
    "request-restore": (pgettext_lazy("verb", "Ask for the restart"), "plain", "request_restore"),
    "restore": (pgettext_lazy("verb", "Restart"), "danger", "restore"),
    "keep-stopped": (pgettext_lazy("verb", "Keep it stopped"), "plain", "keep_stopped"),
}
_THEN: dict[str, Text] = {
    "approve": gettext_lazy("The run can be started now."),
    "reject": gettext_lazy("The run has ended. A new plan can be made."),
    "plan-again": gettext_lazy("The new plan waits for a second person."),
    "start": gettext_lazy("Workers move the rows. This page shows how far they are."),
    "pause": gettext_lazy("No further batch starts. The run can be resumed or aborted."),
    "resume": gettext_lazy("Workers go on with the rows that are left."),
    "retry": gettext_lazy("The rows wait for a worker again."),
    "rate": gettext_lazy("It holds from the next batch on."),
    "abort": gettext_lazy("What was changed stays changed. A new plan can be made."),
    "stop": gettext_lazy("The function is refused from now on. A second person ratifies the stop."),
    "ratify": gettext_lazy("The stop holds until somebody asks for the restart."),
    "request-restore": gettext_lazy("A second person restarts the function."),
    "restore": gettext_lazy("The function works from now on."),
    "keep-stopped": gettext_lazy("The function stays stopped."),
}
NEEDS_SECOND = {"approve", "reject", "ratify", "restore"}


def for_run(run: Run, *, actor: Actor, signed: Iterable[Signature]) -> list[Decision]:
    """Returns the decisions that the run's state offers, each with the reason why `actor` may not
    make it.
    """
    permissions = {edge.name: edge.permission for edge in Run.edges()}
    numbers = {signature.staff_number for signature in signed}
    return [
        _decision(
            verb,
            _RUN_VERBS[verb],
            permissions=permissions,
            actor=actor,
            has_signed=actor.staff_number in numbers,
        )
        for verb in _RUN_OFFERS.get(run.state, ())
    ]


def for_switch(
    switch: Capability, *, actor: Actor, waiting: Iterable[Approval], signed: Iterable[Signature]
) -> list[Decision]:
    """Returns the decisions that the switch's state offers. `waiting` are its open requests,
    `signed` the signatures of those requests.
    """
    offered = {
        Capability.State.ENABLED: ["stop"],
        Capability.State.DISABLED: ["ratify", "request-restore"],
        Capability.State.RESTORING: ["restore", "keep-stopped"],
    }[Capability.State(switch.state)]
    stages = {approval.stage: approval.subject for approval in waiting}
    if "ratify" not in stages and "ratify" in offered:
        offered.remove("ratify")
    permissions = {edge.name: edge.permission for edge in Capability.edges()}
    signatures = {(each.subject, each.staff_number) for each in signed}
    return [
        _decision(
            verb,
            _SWITCH_VERBS[verb],
            permissions=permissions,
            actor=actor,
            has_signed=(stages.get(verb, ""), actor.staff_number) in signatures,
        )
        for verb in offered
    ]


def _decision(
    verb: str,
    known: tuple[Text, str, str],
    *,
    permissions: dict[str, str],
    actor: Actor,
    has_signed: bool,
) -> Decision:
    title, tone, transition = known
    refused: Text = ""
    if verb in NEEDS_SECOND and has_signed:
        refused = gettext_lazy("You have signed this already: a second person decides.")
    elif not actor.has_perm(permissions[transition]):
        refused = who_may(permissions[transition])
    return Decision(
        verb=verb,
        title=title,
        tone=tone,
        refused=refused,
        permission=permissions[transition],
        then=_THEN[verb],
    )


def refused_to(approval: Approval, *, actor: Actor) -> Text:
    """Returns why `actor` cannot decide the request; empty when `actor` can."""
    if approval.maker.staff_number == actor.staff_number:
        return gettext_lazy("Your own request: a second person decides.")
    if not actor.has_perm(approval.permission):
        return who_may(approval.permission)
    return ""
