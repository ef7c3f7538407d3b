"""What unusual applications add to the pages: their requests, subjects and words."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from refunds.applications.unusual_acts import MODES, RULE_WORDS
from winddown import words
from winddown.site import panels
from winddown.site.panels import Change
from winddown.words import StateWord


@panels.CONTENTS.entry("unusual_rule")
def _rule_content(listed: dict[str, Any]) -> list[Change]:
    return [
        Change(_("Rule"), text=RULE_WORDS[listed["code"]]),
        Change(_("What it does"), text=MODES[listed["mode"]]),
        Change(_("From how many on"), listed["least"]),
        Change(_("Within so many hours"), listed["hours"]),
        Change(_("Source"), text=listed["source"]),
    ]


@panels.CONTENTS.entry("unusual")
def _clear_content(listed: dict[str, Any]) -> list[Change]:
    return [Change(RULE_WORDS[rule], size) for rule, size in listed["rules"].items()]


@panels.SUBJECTS.entry("unusual_rule")
def _rule_subject(subject: str) -> panels.SubjectPage:
    return panels.SubjectPage(
        title=format_lazy(_("Rule: {name}"), name=RULE_WORDS[subject.split(":")[1]]),
        url=reverse("console:unusual"),
    )


@panels.SUBJECTS.entry("unusual")
def _clear_subject(subject: str) -> panels.SubjectPage:
    title = _("Unusual application {number}")
    number = subject.split(":")[1]
    return panels.SubjectPage(
        title=format_lazy(title, number=number), url=reverse("console:application", args=[number])
    )


words.STATES.add(
    "unusual_rule", {code: StateWord(title, "wait") for code, title in RULE_WORDS.items()}
)
