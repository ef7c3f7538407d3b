"""The console's pages about alarms: the list, an acknowledgement, and the duty addresses."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_safe

from winddown.alarms import sounding
from winddown.models import Alarm
from winddown.site import acts, alarms_page
from winddown.site.alarm_acts import DUTY
from winddown.site.doors import DOORS, Door
from winddown.site.forms import ReasonForm
from winddown.site.pages import act_page, actor_of, decision_page, fresh_page, page, staff_page


@require_safe
@staff_page
def alarms(request: HttpRequest) -> HttpResponse:
    return page(request, "winddown/alarms.html", seen=alarms_page.look(actor=actor_of(request)))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def acknowledge(request: HttpRequest, number: int) -> HttpResponse:
    alarm = get_object_or_404(Alarm, pk=number)
    return decision_page(
        request,
        "winddown/alarm_acknowledge.html",
        form=ReasonForm(request.POST or None),
        decision=alarms_page.decision(alarm, actor=actor_of(request)),
        act=lambda given: sounding.acknowledge(
            alarm, actor=actor_of(request), reason=given["reason"]
        ),
        back=reverse("console:alarms"),
        gone=_("Somebody acknowledged this alarm, or it ended."),
        row=alarms_page.rows([alarm])[0],
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def duty(request: HttpRequest, verb: str) -> HttpResponse:
    if verb not in DUTY:
        raise Http404
    act = DUTY[verb]
    return act_page(
        request,
        act,
        back=reverse("console:alarms"),
        crumb=_("Alarms"),
        decision=acts.decision(verb, act, actor=actor_of(request)),
    )


DOORS.add("console:alarms", Door(title=_lazy("Alarms")), place=4)
DOORS.add_all({"console:alarm_acknowledge": Door(), "console:duty": Door()})

urlpatterns = [
    path("alarms/", alarms, name="alarms"),
    path("alarms/<int:number>/acknowledge/", acknowledge, name="alarm_acknowledge"),
    path("alarms/duty/<slug:verb>/", duty, name="duty"),
]
