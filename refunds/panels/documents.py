"""What documents of applications add to the pages: the words of their states."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from winddown import words
from winddown.words import StateWord

words.REFUSALS.add("DocumentRefused", _("The file cannot be taken: {why}"))
words.STATES.add(
    "application_document",
    {
        "missing": StateWord(pgettext_lazy("document", "Missing"), "wait"),
        "received": StateWord(pgettext_lazy("document", "To be checked"), "wait"),
        "accepted": StateWord(pgettext_lazy("document", "Accepted"), "on"),
        "refused": StateWord(pgettext_lazy("document", "Refused"), "bad"),
    },
)
