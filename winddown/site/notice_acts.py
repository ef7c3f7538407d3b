"""What people do with the public notice: its publications and corrections."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from winddown import words
from winddown.actors import Actor
from winddown.models import NoticePublication, Programme
from winddown.programme import notice_watch, publications
from winddown.site.acts import Act
from winddown.site.fields import EvidenceField, LocalInstantField, happened
from winddown.site.forms import ReasonForm, RowField, SayingField
from winddown.words import Text


class PublicationForm(ReasonForm):
    channel = forms.ChoiceField(label=_("Channel"), choices=list(words.CHANNELS.items()))
    place = SayingField(
        label=_("Where"),
        max_length=200,
        help_text=_("The newspaper and its page, the offices, the shops, the page of the app."),
    )
    url = forms.CharField(
        label=_("Public address"),
        required=False,
        max_length=2_000,
        help_text=_("Needed for the electronic notice: the address that everybody can read."),
    )
    began_at = LocalInstantField(
        label=pgettext_lazy("publication", "From"),
        between=happened,
        help_text=_("As 2019-10-01T00:00 in the programme's time zone."),
    )
    ended_at = LocalInstantField(
        label=pgettext_lazy("publication", "To"),
        between=happened,
        required=False,
        help_text=_("Empty: it goes on."),
    )
    evidence = EvidenceField(
        label=_("Evidence"),
        required=False,
        help_text=_(
            "A scan, a photograph, or the page. For the electronic notice: the file exactly as its"
            " address serves it."
        ),
    )
    replaces = RowField(
        NoticePublication,
        label=_("Corrects the publication"),
        missing=_("There is no publication of this number."),
        required=False,
        help_text=_("Its number. Without a file its evidence stays."),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        channel = given.get("channel")
        if channel == NoticePublication.Channel.ELECTRONIC and not given.get("url"):
            self.add_error("url", _("Give the address of the electronic notice."))
        # A field with an error of its own is not there.
        if {given.get("evidence", ""), given.get("replaces", "")} == {None}:
            self.add_error("evidence", _("Give the file that shows the publication."))
        began, ended = given.get("began_at"), given.get("ended_at")
        if began and ended and ended < began:
            self.add_error("ended_at", _("It ended before it began."))
        return given


def _facts() -> str:
    """Returns what the statement must say of each interruption that lacks a correction."""
    seen = notice_watch.meter()
    zone = Programme.current().zone
    lines = [
        _("From %(began)s to %(ended)s the notice was %(what)s.")
        % {
            "began": f"{each.began_at.astimezone(zone):%Y-%m-%d %H:%M %Z}",
            "ended": f"{each.ended_at.astimezone(zone):%Y-%m-%d %H:%M %Z}",
            "what": words.state_word("interruption", each.kind).word,
        }
        for each in (seen.uncorrected if seen else [])
        if each.ended_at is not None
    ]
    return "\n".join(map(str, lines))


class CorrectionForm(ReasonForm):
    statement = SayingField(
        label=_("Fact, time and content of the interruptions"),
        initial=_facts,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    evidence = EvidenceField(
        label=_("The notice with this statement"),
        help_text=_("The file exactly as the address serves it within the next hour."),
    )


def _attach(actor: Actor, given: dict[str, Any]) -> int:
    return notice_watch.attach_correction(
        actor=actor,
        reason=given["reason"],
        statement=given["statement"],
        file=given["evidence"],
    )


def _record(actor: Actor, given: dict[str, Any]) -> NoticePublication:
    return publications.record(
        actor=actor,
        reason=given["reason"],
        channel=given["channel"],
        place=given["place"],
        url=given["url"],
        began_at=given["began_at"],
        ended_at=given["ended_at"],
        file=given["evidence"],
        replaces=given["replaces"],
    )


def _no_notice() -> Text:
    return "" if publications.newest_notice() else _("There is no public notice yet.")


def _nothing_to_correct() -> Text:
    seen = notice_watch.meter()
    if seen is None or not seen.uncorrected:
        return _("No interruption lacks a correction.")
    if any(each.ended_at is None for each in seen.uncorrected):
        return _("The notice is interrupted now: bring it back first.")
    return ""


NOTICE: dict[str, Act] = {
    "record-publication": Act(
        title=pgettext_lazy("verb", "Record a publication"),
        effect=_(
            "The publication and its evidence are kept for good: a correction is a new record."
        ),
        permission="winddown.publish_notice",
        form=PublicationForm,
        do=_record,
        not_now=_no_notice,
    ),
    "attach-correction": Act(
        title=pgettext_lazy("verb", "Attach a correction"),
        effect=_(
            "The electronic notice carries the statement about every interruption that has ended."
            " Put the new file in place within the hour."
        ),
        permission="winddown.publish_notice",
        form=CorrectionForm,
        do=_attach,
        not_now=_nothing_to_correct,
    ),
}
