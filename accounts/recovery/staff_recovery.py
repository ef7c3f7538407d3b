"""Staff get a new password through two colleagues. One asks, and a second agrees and hands the link
over.

If the second factor is lost too, the link is the only way in until its owner has set up a new one.
"""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import F

from accounts import access_events, staff_requests
from accounts.addresses import Address
from accounts.credentials import access
from accounts.credentials.passwords import NO_PASSWORD
from accounts.errors import StaffOnlyByStaff
from accounts.models import OneTimeLink, User
from accounts.recovery import links
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.errors import GuardNotMet, NothingToDecide, says
from winddown.evidence import audit
from winddown.models import Approval

PERMISSION = "accounts.recover_staff"
STAGE = "link"
KIND = "staff_recovery"


def request(
    person: User, *, actor: Actor, reason: str, second_factor_lost: bool = False
) -> Approval:
    """A colleague has asked for a link for `person`. A second one must agree.

    Raises `StaffOnlyByStaff` for a customer, and for every account of the asking person,
    `GuardNotMet` for a disabled account, and `AskedAlready` for a form that was sent twice.
    """
    _refuse(person, actor)
    with transaction.atomic():
        link = _link_for(person, second_factor_lost=second_factor_lost)
        approvals.refuse_repeated(
            link.subject, stage=STAGE, content=link.content(), maker=actor, reason=reason
        )
        asked = link.ask(maker=actor, reason=reason)
        audit.append(
            "staff_recovery.request",
            f"{KIND}:{person.pk}",
            actor=actor,
            reason=reason,
            second_factor_lost=second_factor_lost,
        )
        return asked


def agree(person: User, *, actor: Actor, digest: str, reason: str) -> OneTimeLink:
    """The link works for 15 minutes and is handed over in person.

    If the request says that the second factor is lost, the account has no second factor, no
    password and no session from now on. Otherwise the second factor is still asked for. Raises what
    `request` and `approvals.decide` raise.
    """
    with transaction.atomic():
        asked = _decide(person, actor=actor, digest=digest, reason=reason, approve=True)
        lost = bool(asked.summary["second_factor_lost"])
        if lost:
            _close(person, by=actor, reason=reason)
        # A colleague hands it over, so it does not prove an address.
        link = links.issue(OneTimeLink.Purpose.STAFF, address=Address("", ""), user=person)
        links.hand_over(link)
        audit.append(
            "staff_recovery.agree",
            f"{KIND}:{person.pk}",
            actor=actor,
            reason=reason,
            second_factor_removed=lost,
        )
        return link


def reject(person: User, *, actor: Actor, digest: str, reason: str) -> None:
    """The request is rejected, and the account is as it was. Raises what `agree` raises."""
    with transaction.atomic():
        _decide(person, actor=actor, digest=digest, reason=reason, approve=False)
        audit.append("staff_recovery.reject", f"{KIND}:{person.pk}", actor=actor, reason=reason)


def waiting(person: User) -> Approval | None:
    """Returns the open request for a link for the person."""
    return staff_requests.waiting(KIND, person, stage=STAGE)


def _decide(person: User, *, actor: Actor, digest: str, reason: str, approve: bool) -> Approval:
    _refuse(person, actor)
    # Two people who decide at the same moment come one after the other.
    person = User.objects.select_for_update(no_key=True).get(pk=person.pk)
    asked = waiting(person)
    if asked is None:
        raise NothingToDecide(subject=f"{KIND}:{person.pk}")
    signed = _link_for(person, second_factor_lost=asked.summary["second_factor_lost"])
    signed.decide(actor=actor, digest=digest, reason=reason, approve=approve)
    return asked


def _close(person: User, *, by: Actor, reason: str) -> None:
    """Nothing that the person had opens the account. The old password is never chosen again."""
    Authenticator.objects.filter(user_id=person.pk).delete()
    with_password = User.objects.filter(pk=person.pk).exclude(password__startswith=NO_PASSWORD)
    with_password.update(password=NO_PASSWORD, refused_hash=F("password"))
    access.end_all(person)
    access_events.tell(person, "closed_by_staff", actor=by, reason=reason)


def _refuse(person: User, actor: Actor) -> None:
    if person.kind != User.Kind.STAFF or person.staff_number == actor.staff_number:
        raise StaffOnlyByStaff
    require(actor, PERMISSION, action=f"recover account {person.pk}")
    if not person.is_active:
        raise GuardNotMet(
            action=says("recover the account"), why=says("it is disabled: enable it first")
        )


def _link_for(person: User, *, second_factor_lost: bool) -> approvals.SignedList:
    return approvals.SignedList(
        subject=staff_requests.subject(KIND, person),
        stage=STAGE,
        permission=PERMISSION,
        content=lambda: {"staff": person.pk, "second_factor_lost": second_factor_lost},
    )
