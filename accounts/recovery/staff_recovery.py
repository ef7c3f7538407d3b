"""Staff get a new password through two colleagues. One asks, and a second agrees and hands the link
over.
"""

from __future__ import annotations

from django.db import transaction

from accounts.addresses import Address
from accounts.errors import StaffOnlyByStaff
from accounts.models import OneTimeLink, User
from accounts.recovery import links
from winddown.actors import Actor, require
from winddown.authority import approvals
from winddown.errors import NothingToDecide
from winddown.evidence import audit
from winddown.models import Approval

PERMISSION = "accounts.recover_staff"
STAGE = "link"


def request(person: User, *, actor: Actor, reason: str) -> Approval:
    """A colleague has asked for a link for `person`. A second one must agree.

    Raises `StaffOnlyByStaff` for a customer, and for every account of the asking person.
    """
    _refuse(person, actor)
    with transaction.atomic():
        earlier = Approval.objects.filter(subject__startswith=f"{_stem(person)}:").count()
        asked = approvals.ask(
            f"{_stem(person)}:{earlier + 1}",
            stage=STAGE,
            content={"staff": person.pk, "time": earlier + 1},
            permission=PERMISSION,
            maker=actor,
            reason=reason,
        )
        audit.append("staff_recovery.request", _stem(person), actor=actor, reason=reason)
        return asked


def agree(person: User, *, actor: Actor, reason: str) -> OneTimeLink:
    """The link works for 15 minutes and is handed over in person. Sign-in still asks for the second
    factor.

    Raises what `request` and `approvals.decide` raise.
    """
    _refuse(person, actor)
    asked = Approval.objects.filter(subject__startswith=f"{_stem(person)}:").order_by("-pk").first()
    if asked is None:
        raise NothingToDecide(subject=_stem(person))
    with transaction.atomic():
        approvals.decide(
            asked.subject, stage=STAGE, actor=actor, digest=asked.digest, reason=reason
        )
        # A colleague hands it over, so it does not prove an address.
        link = links.issue(OneTimeLink.Purpose.STAFF, address=Address("", ""), user=person)
        links.hand_over(link)
        audit.append("staff_recovery.agree", _stem(person), actor=actor, reason=reason)
        return link


def _refuse(person: User, actor: Actor) -> None:
    if person.kind != User.Kind.STAFF or person.staff_number == actor.staff_number:
        raise StaffOnlyByStaff
    require(actor, PERMISSION, action=f"recover account {person.pk}")


def _stem(person: User) -> str:
    return f"staff_recovery:{person.pk}"
