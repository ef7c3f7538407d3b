"""What the lists of bank codes add to the pages: their words, and what two people decide about."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from winddown import words
from winddown.site import panels
from winddown.site.panels import Change
from winddown.words import StateWord


@panels.CONTENTS.entry("bank_dataset")
def _content(listed: dict[str, Any]) -> list[Change]:
    return [
        Change(_("New branches"), listed["new"]),
        Change(_("Branches with another name"), listed["changed"]),
        Change(_("Closed branches"), listed["closed"]),
    ]


@panels.SUBJECTS.entry("bank_dataset")
def _subject(subject: str) -> panels.SubjectPage:
    return panels.SubjectPage(title=_("List of bank codes"), url=reverse("console:bank_codes"))


words.STATES.add(
    "bank_code",
    {
        "new": StateWord(pgettext_lazy("branch", "New"), "on"),
        "changed": StateWord(pgettext_lazy("branch", "Another name"), "wait"),
        "closed": StateWord(pgettext_lazy("branch", "Closed"), "bad"),
    },
)
words.STATES.add(
    "bank_list",
    {
        "in_force": StateWord(pgettext_lazy("list of bank codes", "In force"), "on"),
        "kept": StateWord(pgettext_lazy("list of bank codes", "Not in force"), "off"),
    },
)
