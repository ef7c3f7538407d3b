"""The console's page of a reset of all passwords, and the files that leave from it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts import carrier_files
from accounts.reset_notices import reset_page
from accounts.reset_notices.reset_acts import DOWNLOADS, RESET
from winddown.site import acts
from winddown.site.doors import DOORS, Door
from winddown.site.pages import act_page, actor_of, fresh_page, page, staff_page


@require_safe
@staff_page
def reset(request: HttpRequest) -> HttpResponse:
    return page(request, "accounts/reset.html", seen=reset_page.look(actor=actor_of(request)))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def reset_act(request: HttpRequest, verb: str) -> HttpResponse:
    known = RESET | DOWNLOADS
    if verb not in known:
        raise Http404
    act = known[verb]
    return act_page(
        request,
        act,
        back=reverse("console:reset"),
        crumb=_("Reset of all passwords"),
        decision=acts.decision(verb, act, actor=actor_of(request)),
        initial={"number": request.GET.get("number", "")},
    )


_OF_RESET = ("accounts.fence_credentials", carrier_files.PERMISSION)
DOORS.add("console:reset", Door(_OF_RESET, title=_lazy("Reset")), place=3)
DOORS.add("console:reset_act", Door(_OF_RESET))

urlpatterns = [
    path("reset/", reset, name="reset"),
    path("reset/<slug:verb>/", reset_act, name="reset_act"),
]
