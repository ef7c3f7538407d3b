"""The console's pages about the set-up: what is in force, a change of it, and its decision."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_safe

from winddown.set_up import beginning, writing
from winddown.site import set_up_page
from winddown.site.decisions import Decision
from winddown.site.doors import DOORS, Door
from winddown.site.forms import ReasonForm, SetUpForm
from winddown.site.pages import actor_of, decision_page, fresh_page, page, staff_page


@require_safe
@staff_page
def set_up(request: HttpRequest) -> HttpResponse:
    seen = set_up_page.look(actor=actor_of(request))
    return page(request, "winddown/set_up.html", seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def set_up_change(request: HttpRequest) -> HttpResponse:
    set_up_page.look(actor=actor_of(request))
    return decision_page(
        request,
        "winddown/set_up_change.html",
        form=SetUpForm(request.POST or None, initial={"content": writing.in_force()}),
        decision=Decision(
            verb="change",
            title=_("Change the set-up"),
            tone="main",
            permission=beginning.PERMISSION,
        ),
        act=lambda given: set_up_page.change(actor_of(request), given),
        back=reverse("console:set_up"),
        gone="",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def set_up_decide(request: HttpRequest, number: int, verb: str) -> HttpResponse:
    if verb not in set_up_page.VERBS:
        raise Http404
    asked = set_up_page.look(actor=actor_of(request)).request(number)
    return decision_page(
        request,
        "winddown/set_up_decide.html",
        form=ReasonForm(
            request.POST or None,
            initial={"digest": asked.approval.digest if asked else ""},
        ),
        decision=asked.decision(verb) if asked else None,
        act=lambda given: beginning.decide(
            str(number),
            actor=actor_of(request),
            digest=given["digest"],
            reason=given["reason"],
            approve=verb == "approve",
        ),
        back=reverse("console:set_up"),
        gone=_("Nothing waits for a decision here any more."),
        asked=asked,
    )


_OF_SET_UP = (beginning.PERMISSION,)
DOORS.add("console:set_up", Door(_OF_SET_UP, title=_lazy("Set-up")), place=6)
DOORS.add("console:set_up_change", Door(_OF_SET_UP))
DOORS.add("console:set_up_decide", Door(_OF_SET_UP))

urlpatterns = [
    path("set-up/", set_up, name="set_up"),
    path("set-up/change/", set_up_change, name="set_up_change"),
    path("set-up/<int:number>/<slug:verb>/", set_up_decide, name="set_up_decide"),
]
