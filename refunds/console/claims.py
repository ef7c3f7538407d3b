"""The console's pages of the claims desk and of the issuer desk."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from refunds.claims import desk_page, exposure_page, figures_page, holding, ways_page
from refunds.claims.desk_acts import DESK
from refunds.forms import HoldForm
from refunds.remedies import desk_page as issuer_page
from refunds.remedies.desk_acts import DESK as ISSUER_DESK
from winddown.site.doors import DOORS, Door
from winddown.site.pages import (
    actor_of,
    fresh_page,
    page,
    refusals_told,
    staff_page,
    verb_page,
)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def hold_candidates(request: HttpRequest) -> HttpResponse:
    chosen = list(holding.candidates())
    form = HoldForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_told(request):
            held = holding.hold_candidates(
                chosen,
                actor=actor_of(request),
                reason=form.cleaned_data["reason"],
                whole=form.cleaned_data["extent"] == "whole",
            )
            said = ngettext("%(n)s wallet held.", "%(n)s wallets held.", held)
            messages.success(request, said % {"n": f"{held:,}"})
        return redirect("console:attack")
    plans = {"part": holding.plan_hold(chosen), "whole": holding.plan_hold(chosen, whole=True)}
    return page(request, "refunds/hold_candidates.html", form=form, plans=plans)


@require_safe
@staff_page
def claims(request: HttpRequest) -> HttpResponse:
    seen = desk_page.queue(request.GET, actor=actor_of(request))
    return page(request, "refunds/claims.html", seen=seen)


@require_safe
@staff_page
def claim(request: HttpRequest, number: int) -> HttpResponse:
    seen = desk_page.one(number, actor=actor_of(request))
    if seen is None:
        raise Http404
    return page(request, "refunds/claim.html", seen=seen)


@require_safe
@staff_page
def ways_in(request: HttpRequest) -> HttpResponse:
    seen = ways_page.look(request.GET.get("way", ""), actor=actor_of(request))
    return page(request, "refunds/ways_in.html", seen=seen)


@require_safe
@staff_page
def exposure(request: HttpRequest) -> HttpResponse:
    seen = exposure_page.look(request.GET.get("of", ""), actor=actor_of(request))
    return page(request, "refunds/exposure.html", seen=seen)


@require_safe
@staff_page
def figures(request: HttpRequest) -> HttpResponse:
    seen = figures_page.look(request.GET, actor=actor_of(request))
    return page(request, "refunds/figures.html", seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def claims_act(request: HttpRequest, verb: str) -> HttpResponse:
    return verb_page(request, verb, DESK, back="console:claims", crumb=_("Fraud claims"))


@require_safe
@staff_page
def issuers(request: HttpRequest) -> HttpResponse:
    seen = issuer_page.queue(request.GET, actor=actor_of(request))
    return page(request, "refunds/issuers.html", seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def issuers_act(request: HttpRequest, verb: str) -> HttpResponse:
    return verb_page(request, verb, ISSUER_DESK, back="console:issuers", crumb=_("Card issuers"))


_AT_THE_DESK = (
    "refunds.report_claim",
    "refunds.work_claim",
    "refunds.decide_claim",
    "refunds.reopen_claim",
)
_WITH_ISSUERS = (
    "refunds.draft_issuer_action",
    "refunds.send_issuer_action",
    "refunds.approve_issuer_action",
)
DOORS.add("console:hold_candidates", Door(permissions=("wallets.hold_wallet",)))
DOORS.add("console:claims", Door(_AT_THE_DESK, title=pgettext_lazy("menu", "Claims")), place=4)
DOORS.add("console:claim", Door(_AT_THE_DESK))
DOORS.add(
    "console:ways_in",
    Door(_AT_THE_DESK, title=pgettext_lazy("menu", "Ways in"), under="console:claims"),
)
DOORS.add(
    "console:exposure",
    Door(_AT_THE_DESK, title=pgettext_lazy("menu", "Exposure"), under="console:claims"),
)
DOORS.add(
    "console:figures",
    Door(_AT_THE_DESK, title=pgettext_lazy("menu", "Figures"), under="console:claims"),
)
DOORS.add("console:claims_act", Door())
DOORS.add("console:issuers", Door(_WITH_ISSUERS, title=pgettext_lazy("menu", "Issuers")), place=4)
DOORS.add("console:issuers_act", Door())

urlpatterns = [
    path("attack/hold/", hold_candidates, name="hold_candidates"),
    path("claims/", claims, name="claims"),
    path("claims/<int:number>/", claim, name="claim"),
    path("claims/ways-in/", ways_in, name="ways_in"),
    path("claims/exposure/", exposure, name="exposure"),
    path("claims/figures/", figures, name="figures"),
    path("claims/<slug:verb>/", claims_act, name="claims_act"),
    path("issuers/", issuers, name="issuers"),
    path("issuers/<slug:verb>/", issuers_act, name="issuers_act"),
]
