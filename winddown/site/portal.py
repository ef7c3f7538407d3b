"""The portal at /: for everybody what happens to the service, for signed-in customers also what is
theirs.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from winddown.models import Milestone, Programme, PublicNotice
from winddown.programme import offer
from winddown.site import doors, incident_page, panels
from winddown.site.pages import page


@require_safe
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    programme = Programme.objects.filter(pk=1).first()
    if programme is None:
        return page(request, "winddown/home_none.html")
    if request.user.is_authenticated and request.user.kind == "staff":
        return redirect(doors.start_of(request.user))
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
        "notice": PublicNotice.objects.order_by("-pk").first(),
    }


urlpatterns = [path("", home, name="home")]
