"""What people do about accounts of one person, as one declaration for command and page."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Person, PersonMatch
from accounts.persons import matching, merging
from winddown.site.acts import Act
from winddown.site.forms import ReasonForm, RowField, SayingField
from winddown.site.panels import number_in
from winddown.words import Text

SIGNALS: dict[str, Text] = {
    PersonMatch.Signal.KANA: _("Name in kana"),
    PersonMatch.Signal.BIRTH_DATE: _("Birth date"),
    PersonMatch.Signal.TELEPHONE: _("Telephone"),
}


class NameForm(ReasonForm):
    accounts = SayingField(
        label=_("Customers' accounts"),
        max_length=2_000,
        help_text=_("As the look-up names them, with spaces between: account:12 account:31."),
    )

    def clean_accounts(self) -> list[int]:
        words = re.split(r"[\s,]+", self.cleaned_data["accounts"].strip())
        numbers = [number_in(word, "account") for word in words]
        if None in numbers:
            raise ValidationError(_("Write each account like account:12."))
        return [number for number in numbers if number is not None]


class _EvidenceForm(ReasonForm):
    evidence = SayingField(
        label=_("Evidence"),
        max_length=200,
        help_text=_("What shows it: a file number, a call, a document. No name."),
    )


class MatchForm(ReasonForm):
    match = RowField(
        PersonMatch,
        label=_("Number of the match"),
        missing=_("There is no match of this number."),
    )


class MergeForm(MatchForm, _EvidenceForm):
    field_order = ("match", "evidence", "reason")


class UndoForm(_EvidenceForm):
    field_order = ("person", "evidence", "reason")
    person = RowField(
        Person,
        label=_("Number of the person"),
        missing=_("There is no person of this number."),
    )


PERSONS: dict[str, Act] = {
    "find": Act(
        title=pgettext_lazy("verb", "Look for accounts of one person"),
        effect=_("Accounts with equal signals are proposed. Nothing else changes."),
        permission=matching.PERMISSION,
        do=lambda actor, given: matching.find(actor=actor, reason=given["reason"]),
    ),
    "name": Act(
        title=pgettext_lazy("verb", "Propose accounts as one person's"),
        effect=_("They are on the list. Two of their signals must be equal."),
        permission=matching.PERMISSION,
        form=NameForm,
        do=lambda actor, given: matching.name(
            given["accounts"], actor=actor, reason=given["reason"]
        ),
    ),
    "merge": Act(
        title=pgettext_lazy("verb", "Ask to merge accounts into one person"),
        effect=_(
            "If a second person agrees, limits, blocks, reminders and counts take them as one."
            " Each account keeps its own refund and its own payee."
        ),
        permission=matching.PERMISSION,
        form=MergeForm,
        do=lambda actor, given: merging.ask_merge(
            given["match"], evidence=given["evidence"], actor=actor, reason=given["reason"]
        ),
    ),
    "apart": Act(
        title=pgettext_lazy("verb", "Keep accounts apart"),
        effect=_("They are not one person's: the match is not proposed any more."),
        permission=matching.PERMISSION,
        form=MatchForm,
        do=lambda actor, given: merging.keep_apart(
            given["match"], actor=actor, reason=given["reason"]
        ),
    ),
    "undo": Act(
        title=pgettext_lazy("verb", "Ask to take a person's accounts apart"),
        effect=_("If a second person agrees, everything stands as before the merge."),
        permission=matching.PERMISSION,
        form=UndoForm,
        do=lambda actor, given: merging.ask_undo(
            given["person"], evidence=given["evidence"], actor=actor, reason=given["reason"]
        ),
        tone="danger",
    ),
}
