"""The queue of assisted cases and a case's own page, as one member of staff sees them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, DurationField, ExpressionWrapper, F, Value
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import ProofStep, RecoveryCase
from accounts.models.recovery_case import PROOFS_MIN
from accounts.recovery import cases
from accounts.recovery.cases import Contact
from winddown import clock
from winddown.actors import Actor
from winddown.authority import approvals
from winddown.authority.role_words import who_may
from winddown.errors import NotPermitted
from winddown.models import Approval, AuditEntry, Signature
from winddown.site.decisions import Decision
from winddown.site.panels import Fact
from winddown.words import Text

SHOWN_MAX = 50
TIMELINE_MAX = 100
State = RecoveryCase.State

# verb -> button, tone, permission
_VERBS: dict[str, tuple[Text, str, str]] = {
    "take": (pgettext_lazy("verb", "Take the case"), "main", cases.WORK),
    "proof": (pgettext_lazy("verb", "Record a proof"), "main", cases.WORK),
    "propose": (pgettext_lazy("verb", "Propose"), "main", cases.WORK),
    "renew": (pgettext_lazy("verb", "Ask again"), "plain", cases.WORK),
    "decline": (pgettext_lazy("verb", "Close without decision"), "plain-danger", cases.WORK),
    "approve": (pgettext_lazy("verb", "Approve"), "danger", cases.DECIDE),
    "reject": (pgettext_lazy("verb", "Reject"), "plain-danger", cases.DECIDE),
    "revoke": (pgettext_lazy("verb", "Take the approval back"), "danger", cases.DECIDE),
    "contact": (pgettext_lazy("verb", "Show the contact data"), "plain", ""),
}
_OFFERS: dict[str, tuple[str, ...]] = {
    State.OPENED: ("take", "decline"),
    State.COLLECTING: ("proof", "propose", "decline"),
    State.PROPOSED: ("approve", "reject", "renew"),
    State.APPROVED: ("revoke",),
}


def contact_facts(contact: Contact) -> list[Fact]:
    """Returns what the person wrote, in the order of the form."""
    return [
        Fact(_("Name"), contact.name),
        Fact(_("Reached at"), contact.address),
        Fact(_("Remembers"), contact.account or "–"),
        Fact(_("What happened"), contact.story),
    ]


def require_sight(actor: Actor) -> None:
    """Raises `NotPermitted` unless `actor` works on cases or decides them."""
    if not (actor.has_perm(cases.WORK) or actor.has_perm(cases.DECIDE)):
        raise NotPermitted(actor=actor.pk, action="read recovery cases", permission=cases.WORK)


# --- the queue ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Queue:
    """The oldest cases of a kind first, and how many there are."""

    at: dt.datetime
    cases: list[RecoveryCase]
    total: int
    page: int

    @property
    def more(self) -> bool:
        return self.total > self.page * SHOWN_MAX


def queue(*, state: str, days: int | None, page: int) -> Queue:
    """Returns the cases in `state` (those that are not ended when empty), at least `days` old."""
    at = clock.now()
    chosen = RecoveryCase.objects.annotate(
        kinds=Count("proofs"),
        age=ExpressionWrapper(Value(at) - F("opened_at"), output_field=DurationField()),
    )
    chosen = chosen.filter(state=state) if state else chosen.exclude(state__in=RecoveryCase.ENDED)
    if days:
        chosen = chosen.filter(opened_at__lte=at - dt.timedelta(days=days))
    first = (page - 1) * SHOWN_MAX
    return Queue(
        at=at,
        cases=list(chosen.order_by("opened_at", "pk")[first : first + SHOWN_MAX]),
        total=chosen.count(),
        page=page,
    )


# --- one case -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CasePage:
    """Everything on the page."""

    at: dt.datetime
    case: RecoveryCase
    proofs: list[ProofStep]
    request: Approval | None
    same_contact: list[RecoveryCase]
    decisions: list[Decision]
    timeline: list[AuditEntry]

    @property
    def missing(self) -> int:
        return max(0, PROOFS_MIN - len(self.proofs))

    @property
    def kinds_left(self) -> list[tuple[str, Text]]:
        have = {proof.kind for proof in self.proofs}
        return [(kind, word) for kind, word in PROOF_WORDS.items() if kind not in have]

    def decision(self, verb: str) -> Decision | None:
        return next((each for each in self.decisions if each.verb == verb), None)


def look(case: RecoveryCase, *, actor: Actor) -> CasePage:
    """Returns the page as `actor` sees it."""
    proofs = list(case.proofs.select_related("recorded_by").order_by("pk"))
    others = RecoveryCase.objects.filter(contact_fingerprint=case.contact_fingerprint)
    return CasePage(
        at=clock.now(),
        case=case,
        proofs=proofs,
        request=approvals.standing(case.subject, stage=cases.STAGE),
        same_contact=list(others.exclude(pk=case.pk).order_by("-pk")[:5]),
        decisions=[
            _decision(verb, case, proofs=proofs, actor=actor)
            for verb in (*_OFFERS.get(case.state, ()), "contact")
        ],
        timeline=list(
            AuditEntry.objects.filter(subject=case.subject)
            .select_related("actor")
            .order_by("-seq")[:TIMELINE_MAX]
        ),
    )


def _decision(verb: str, case: RecoveryCase, *, proofs: list[ProofStep], actor: Actor) -> Decision:
    title, tone, permission = _VERBS[verb]
    return Decision(
        verb=verb,
        title=title,
        tone=tone,
        refused=_refused(verb, permission, case, proofs=proofs, actor=actor),
        permission=permission,
    )


def _refused(
    verb: str, permission: str, case: RecoveryCase, *, proofs: list[ProofStep], actor: Actor
) -> Text:
    if verb in ("approve", "reject"):
        signed = Signature.objects.filter(subject=case.subject, staff_number=actor.staff_number)
        if signed.exists():
            return _("Your own request: a second person decides.")
        if actor.staff_number in {proof.recorded_by.staff_number for proof in proofs}:
            return _("You recorded a proof in this case: somebody else decides.")
    if permission and not actor.has_perm(permission):
        return who_may(permission)
    if verb == "propose" and len(proofs) < PROOFS_MIN:
        return format_lazy(
            _("It takes {n} proofs of different kinds; there are {have}."),
            n=PROOFS_MIN,
            have=len(proofs),
        )
    return ""


PROOF_WORDS: dict[str, Text] = {
    ProofStep.Kind.IDENTITY_DOCUMENT: _("Identity document seen"),
    ProofStep.Kind.PAST_TRANSACTIONS: _("Past transactions named"),
    ProofStep.Kind.CALL_BACK: _("Called back on a number known before"),
    ProofStep.Kind.CARD_LAST4: _("Last four digits of the registered card"),
}
REJECTION_WORDS: dict[str, Text] = {
    RecoveryCase.Rejection.NOT_FOUND: _("We found no account with what you wrote."),
    RecoveryCase.Rejection.NOT_PROVED: _(
        "What we received does not prove that it is your account."
    ),
    RecoveryCase.Rejection.NO_ANSWER: _("We asked you for proofs and got no answer."),
    RecoveryCase.Rejection.DUPLICATE: _("You have another case about the same account."),
    RecoveryCase.Rejection.OWN_CHANNEL: _(
        "The address you wrote is the account's own: “Cannot sign in?” works with it."
    ),
}
