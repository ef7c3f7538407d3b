"""The console's pages about what everybody is told: announcements, evidence, the poster."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_safe

from winddown.models import Announcement, Milestone, NoticePublication
from winddown.programme import announcements, evidence_files, publications
from winddown.site import announcement_acts
from winddown.site.doors import DOORS, Door
from winddown.site.pages import actor_of, page, staff_page, stored_file


@require_safe
@staff_page
def notice_evidence(request: HttpRequest, number: int) -> HttpResponse:
    get_object_or_404(NoticePublication, pk=number)
    found = publications.disclose_evidence(number, actor=actor_of(request))
    return stored_file(found)


@require_safe
@staff_page
def announcement_list(request: HttpRequest) -> HttpResponse:
    return page(request, "winddown/announcements.html", versions=announcement_acts.all_versions())


@require_safe
@staff_page
def announcement(request: HttpRequest, number: int) -> HttpResponse:
    found = get_object_or_404(Announcement, pk=number)
    return page(request, "winddown/announcement.html", seen=announcement_acts.look(found))


@require_safe
@staff_page
def poster(request: HttpRequest) -> HttpResponse:
    """A page to print for the shops: the poster and the text at the till, in both languages."""
    return page(
        request,
        "winddown/poster.html",
        notice=publications.newest_notice(),
        spend_ends=Milestone.objects.filter(kind=Milestone.Kind.SPEND_ENDS).first(),
        languages=announcements.LANGUAGES,
    )


DOORS.add_all(
    {
        "console:notice_evidence": Door(permissions=(evidence_files.READ,)),
        "console:announcement": Door(),
        "console:poster": Door(),
    }
)
DOORS.add("console:announcements", Door(title=_lazy("Announcements")), place=4)

urlpatterns = [
    path("announcements/", announcement_list, name="announcements"),
    path("announcements/<int:number>/", announcement, name="announcement"),
    path("notice/evidence/<int:number>/", notice_evidence, name="notice_evidence"),
    path("notice/poster/", poster, name="poster"),
]
