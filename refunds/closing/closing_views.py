"""The console's page of the end."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_safe

from refunds.closing import closing_page
from refunds.closing.closing_page import CLOSING
from winddown.site.doors import DOORS, Door
from winddown.site.pages import actor_of, fresh_page, page, staff_page, verb_page


@require_safe
@staff_page
def closing(request: HttpRequest) -> HttpResponse:
    seen = closing_page.look(actor=actor_of(request))
    return page(request, "refunds/closing.html", seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def closing_act(request: HttpRequest, verb: str) -> HttpResponse:
    return verb_page(request, verb, CLOSING, back="console:closing", crumb=_("The end"))


DOORS.add("console:closing", Door(title=_lazy("The end")), place=5)
DOORS.add("console:closing_act", Door())

urlpatterns = [
    path("closing/", closing, name="closing"),
    path("closing/<slug:verb>/", closing_act, name="closing_act"),
]
