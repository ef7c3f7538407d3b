"""The portal at /: for everybody what happens to the service, for signed-in customers also what is
theirs.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from winddown.models import Announcement, Milestone, Programme, PublicNotice
from winddown.programme import announcements, offer
from winddown.site import doors, incident_page, panels
from winddown.site.pages import page


@require_safe
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    programme = Programme.objects.filter(pk=1).first()
    if request.user.is_authenticated and request.user.kind == "staff":
        return redirect(doors.start_of(request.user) if programme else "console:incident")
    if programme is None:
        return page(request, "winddown/home_none.html")
    shown = _for_everybody(programme)
    if not request.user.is_authenticated:
        return page(request, "winddown/home_public.html", programme=programme, **shown)
    shown["panels"] = panels.home_panels(request.user)
    previous = request.session.get("previous_sign_in")
    shown["previous_sign_in"] = dt.datetime.fromisoformat(previous) if previous else None
    return page(request, "winddown/home.html", programme=programme, **shown)


def _for_everybody(programme: Programme) -> dict[str, Any]:
    """Returns what the page tells everybody: the time, the deadlines, what still works."""
    moment = incident_page.now()
    deadlines = list(Milestone.objects.order_by("at"))
    standings = offer.standings(at=moment.at, deadlines=deadlines)
    offers = offer.offers(programme, standings, deadlines=deadlines)
    return {
        "now": moment,
        "rehearsal": moment.rehearsal,
        "deadlines": deadlines,
        "offers": offers,
        "stopped": any(each.state == "off" for each in offers),
        "banner": announcements.shown(Announcement.Kind.BANNER, _language()),
        "has_policy": announcements.released(Announcement.Kind.POLICY).exists(),
        "notice": PublicNotice.objects.order_by("-pk").first(),
    }


@require_safe
@never_cache
def compensation(request: HttpRequest, version: int | None = None) -> HttpResponse:
    """The policy on compensating unauthorised use, and its earlier versions."""
    versions = list(announcements.released(Announcement.Kind.POLICY))
    chosen = [each for each in versions if version in (None, each.version)]
    if version is not None and not chosen:
        raise Http404
    policy = announcements.filled(chosen[0], _language()) if chosen else None
    return page(request, "winddown/compensation.html", policy=policy, versions=versions)


def _language() -> str:
    language = get_language() or "ja"
    return language if language in announcements.LANGUAGES else "ja"


urlpatterns = [
    path("", home, name="home"),
    path("compensation/", compensation, name="compensation"),
    path("compensation/<int:version>/", compensation, name="compensation_version"),
]
