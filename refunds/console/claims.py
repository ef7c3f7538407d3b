"""The console's page on which candidates are held."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from refunds.claims import holding
from refunds.forms import HoldForm
from winddown.site.doors import DOORS, Door
from winddown.site.pages import (
    actor_of,
    fresh_page,
    page,
    refusals_told,
    staff_page,
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


DOORS.add("console:hold_candidates", Door(permissions=("wallets.hold_wallet",)))

urlpatterns = [
    path("attack/hold/", hold_candidates, name="hold_candidates"),
]
