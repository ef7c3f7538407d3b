"""Drafting an announcement, its preview, and its pages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from winddown.models import Announcement, Approval
from winddown.programme import announcements
from winddown.site import panels
from winddown.site.acts import Act
from winddown.site.forms import ReasonForm, SayingField

KINDS = {
    "banner": _("Announcement on the portal"),
    "policy": _("Policy on compensating unauthorised use"),
    "merchant": _("Notice to merchants"),
}
_NAMES = _(
    "In braces: {service}, {phone}, {working}, {stopped}, {spend_ends}, {window_ends}. They follow"
    " the switches and the programme."
)


class AnnouncementForm(ReasonForm):
    kind = forms.ChoiceField(label=_("Text"), choices=list(KINDS.items()))
    title_ja = SayingField(label=_("Title in Japanese"), max_length=200)
    body_ja = SayingField(
        label=_("Text in Japanese"), widget=forms.Textarea(attrs={"rows": 5}), help_text=_NAMES
    )
    title_en = SayingField(label=_("Title in English"), max_length=200)
    body_en = SayingField(label=_("Text in English"), widget=forms.Textarea(attrs={"rows": 5}))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        for name in ("title_ja", "body_ja", "title_en", "body_en"):
            if unknown := announcements.unknown_places(given.get(name, "")):
                self.add_error(
                    name,
                    ValidationError(
                        _("Nothing fills these names in braces: %(names)s."),
                        params={"names": ", ".join(unknown)},
                    ),
                )
        return given


DRAFT: dict[str, Act] = {
    "draft-announcement": Act(
        title=pgettext_lazy("verb", "Draft an announcement"),
        effect=_("A second person reads the preview in both languages and decides."),
        permission=announcements.PERMISSION,
        form=AnnouncementForm,
        do=lambda actor, given: announcements.draft(
            actor=actor,
            **{name: given[name] for name in AnnouncementForm.base_fields if name != "digest"},
        ),
    ),
}


class Standing(StrEnum):
    """Whether a version can be read by the public."""

    WAITS = "waits"
    RELEASED = "released"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class AnnouncementPage:
    """One version, in both languages as it would be read now."""

    announcement: Announcement
    previews: list[tuple[str, announcements.Shown]]
    waiting: Approval | None
    standing: Standing

    @property
    def title(self) -> Any:
        return KINDS[self.announcement.kind]


def look(announcement: Announcement) -> AnnouncementPage:
    """Returns the page of the version."""
    asked = announcements.waiting(announcement)
    previews = [
        (language, announcements.filled(announcement, language))
        for language in announcements.LANGUAGES
    ]
    released = Standing.RELEASED if previews[0][1].released_at else Standing.REJECTED
    return AnnouncementPage(
        announcement=announcement,
        previews=previews,
        waiting=asked,
        standing=Standing.WAITS if asked else released,
    )


def all_versions() -> list[AnnouncementPage]:
    """Returns every version, the newest first."""
    found = Announcement.objects.select_related("release").order_by("-pk")
    return [look(each) for each in found]


@panels.SUBJECTS.entry(announcements.KIND)
def _page_of(subject: str) -> panels.SubjectPage:
    number = subject.partition(":")[2]
    return panels.SubjectPage(
        title=format_lazy("{} {}", _("Announcement"), number),
        url=reverse("console:announcement", args=[number]),
    )
