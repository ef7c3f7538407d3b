"""The console's page on which the files of a restored database are confirmed."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_safe

from refunds.payouts import restored_page, sent_files
from winddown.actors import Actor
from winddown.site.doors import DOORS, Door
from winddown.site.forms import ReasonForm
from winddown.site.pages import (
    actor_of,
    decision_page,
    fresh_page,
    page,
    staff_page,
)


@require_safe
@staff_page
def restored(request: HttpRequest) -> HttpResponse:
    seen = restored_page.look(actor=actor_of(request))
    return page(request, "refunds/restored.html", seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def restored_decide(request: HttpRequest, verb: str) -> HttpResponse:
    if verb not in ("ask", "approve", "reject"):
        raise Http404
    seen = restored_page.look(actor=actor_of(request))
    asked = seen.asked if verb != "ask" else None
    return decision_page(
        request,
        "refunds/restored_decide.html",
        form=ReasonForm(request.POST or None, initial={"digest": asked.digest if asked else ""}),
        decision=seen.decision(verb),
        act=lambda given: _decide_restored(verb, actor=actor_of(request), given=given),
        back=reverse("console:restored"),
        gone=_("Nothing waits for a decision here any more."),
        seen=seen,
        asked=asked,
    )


def _decide_restored(verb: str, *, actor: Actor, given: dict[str, Any]) -> None:
    if verb == "ask":
        sent_files.ask(actor=actor, reason=given["reason"])
    else:
        sent_files.decide(
            actor=actor,
            digest=given["digest"],
            reason=given["reason"],
            approve=verb == "approve",
        )


_OF_BATCHES = ("refunds.make_payout_batch", "refunds.approve_payout_batch")
DOORS.add("console:restored", Door(_OF_BATCHES, title=_lazy("Restored database")), place=5)
DOORS.add("console:restored_decide", Door(_OF_BATCHES))

urlpatterns = [
    path("restored/", restored, name="restored"),
    path("restored/<slug:verb>/", restored_decide, name="restored_decide"),
]
