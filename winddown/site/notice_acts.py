"""What people do with the public notice: its publications."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from winddown import words
from winddown.actors import Actor
from winddown.models import NoticeEvidence, NoticePublication
from winddown.programme import publications
from winddown.programme.publications import File
from winddown.site.acts import Act
from winddown.site.fields import LocalInstantField
from winddown.site.forms import ReasonForm, SayingField


class EvidenceField(forms.FileField):
    """A file that shows a publication, small enough to be kept."""

    def clean(self, data: Any, initial: Any = None) -> File | None:
        given = super().clean(data, initial)
        if not given:
            return None
        if given.size > NoticeEvidence.BYTES_MAX:
            raise ValidationError(
                _("The file is larger than %(most)s MiB."),
                params={"most": NoticeEvidence.BYTES_MAX // 2**20},
            )
        return File(name=given.name, content=given.read())


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
        help_text=_("As 2019-10-01T00:00 in the programme's time zone."),
    )
    ended_at = LocalInstantField(
        label=pgettext_lazy("publication", "To"),
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
    replaces = forms.IntegerField(
        label=_("Corrects the publication"),
        required=False,
        min_value=1,
        max_value=2**62,
        help_text=_("Its number. Without a file its evidence stays."),
    )

    def clean_replaces(self) -> NoticePublication | None:
        number = self.cleaned_data["replaces"]
        if number is None:
            return None
        found = NoticePublication.objects.filter(pk=number).first()
        if found is None:
            raise ValidationError(_("There is no publication of this number."))
        return found

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


NOTICE: dict[str, Act] = {
    "record-publication": Act(
        title=pgettext_lazy("verb", "Record a publication"),
        effect=_(
            "The publication and its evidence are kept for good: a correction is a new record."
        ),
        permission="winddown.publish_notice",
        form=PublicationForm,
        do=_record,
    ),
}
