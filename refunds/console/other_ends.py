"""The console's page of other ends."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_safe

from refunds.closing import other_end_page, unclaimed
from refunds.closing.other_end_page import OTHER_ENDS
from winddown.site.doors import DOORS, Door
from winddown.site.pages import actor_of, fresh_page, page, staff_page, verb_page


@require_safe
@staff_page
def other_ends(request: HttpRequest) -> HttpResponse:
    seen = other_end_page.look(actor=actor_of(request))
    return page(request, "refunds/other_ends.html", seen=seen)


@require_safe
@staff_page
def unclaimed_file(request: HttpRequest) -> HttpResponse:
    return HttpResponse(
        b"".join(unclaimed.content(actor=actor_of(request), reason="")),
        content_type="text/csv",
        headers={"Content-Disposition": 'attachment; filename="unclaimed.csv"'},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def other_ends_act(request: HttpRequest, verb: str) -> HttpResponse:
    return verb_page(request, verb, OTHER_ENDS, back="console:other_ends", crumb=_("Other ends"))


DOORS.add("console:other_ends", Door(title=_lazy("Other ends")), place=6)
DOORS.add("console:other_ends_act", Door())
DOORS.add("console:unclaimed_file", Door((unclaimed.PERMISSION,)))

urlpatterns = [
    path("other-ends/", other_ends, name="other_ends"),
    path("other-ends/unclaimed.csv", unclaimed_file, name="unclaimed_file"),
    path("other-ends/<slug:verb>/", other_ends_act, name="other_ends_act"),
]
