"""The console's pages of payout batches and of the breaks that the bank's answers left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_safe

from refunds.models import PayoutBatch
from refunds.payouts import payout_batches, payout_page
from refunds.payouts.payout_acts import BATCHES, BREAKS, EXPORT
from winddown.site import acts
from winddown.site.acts import Act
from winddown.site.doors import DOORS, Door
from winddown.site.pages import act_page, actor_of, fresh_page, page, staff_page


@require_safe
@staff_page
def payouts(request: HttpRequest) -> HttpResponse:
    seen = payout_page.batches()
    return page(request, "refunds/payouts.html", seen=seen)


@require_safe
@staff_page
def payout(request: HttpRequest, number: int) -> HttpResponse:
    found = get_object_or_404(PayoutBatch.objects.select_related("maker", "rejection"), pk=number)
    return page(
        request, "refunds/payout.html", seen=payout_page.batch(found, actor=actor_of(request))
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def payout_act(request: HttpRequest, verb: str) -> HttpResponse:
    export = replace(EXPORT, do=lambda actor, given: _file(EXPORT.do(actor, given)))
    known = {"export": export, **BATCHES}
    return _act(request, verb, known, back="console:payouts", crumb=_("Payout batches"))


@require_safe
@staff_page
def breaks(request: HttpRequest) -> HttpResponse:
    seen = payout_page.breaks(actor=actor_of(request))
    return page(request, "refunds/breaks.html", seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def break_act(request: HttpRequest, verb: str) -> HttpResponse:
    return _act(request, verb, BREAKS, back="console:breaks", crumb=_("Breaks"))


def _act(
    request: HttpRequest, verb: str, known: Mapping[str, Act], *, back: str, crumb: str
) -> HttpResponse:
    if verb not in known:
        raise Http404
    act = known[verb]
    return act_page(
        request,
        act,
        back=reverse(back),
        crumb=crumb,
        decision=acts.decision(verb, act, actor=actor_of(request)),
        initial={"number": request.GET.get("number", "")},
    )


def _file(batch: object) -> HttpResponse:
    if not isinstance(batch, PayoutBatch):
        raise AssertionError("an export is of a batch")
    return HttpResponse(
        payout_batches.content(batch),
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="{payout_batches.file_name(batch)}"',
        },
    )


_OF_PAYOUTS = (
    "refunds.make_payout_batch",
    "refunds.approve_payout_batch",
    "refunds.transmit_payout_batch",
    "refunds.reconcile",
    "winddown.read_audit",
)
DOORS.add("console:payouts", Door(_OF_PAYOUTS, title=_lazy("Payout batches")), place=5)
DOORS.add("console:payout", Door(_OF_PAYOUTS))
DOORS.add("console:payout_act", Door(_OF_PAYOUTS))
DOORS.add("console:breaks", Door(_OF_PAYOUTS, title=_lazy("Breaks")), place=5)
DOORS.add("console:break_act", Door(_OF_PAYOUTS))

urlpatterns = [
    path("payouts/", payouts, name="payouts"),
    path("payouts/<int:number>/", payout, name="payout"),
    path("payouts/<slug:verb>/", payout_act, name="payout_act"),
    path("breaks/", breaks, name="breaks"),
    path("breaks/<slug:verb>/", break_act, name="break_act"),
]
