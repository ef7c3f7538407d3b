"""The console's pages of the application desk."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from refunds.applications import desk_page
from refunds.applications.desk_acts import DESK
from winddown.site.doors import DOORS, Door
from winddown.site.pages import actor_of, fresh_page, page, staff_page, verb_page


@require_safe
@staff_page
def applications(request: HttpRequest) -> HttpResponse:
    seen = desk_page.queue(request.GET, actor=actor_of(request))
    return page(request, "refunds/applications.html", seen=seen)


@require_safe
@staff_page
def application(request: HttpRequest, number: int) -> HttpResponse:
    seen = desk_page.one(number, actor=actor_of(request))
    if seen is None:
        raise Http404
    return page(request, "refunds/application.html", seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def applications_act(request: HttpRequest, verb: str) -> HttpResponse:
    return verb_page(
        request, verb, DESK, back="console:applications", crumb=_("Refund applications")
    )


_AT_THE_DESK = (
    "refunds.work_application",
    "refunds.decide_application",
    "refunds.approve_late_claim",
    "wallets.release_wallet",
    "refunds.make_payout_batch",
)
DOORS.add(
    "console:applications", Door(_AT_THE_DESK, title=pgettext_lazy("menu", "Applications")), place=5
)
DOORS.add("console:application", Door(_AT_THE_DESK))
DOORS.add("console:applications_act", Door())

urlpatterns = [
    path("applications/", applications, name="applications"),
    path("applications/<int:number>/", application, name="application"),
    path("applications/<slug:verb>/", applications_act, name="applications_act"),
]
