from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_safe

from refunds.models import PayoutView, PayoutViewPart
from refunds.payouts import view_lists, view_page
from refunds.payouts.view_page import VIEWS
from winddown.site.doors import DOORS, Door
from winddown.site.pages import actor_of, fresh_page, page, staff_page, verb_page


@require_safe
@staff_page
def payout_view_pages(request: HttpRequest) -> HttpResponse:
    seen = view_page.look(actor=actor_of(request))
    return page(request, "refunds/payout_views.html", seen=seen)


@require_safe
@staff_page
def payout_view_file(request: HttpRequest, number: int, name: str) -> HttpResponse:
    found = get_object_or_404(PayoutView, pk=number)
    if name not in PayoutViewPart.List.values:
        raise Http404
    view = view_lists.open_again(found.pk, actor=actor_of(request))
    return HttpResponse(
        b"".join(view.pieces(name)),
        content_type="text/csv",
        headers={
            "Content-Disposition": f'attachment; filename="{view_lists.file_name(view, name)}"',
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def payout_view_act(request: HttpRequest, verb: str) -> HttpResponse:
    return verb_page(request, verb, VIEWS, back="console:payout_views", crumb=_("Payout views"))


DOORS.add(
    "console:payout_views", Door((view_lists.PERMISSION,), title=_lazy("Payout views")), place=5
)
DOORS.add("console:payout_view_file", Door((view_lists.PERMISSION,)))
DOORS.add("console:payout_view_act", Door((view_lists.PERMISSION,)))

urlpatterns = [
    path("payout-views/", payout_view_pages, name="payout_views"),
    path("payout-views/<int:number>/<slug:name>/", payout_view_file, name="payout_view_file"),
    path("payout-views/<slug:verb>/", payout_view_act, name="payout_view_act"),
]
