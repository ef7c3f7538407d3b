"""Who can carry a workflow or a subject to its end today: each step with its people, what takes two
people, and which roles exclude each other.
"""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from winddown import words
from winddown.authority import roles, who_can
from winddown.authority.role_words import role_words
from winddown.words import Text
from winddown.workflows import WORKFLOWS


class WayForm(forms.Form):
    """Which workflow is asked about."""

    of = forms.ChoiceField(
        label=_("Workflow"),
        choices=[(listed.name, listed.title) for listed in WORKFLOWS],
        initial=WORKFLOWS[0].name,
    )


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step of the way with names that people read."""

    title: Text
    people: list[str]
    roles: str
    by_system: bool

    @property
    def nobody(self) -> bool:
        return not (self.people or self.by_system)


@dataclass(frozen=True, slots=True)
class ShownDuty:
    """What one person asks for and a second decides, and whether two people of today can do it."""

    subject: Text
    asks: list[str]
    decides: list[str]

    @property
    def possible(self) -> bool:
        return bool(self.asks and self.decides) and len({*self.asks, *self.decides}) > 1


@dataclass(frozen=True, slots=True)
class WhoCanPage:
    """Everything on the page."""

    form: WayForm
    steps: list[ShownStep]
    duties: list[ShownDuty]
    exclusions: list[tuple[str, str]]


def look(given: dict[str, str]) -> WhoCanPage:
    """Returns the page for the workflow that was asked for; the first one if that is none."""
    form = WayForm(given if "of" in given else None)
    chosen = form.cleaned_data["of"] if form.is_valid() else WORKFLOWS[0].name
    staff = User.objects.filter(kind=User.Kind.STAFF)
    names = {person.login_id: words.person_name(person) for person in staff}
    people = who_can.people_with(
        each for duty in roles.DUTIES for each in (duty.asks, duty.decides)
    )
    return WhoCanPage(
        form=form,
        steps=[_step(each, names) for each in who_can.way(chosen).steps],
        duties=[
            ShownDuty(
                subject=duty.subject,
                asks=[names[login] for login in people[duty.asks]],
                decides=[names[login] for login in people[duty.decides]],
            )
            for duty in roles.DUTIES
        ],
        exclusions=[(role_words([one]), role_words([other])) for one, other in roles.INCOMPATIBLE],
    )


def _step(step: who_can.Step, names: dict[str, str]) -> ShownStep:
    return ShownStep(
        title=words.act_title(f"run.{step.verb}"),
        people=[names[login] for login in step.people],
        roles=role_words(step.roles),
        by_system=step.by_system,
    )
