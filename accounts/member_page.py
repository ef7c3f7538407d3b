"""The members of staff, and one member's page: roles, ways in, and what waits for a decision."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef
from django.utils.text import format_lazy
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts import staff_roles
from accounts.models import User
from accounts.recovery import staff_recovery
from winddown import clock
from winddown.actors import Actor
from winddown.authority.role_words import role_words
from winddown.errors import NotPermitted
from winddown.models import Approval, AuditEntry, Signature
from winddown.site.decisions import Decision
from winddown.words import Text

TIMELINE_MAX = 100
SHOWN_MAX = 100

DISABLE = "accounts.disable_account"
# verb -> button, tone, permission, the request that it decides
_Waiting = Callable[[User], Approval | None]
_VERBS: dict[str, tuple[Text, str, str, _Waiting | None]] = {
    "recover": (
        pgettext_lazy("verb", "Ask for account recovery"),
        "plain",
        staff_recovery.PERMISSION,
        None,
    ),
    "agree": (
        pgettext_lazy("verb", "Agree to the account recovery"),
        "danger",
        staff_recovery.PERMISSION,
        staff_recovery.waiting,
    ),
    "refuse": (
        pgettext_lazy("verb", "Reject the account recovery"),
        "plain-danger",
        staff_recovery.PERMISSION,
        staff_recovery.waiting,
    ),
    "roles": (pgettext_lazy("verb", "Ask for other roles"), "plain", staff_roles.PERMISSION, None),
    "approve-roles": (
        pgettext_lazy("verb", "Approve the roles"),
        "danger",
        staff_roles.PERMISSION,
        staff_roles.waiting,
    ),
    "reject-roles": (
        pgettext_lazy("verb", "Reject the roles"),
        "plain-danger",
        staff_roles.PERMISSION,
        staff_roles.waiting,
    ),
    "disable": (pgettext_lazy("verb", "Disable the account"), "plain-danger", DISABLE, None),
    "enable": (pgettext_lazy("verb", "Let in again"), "plain", DISABLE, None),
}

_FACTORS: dict[str, Text] = {
    Authenticator.Type.TOTP: _("Authenticator app"),
    Authenticator.Type.WEBAUTHN: _("Passkey"),
    Authenticator.Type.RECOVERY_CODES: _("Recovery codes"),
}


def require_sight(actor: Actor) -> None:
    """Raises `NotPermitted` unless `actor` may ask for something on these pages."""
    if not any(map(actor.has_perm, (staff_recovery.PERMISSION, staff_roles.PERMISSION))):
        raise NotPermitted(
            actor=actor.pk, action="read the access of staff", permission=staff_roles.PERMISSION
        )


# --- the list -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Member:
    """One row of the list."""

    person: User
    roles: str
    has_factor: bool


@dataclass(frozen=True, slots=True)
class MemberList:
    """A page of the list, and how many members there are in all."""

    members: list[Member]
    total: int
    page: int

    @property
    def more(self) -> bool:
        return self.total > self.page * SHOWN_MAX


def members(*, page: int) -> MemberList:
    """Returns the members of staff by their names, `SHOWN_MAX` on a page."""
    factors = Authenticator.objects.filter(user=OuterRef("pk")).exclude(
        type=Authenticator.Type.RECOVERY_CODES
    )
    found = User.objects.filter(kind=User.Kind.STAFF).annotate(has_factor=Exists(factors))
    found = found.prefetch_related("groups").order_by("display_name", "login_id")
    first = (page - 1) * SHOWN_MAX
    shown = [
        Member(
            person=person,
            roles=role_words([group.name for group in person.groups.all()]),
            has_factor=person.has_factor,
        )
        for person in found[first : first + SHOWN_MAX]
    ]
    return MemberList(members=shown, total=found.count(), page=page)


# --- one member ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MemberPage:
    """Everything on the page. `recovery` and `change` are the requests that wait."""

    at: dt.datetime
    person: User
    roles: list[str]
    factors: str
    recovery: Approval | None
    change: Approval | None
    decisions: list[Decision]
    timeline: list[AuditEntry]

    @property
    def role_names(self) -> str:
        return role_words(self.roles)

    @property
    def roles_asked(self) -> str:
        """Returns the roles that the person has if the request is approved."""
        return role_words(self.change.summary["after"]) if self.change else ""

    @property
    def recovery_decisions(self) -> list[Decision]:
        return [each for each in self.decisions if each.verb in ("recover", "agree", "refuse")]

    @property
    def access_decisions(self) -> list[Decision]:
        return [each for each in self.decisions if each.verb in ("disable", "enable")]

    @property
    def role_decisions(self) -> list[Decision]:
        return [each for each in self.decisions if each.verb.endswith("roles")]

    def decision(self, verb: str) -> Decision | None:
        return next((each for each in self.decisions if each.verb == verb), None)

    def request(self, verb: str) -> Approval | None:
        """Returns the request that the verb decides; None for a verb that asks."""
        if verb in ("recover", "roles", "disable", "enable"):
            return None
        return self.change if verb.endswith("-roles") else self.recovery


def look(person: User, *, actor: Actor) -> MemberPage:
    """Returns the page as `actor` sees it."""
    kinds = Authenticator.objects.filter(user=person).values_list("type", flat=True)
    subjects = [f"{kind}:{person.pk}" for kind in ("account", "staff_recovery", "staff_roles")]
    entries = AuditEntry.objects.filter(subject__in=subjects).select_related("actor")
    return MemberPage(
        at=clock.now(),
        person=person,
        roles=staff_roles.roles_of(person),
        factors=gettext(", ").join(str(_FACTORS[kind]) for kind in sorted(set(kinds))),
        recovery=staff_recovery.waiting(person),
        change=staff_roles.waiting(person),
        decisions=_decisions(person, actor=actor),
        timeline=list(entries.order_by("-seq")[:TIMELINE_MAX]),
    )


def _decisions(person: User, *, actor: Actor) -> list[Decision]:
    found = []
    for verb, (title, tone, permission, waiting) in _VERBS.items():
        if verb == ("enable" if person.is_active else "disable"):
            continue
        request = waiting(person) if waiting else None
        if waiting is None or request is not None:
            refused = _refused(person, permission, request, actor=actor)
            found.append(Decision(verb=verb, title=title, tone=tone, refused=refused))
    return found


def _refused(person: User, permission: str, request: Approval | None, *, actor: Actor) -> Text:
    if person.staff_number == actor.staff_number:
        return _("This is your own account: two colleagues decide.")
    if not actor.has_perm(permission):
        return format_lazy(_("This takes the permission {permission}."), permission=permission)
    if request is None:
        return ""
    signed = Signature.objects.filter(subject=request.subject, staff_number=actor.staff_number)
    if signed.exists():
        return _("Your own request: a second person decides.")
    if request.expires_at <= clock.now():
        return _("The request has expired: ask again.")
    return ""
