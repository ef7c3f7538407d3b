"""The console's page of the end."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_safe

from refunds.closing import closing_page, documents
from refunds.closing.closing_page import CLOSING
from refunds.models import ClosingDocument
from winddown.site.doors import DOORS, Door
from winddown.site.pages import actor_of, fresh_page, page, staff_page, stored_file, verb_page


@require_safe
@staff_page
def closing(request: HttpRequest) -> HttpResponse:
    seen = closing_page.look(actor=actor_of(request))
    return page(request, "refunds/closing.html", seen=seen)


@require_safe
@staff_page
def closing_document(request: HttpRequest, number: int) -> HttpResponse:
    found = get_object_or_404(ClosingDocument.objects.select_related("evidence"), pk=number)
    return stored_file(documents.disclose(found, actor=actor_of(request)))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def closing_act(request: HttpRequest, verb: str) -> HttpResponse:
    return verb_page(request, verb, CLOSING, back="console:closing", crumb=_("The end"))


DOORS.add("console:closing", Door(title=_lazy("The end")), place=5)
DOORS.add("console:closing_act", Door())
DOORS.add("console:closing_document", Door((documents.PERMISSION,)))

urlpatterns = [
    path("closing/", closing, name="closing"),
    path("closing/documents/<int:number>/", closing_document, name="closing_document"),
    path("closing/<slug:verb>/", closing_act, name="closing_act"),
]
