"""Roles of staff change by two people: one asks, a second decides."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import Group
from django.db import transaction

from accounts import access_events, staff_requests
from accounts.credentials import access
from accounts.errors import NotForOneself, RolesExclude
from accounts.models import User
from winddown.actors import Actor, require
from winddown.authority import approvals, roles
from winddown.errors import GuardNotMet, NothingToDecide, says
from winddown.evidence import audit
from winddown.models import Approval

PERMISSION = "accounts.assign_roles"
STAGE = "roles"
KIND = "staff_roles"
APPROVED = "staff_roles.approve"


def request(person: User, *, wanted: Iterable[str], actor: Actor, reason: str) -> Approval:
    """A second person is asked to give the account exactly the roles `wanted`.

    Raises `NotPermitted`, `NotForOneself`, `RolesExclude` for roles that exclude each other,
    `AskedAlready` for a form that was sent twice, and `GuardNotMet` for a customer, an unknown
    role, or the roles that the account has.
    """
    _refuse(person, actor)
    after = _in_order(wanted)
    with transaction.atomic():
        person = User.objects.select_for_update(no_key=True).get(pk=person.pk)
        before = roles_of(person)
        if after == before:
            raise GuardNotMet(
                action=says("change the roles"), why=says("the account has exactly these")
            )
        _refuse_clash(person, after)
        change = _change(person, after)
        approvals.refuse_repeated(
            change.subject, stage=STAGE, content=change.content(), maker=actor, reason=reason
        )
        asked = change.ask(maker=actor, reason=reason)
        audit.append(
            "staff_roles.request",
            f"{KIND}:{person.pk}",
            actor=actor,
            reason=reason,
            before=before,
            after=after,
        )
        return asked


def decide(person: User, *, actor: Actor, digest: str, reason: str, approve: bool) -> None:
    """The account has the roles that were asked for and its owner is told, or the request is
    rejected.

    Raises what `request` and `approvals.decide` raise, and `PlanChanged` when the roles are no
    longer those that the request would change.
    """
    _refuse(person, actor)
    with access.roles_kept_apart(), transaction.atomic():
        person = User.objects.select_for_update(no_key=True).get(pk=person.pk)
        asked = waiting(person)
        if asked is None:
            raise NothingToDecide(subject=f"{KIND}:{person.pk}")
        before, after = roles_of(person), asked.summary["after"]
        _change(person, after).decide(actor=actor, digest=digest, reason=reason, approve=approve)
        if approve:
            person.groups.set(Group.objects.filter(name__in=after))
        audit.append(
            APPROVED if approve else "staff_roles.reject",
            f"{KIND}:{person.pk}",
            actor=actor,
            reason=reason,
            before=before,
            after=after,
        )
        if approve:
            access_events.tell(person, "roles_changed", actor=actor, reason=reason)


def waiting(person: User) -> Approval | None:
    """Returns the open request to change the roles of the account."""
    return staff_requests.waiting(KIND, person, stage=STAGE)


def roles_of(person: User) -> list[str]:
    """Returns the roles of this one account, in the order of the table of roles."""
    held = set(person.groups.values_list("name", flat=True))
    return [role for role in roles.ROLES if role in held]


def _change(person: User, after: list[str]) -> approvals.SignedList:
    return approvals.SignedList(
        subject=staff_requests.subject(KIND, person),
        stage=STAGE,
        permission=PERMISSION,
        content=lambda: {"staff": person.pk, "before": roles_of(person), "after": after},
    )


def _refuse(person: User, actor: Actor) -> None:
    if person.kind != User.Kind.STAFF:
        raise GuardNotMet(action=says("change the roles"), why=says("it is no member of staff"))
    if person.staff_number == actor.staff_number:
        raise NotForOneself
    require(actor, PERMISSION, action=f"change the roles of account {person.pk}")


def _in_order(wanted: Iterable[str]) -> list[str]:
    asked = set(wanted)
    if unknown := sorted(asked - set(roles.ROLES)):
        raise GuardNotMet(
            action=says("change the roles"),
            why=says("there is no role {names}", names=", ".join(unknown)),
        )
    return [role for role in roles.ROLES if role in asked]


def _refuse_clash(person: User, after: list[str]) -> None:
    """Raises `RolesExclude`. The roles of the person's other accounts count too."""
    others = Group.objects.filter(
        user__staff_number=person.staff_number, user__is_active=True
    ).exclude(user=person.pk)
    clashes = roles.clashes([*after, *others.values_list("name", flat=True)])
    if clashes:
        raise RolesExclude(why=f"one person would be {' and '.join(clashes[0])}")


def _decided(said: approvals.Decided) -> None:
    number = int(said.key.partition(":")[0])
    decide(
        User.objects.get(pk=number),
        actor=said.actor,
        digest=said.digest,
        reason=said.reason,
        approve=said.approve,
    )


approvals.DECIDERS.add(KIND, _decided)
