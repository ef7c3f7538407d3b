"""The page of the set-up: what is in force, and a change that waits for a second person."""

from __future__ import annotations

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
class SetUpPage:
    """What is in force by section, and the change that waits."""

    sections: list[tuple[str, list[Row]]]
    waiting: Approval | None
    decisions: list[Decision]

    @property
    def changes(self) -> list[str]:
        return list(self.waiting.summary["changes"]) if self.waiting else []

    @property
    def number(self) -> str:
        return self.waiting.subject.partition(":")[2] if self.waiting else ""

    def decision(self, verb: str) -> Decision | None:
        return next((each for each in self.decisions if each.verb == verb), None)


def look(*, actor: Actor) -> SetUpPage:
    """Returns the page as `actor` sees it. Raises `NotPermitted` without the right to change it."""
    require(actor, beginning.PERMISSION, action="read the set-up")
    waiting = beginning.waiting()
    refused = refused_to(waiting, actor=actor) if waiting else ""
    return SetUpPage(
        sections=[
            (name, list(section.present()))
            for name, section in SECTIONS.items()
            if section.present is not None
        ],
        waiting=waiting,
        decisions=[
            Decision(verb, title, tone, refused, beginning.PERMISSION)
            for verb, (title, tone) in VERBS.items()
            if waiting is not None
        ],
    )


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
