"""The page of the set-up: what is in force, and a change that waits for a second person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from winddown.actors import Actor, require
from winddown.models import Approval
from winddown.set_up import beginning
from winddown.set_up.sections import SECTIONS, Row
from winddown.site import panels
from winddown.site.decisions import Decision, refused_to
from winddown.words import Text

VERBS: dict[str, tuple[Text, str]] = {
    "approve": (pgettext_lazy("verb", "Approve the change"), "danger"),
    "reject": (pgettext_lazy("verb", "Reject the change"), "plain-danger"),
}


@dataclass(frozen=True, slots=True)
class Request:
    """A change that waits, and what this person can decide about it."""

    approval: Approval
    decisions: list[Decision]

    @property
    def changes(self) -> list[str]:
        return list(self.approval.summary["changes"])

    @property
    def number(self) -> str:
        return self.approval.subject.partition(":")[2]

    @property
    def url(self) -> str:
        """The address before the verb."""
        return f"{reverse('console:set_up')}{self.number}/"

    def decision(self, verb: str) -> Decision:
        return next(each for each in self.decisions if each.verb == verb)


@dataclass(frozen=True, slots=True)
class SetUpPage:
    """What is in force by section, and the changes that wait."""

    sections: list[tuple[str, list[Row]]]
    waiting: list[Request]

    def request(self, number: int) -> Request | None:
        return next((each for each in self.waiting if each.number == str(number)), None)


def look(*, actor: Actor) -> SetUpPage:
    """Returns the page as `actor` sees it. Raises `NotPermitted` without the right to change it."""
    require(actor, beginning.PERMISSION, action="read the set-up")
    return SetUpPage(
        sections=[
            (name, [_shown(row) for row in section.present()])
            for name, section in SECTIONS.items()
            if section.present is not None
        ],
        waiting=[
            Request(each, list(_decisions(each, actor=actor))) for each in beginning.waiting()
        ],
    )


def _shown(row: Row) -> Row:
    """Returns the row as the page says it: a list without its brackets."""
    return {
        key: ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
        for key, value in row.items()
    }


def _decisions(asked: Approval, *, actor: Actor) -> Iterator[Decision]:
    refused = refused_to(asked, actor=actor)
    overtaken: Text = ""
    if beginning.is_overtaken(asked):
        overtaken = _("Something else is in force since: reject this request, and ask again.")
    for verb, (title, tone) in VERBS.items():
        why = refused or (overtaken if verb == "approve" else "")
        yield Decision(verb, title, tone, why, beginning.PERMISSION)


def change(actor: Actor, given: dict[str, Any]) -> None:
    """The change of the form waits for a second person."""
    beginning.ask(given["content"], actor=actor, reason=given["reason"])


def _page_of(subject: str) -> panels.SubjectPage:
    number = subject.partition(":")[2]
    return panels.SubjectPage(
        title=format_lazy("{} {}", _("Change of the set-up"), number),
        url=reverse("console:set_up"),
    )


panels.SUBJECTS.add(beginning.KIND, _page_of)
