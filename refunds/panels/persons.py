"""What persons above accounts add to the pages: their requests, subjects and states."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from refunds.applications.person_acts import SIGNALS
from winddown import words
from winddown.site import panels
from winddown.site.panels import Change
from winddown.words import StateWord


@panels.CONTENTS.entry("person_match")
def _merge_content(listed: dict[str, Any]) -> list[Change]:
    equal = gettext(", ").join(str(SIGNALS[each]) for each in listed["signals"])
    return [
        Change(_("Accounts"), text=_accounts(listed)),
        Change(_("What is equal"), text=equal or "–"),
        Change(_("Evidence"), text=listed["evidence"]),
    ]


@panels.CONTENTS.entry("person")
def _undo_content(listed: dict[str, Any]) -> list[Change]:
    return [
        Change(_("Accounts"), text=_accounts(listed)),
        Change(_("Evidence"), text=listed["evidence"]),
    ]


def _accounts(listed: dict[str, Any]) -> str:
    return " ".join(f"account:{number}" for number in listed["accounts"])


@panels.SUBJECTS.entry("person_match")
def _match_subject(subject: str) -> panels.SubjectPage:
    title = _("Merge of the accounts of match {number}")
    return panels.SubjectPage(
        title=format_lazy(title, number=subject.split(":")[1]), url=reverse("console:persons")
    )


@panels.SUBJECTS.entry("person")
def _person_subject(subject: str) -> panels.SubjectPage:
    number = subject.split(":")[1]
    return panels.SubjectPage(
        title=format_lazy(_("Person {number}"), number=number),
        url=reverse("console:person", args=[number]),
    )


words.STATES.add(
    "person_match",
    {
        "open": StateWord(pgettext_lazy("match", "To be decided"), "wait"),
        "waiting": StateWord(_("Waiting for approval"), "wait"),
        "merged": StateWord(pgettext_lazy("match", "Merged"), "on"),
        "apart": StateWord(pgettext_lazy("match", "Apart"), "off"),
        "undone": StateWord(pgettext_lazy("match", "Apart again"), "off"),
    },
)
