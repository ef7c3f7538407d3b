"""The console's pages of filings: what is due, one filing, and what is done with it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_safe

from winddown.models import FilingReceipt
from winddown.programme import evidence_files, filing_duties
from winddown.programme import filings as domain
from winddown.programme.filing_duties import Due
from winddown.programme.filing_kinds import KINDS
from winddown.site import filing_page
from winddown.site.doors import DOORS, Door
from winddown.site.filing_forms import ReceiptForm, write_form
from winddown.site.filing_page import FilingPage
from winddown.site.forms import ReasonForm
from winddown.site.pages import actor_of, decision_page, fresh_page, page, staff_page, stored_file


@require_safe
@staff_page
def filings(request: HttpRequest) -> HttpResponse:
    filing_page.require_sight(actor_of(request))
    return page(request, "winddown/filings.html", lines=filing_page.lines())


@require_safe
@staff_page
def filing(request: HttpRequest, key: str) -> HttpResponse:
    due = _due(request, key)
    number = request.GET.get("version", "")
    chosen = int(number) if number.isdecimal() and len(number) < 7 else None
    seen = filing_page.look(due, actor=actor_of(request), number=chosen)
    return page(request, "winddown/filing.html", seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def filing_act(request: HttpRequest, key: str, verb: str) -> HttpResponse:
    due = _due(request, key)
    if verb not in filing_page.ACTS:
        raise Http404
    seen = filing_page.look(due, actor=actor_of(request))
    return decision_page(
        request,
        "winddown/filing_act.html",
        form=_form(request, verb, seen),
        decision=seen.decision(verb),
        act=lambda given: filing_page.ACTS[verb](due, actor_of(request), given),
        back=reverse("console:filing", args=[key]),
        gone=_("The filing is no longer in a state in which this is possible."),
        about=due.full_title,
        seen=seen,
    )


@require_safe
@staff_page
def filing_evidence(request: HttpRequest, number: int) -> HttpResponse:
    receipts = FilingReceipt.objects.select_related("version__filing", "evidence")
    found = get_object_or_404(receipts, pk=number)
    return stored_file(domain.disclose_evidence(found, actor=actor_of(request)))


def _due(request: HttpRequest, key: str) -> Due:
    filing_page.require_sight(actor_of(request))
    found = filing_duties.find(key)
    if found is None:
        raise Http404
    return found


def _form(request: HttpRequest, verb: str, seen: FilingPage) -> ReasonForm:
    given = request.POST or None
    if verb == "write":
        before = seen.version.sections if seen.version else {}
        return write_form(KINDS[seen.due.kind])(given, initial=before)
    if verb == "file":
        return ReceiptForm(given, request.FILES or None)
    return ReasonForm(given)


DOORS.add("console:filings", Door(filing_page.MAY_READ, title=_lazy("Filings")), place=1)
DOORS.add("console:filing", Door(filing_page.MAY_READ))
DOORS.add("console:filing_evidence", Door(permissions=(evidence_files.READ,)))
DOORS.add("console:filing_act", Door(filing_page.MAY_READ))
urlpatterns = [
    path("filings/", filings, name="filings"),
    path("filings/evidence/<int:number>/", filing_evidence, name="filing_evidence"),
    path("filings/<str:key>/", filing, name="filing"),
    path("filings/<str:key>/<slug:verb>/", filing_act, name="filing_act"),
]
