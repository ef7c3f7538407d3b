"""The console's pages of documents of applications."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_safe

from refunds.applications import document_page
from refunds.applications import documents as documents_rule
from refunds.applications.document_acts import DOCUMENTS
from winddown.site.doors import DOORS, Door
from winddown.site.pages import actor_of, fresh_page, page, staff_page, verb_page


@require_safe
@staff_page
def documents(request: HttpRequest) -> HttpResponse:
    seen = document_page.look(actor=actor_of(request))
    return page(request, "refunds/documents.html", seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def document_act(request: HttpRequest, verb: str) -> HttpResponse:
    return verb_page(request, verb, DOCUMENTS, back="console:documents", crumb=_("Documents"))


_OF_DOCUMENTS = (documents_rule.WORK,)
DOORS.add(
    "console:documents",
    Door(_OF_DOCUMENTS, title=_lazy("Documents"), under="console:applications"),
    place=5,
)
DOORS.add("console:document_act", Door(_OF_DOCUMENTS))

urlpatterns = [
    path("documents/", documents, name="documents"),
    path("documents/<slug:verb>/", document_act, name="document_act"),
]
