"""The console's page of the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_safe

from refunds.closing import closing_page, documents, papers
from refunds.closing.closing_page import CLOSING
from refunds.closing.papers import Paper
from refunds.closing.zipped import Zipped
from refunds.models import ClosingDocument, DeletionCertificate, PayoutBatch
from winddown.actors import Actor
from winddown.programme.evidence_files import File
from winddown.site.acts import Act
from winddown.site.doors import DOORS, Door
from winddown.site.pages import (
    actor_of,
    fresh_page,
    page,
    refusals_told,
    staff_page,
    stored_file,
    verb_page,
)


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


@require_safe
@staff_page
def batch_paper(request: HttpRequest, number: int) -> HttpResponse:
    batch = get_object_or_404(PayoutBatch, pk=number)
    return _paper_page(request, lambda: papers.of_batch(batch))


@require_safe
@staff_page
def merchant_paper(request: HttpRequest, key: str) -> HttpResponse:
    return _paper_page(request, lambda: papers.of_merchant(key))


@require_safe
@staff_page
def deletion_paper(request: HttpRequest, number: int) -> HttpResponse:
    certificate = get_object_or_404(DeletionCertificate, run_id=number)
    return _paper_page(request, lambda: papers.of_deletion(certificate))


def _paper_page(request: HttpRequest, make: Callable[[], Paper]) -> HttpResponse:
    made: list[Paper] = []
    with refusals_told(request):
        made.append(make())
    if not made:
        return redirect("console:closing")
    title = papers.TITLES[made[0].kind]
    return page(request, "refunds/paper.html", paper=made[0], title=title)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def closing_act(request: HttpRequest, verb: str) -> HttpResponse:
    known = {name: replace(act, do=_answered(act)) for name, act in CLOSING.items()}
    return verb_page(request, verb, known, back="console:closing", crumb=_("The end"))


def _answered(act: Act) -> Callable[[Actor, dict[str, Any]], object]:
    """Returns the deed of the act. What it exports, the browser saves."""

    def do(actor: Actor, given: dict[str, Any]) -> object:
        done = act.do(actor, given)
        if isinstance(done, Paper):
            return stored_file(File(name=done.file_name, content=done.content()))
        if isinstance(done, Zipped):
            return FileResponse(done.file, as_attachment=True, filename=done.name)
        return done

    return do


DOORS.add("console:closing", Door(title=_lazy("The end")), place=6)
DOORS.add("console:closing_act", Door())
DOORS.add("console:batch_paper", Door((papers.PERMISSION,)))
DOORS.add("console:merchant_paper", Door((papers.PERMISSION,)))
DOORS.add("console:deletion_paper", Door((papers.PERMISSION,)))
DOORS.add("console:closing_document", Door((documents.PERMISSION,)))

urlpatterns = [
    path("closing/", closing, name="closing"),
    path("closing/documents/<int:number>/", closing_document, name="closing_document"),
    path("closing/batches/<int:number>/", batch_paper, name="batch_paper"),
    path("closing/merchants/<path:key>/", merchant_paper, name="merchant_paper"),
    path("closing/deletions/<int:number>/", deletion_paper, name="deletion_paper"),
    path("closing/<slug:verb>/", closing_act, name="closing_act"),
]
