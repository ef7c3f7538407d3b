"""The console's pages of unusual applications."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_safe

from refunds.applications import unusual as unusual_rule
from refunds.applications import unusual_page
from refunds.applications.unusual_acts import UNUSUAL
from winddown.site.doors import DOORS, Door
from winddown.site.pages import actor_of, fresh_page, page, staff_page, verb_page


@require_safe
@staff_page
def unusual(request: HttpRequest) -> HttpResponse:
    seen = unusual_page.look(actor=actor_of(request))
    return page(request, "refunds/unusual.html", seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def unusual_act(request: HttpRequest, verb: str) -> HttpResponse:
    return verb_page(
        request, verb, UNUSUAL, back="console:unusual", crumb=_("Unusual applications")
    )


_OF_UNUSUAL = (unusual_rule.FIND, unusual_rule.DECIDE)
DOORS.add(
    "console:unusual",
    Door(_OF_UNUSUAL, title=_lazy("Unusual applications"), under="console:applications"),
    place=5,
)
DOORS.add("console:unusual_act", Door(_OF_UNUSUAL))

urlpatterns = [
    path("unusual/", unusual, name="unusual"),
    path("unusual/<slug:verb>/", unusual_act, name="unusual_act"),
]
