"""The section `people` of the set-up file: the first members of staff, who enrol by a one-time link."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms
from django.conf import settings
from django.contrib.auth.models import Group
from django.urls import reverse

from accounts import staff_adding
from accounts.addresses import Address
from accounts.credentials.passwords import NO_PASSWORD
from accounts.models import OneTimeLink, User
from accounts.models.staff_number import one_spelling
from accounts.models.user import WITHOUT_PASSWORD
from accounts.recovery import links
from winddown.actors import Actor
from winddown.authority import roles
from winddown.set_up.sections import SECTIONS, Problem, Row, RowForm, Rows, Section

# Both hold the permissions to add colleagues and to hand their links over, which takes two people.
FIRST = "incident_commander"


class PersonForm(RowForm):
    login_id = staff_adding.LoginIdField(
        max_length=150,
        initial=("hana", "ken"),
        help_text="what the person types to sign in",
    )
    name = forms.CharField(max_length=100, initial=("Hana Sato", "Ken Mori"))
    email = forms.EmailField(
        initial=("hana@example.com", "ken@example.com"),
        help_text="where messages about the account go",
    )
    staff_number = forms.CharField(
        max_length=32,
        initial=("1001", "1002"),
        help_text="one number for one person: two people sign what needs two",
    )
    roles = forms.MultipleChoiceField(
        choices=[(role, role) for role in roles.ROLES],
        initial=(["incident_commander"], ["incident_commander"]),
        help_text=f"one or more of {', '.join(roles.ROLES)}",
    )


def _check(rows: Rows) -> list[Problem]:
    """Two people can bring in all others, nobody signs twice, and no role is beside one that it
    excludes.
    """
    people = rows["people"]
    if not people:
        return []
    found = []
    numbers: dict[str, int] = {}
    for place, person in enumerate(people, 1):
        number = one_spelling(person["staff_number"])
        first = numbers.setdefault(number, place)
        if first != place:
            found.append(
                Problem(f"people[{place}].staff_number", f"people[{first}] has this number")
            )
        found += [
            Problem(
                f"people[{place}].roles",
                f"{one} and {other} exclude each other: whoever holds one {why}",
            )
            for one, other in roles.clashes(person["roles"])
            for why in [roles.INCOMPATIBLE[one, other]]
        ]
    if sum(FIRST in person["roles"] for person in people) < 2:
        found.append(
            Problem("people", f"two with the role {FIRST} are expected: they bring in the others")
        )
    return found


def _adopt(rows: Sequence[Row], actor: Actor, reason: str) -> list[str]:
    """The people have accounts with their roles, and no password yet."""
    del actor, reason
    people = []
    for row in rows:
        person = staff_adding.make(
            login_id=row["login_id"],
            name=row["name"],
            email=row["email"],
            staff_number=row["staff_number"],
        )
        person.groups.set(Group.objects.filter(name__in=row["roles"]))
        people.append(person)
    return [_enrolment(person) for person in people]


def _again(rows: Sequence[Row]) -> list[str]:
    """Whoever of the first people has no password gets a new link, while fewer than two of them can
    hand a link over to the others.
    """
    enrolled = User.objects.exclude(WITHOUT_PASSWORD).filter(
        kind=User.Kind.STAFF, is_active=True, groups__name=FIRST, authenticator__isnull=False
    )
    if enrolled.distinct().count() >= 2:
        return []
    named = [row["login_id"] for row in rows]
    waiting = User.objects.filter(kind=User.Kind.STAFF, is_active=True, login_id__in=named)
    return [_enrolment(person) for person in waiting.filter(password=NO_PASSWORD)]


def _enrolment(person: User) -> str:
    link = links.issue(OneTimeLink.Purpose.STAFF, address=Address("", ""), user=person)
    links.hand_over(link)
    url = settings.SITE_URL + reverse("recovery:open", args=[links.token(link)])
    return f"{person.login_id} enrols within 15 minutes, alone, at {url}"


SECTIONS.add(
    "people",
    Section(
        form=PersonForm,
        adopt=_adopt,
        present=None,
        again=_again,
        named_by="login_id",
        rows_min=2,
        check=_check,
        examples=2,
    ),
    place=-1,
)
