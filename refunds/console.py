"""The console's pages about refunds: candidates are held, and the files of a restored database are
confirmed.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from refunds import reminder_acts, tracing_acts
from refunds.applications import desk_page
from refunds.applications.desk_acts import DESK
from refunds.claims import holding
from refunds.closing import closing_views, other_end_views
from refunds.forms import HoldForm
from refunds.models import PayoutView, PayoutViewPart
from refunds.payouts import (
    payment_block_page,
    payout_views,
    restored_page,
    sent_files,
    view_lists,
    view_page,
)
from refunds.payouts import payment_blocks as payment_blocks_rule
from refunds.payouts.payment_block_acts import BLOCKS
from refunds.payouts.view_page import VIEWS
from refunds.reminder_acts import REMINDERS
from refunds.tracing_acts import TRACING
from winddown.actors import Actor
from winddown.site.doors import DOORS, Door
from winddown.site.forms import ReasonForm
from winddown.site.pages import (
    actor_of,
    decision_page,
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


# --- reminders ----------------------------------------------------------------------------------


@require_safe
@staff_page
def reminders(request: HttpRequest) -> HttpResponse:
    seen = reminder_acts.look(actor=actor_of(request))
    return page(request, "refunds/reminders.html", seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def reminders_act(request: HttpRequest, verb: str) -> HttpResponse:
    return verb_page(request, verb, REMINDERS, back="console:reminders", crumb=_("Reminders"))


# --- the payout views ---------------------------------------------------------------------------


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


# --- tracing ------------------------------------------------------------------------------------


@require_safe
@staff_page
def tracing(request: HttpRequest) -> HttpResponse:
    seen = tracing_acts.look(actor=actor_of(request))
    return page(request, "refunds/tracing.html", seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def tracing_act(request: HttpRequest, verb: str) -> HttpResponse:
    return verb_page(request, verb, TRACING, back="console:tracing", crumb=_("Tracing of holders"))


# --- a restored database ------------------------------------------------------------------------


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


# --- people who are paid nothing ----------------------------------------------------------------


@require_safe
@staff_page
def payment_blocks(request: HttpRequest) -> HttpResponse:
    seen = payment_block_page.look(actor=actor_of(request))
    return page(request, "refunds/payment_blocks.html", seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def payment_block_act(request: HttpRequest, verb: str) -> HttpResponse:
    return verb_page(
        request, verb, BLOCKS, back="console:payment_blocks", crumb=_("Payment blocks")
    )


# --- the application desk -----------------------------------------------------------------------


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
_OF_BLOCKS = (payment_blocks_rule.PERMISSION,)
DOORS.add("console:payment_blocks", Door(_OF_BLOCKS, title=_lazy("Payment blocks")), place=5)
DOORS.add("console:payment_block_act", Door(_OF_BLOCKS))
DOORS.add(
    "console:payout_views", Door((view_lists.PERMISSION,), title=_lazy("Payout views")), place=5
)
DOORS.add("console:payout_view_file", Door((view_lists.PERMISSION,)))
DOORS.add("console:payout_view_act", Door((view_lists.PERMISSION,)))
_OF_BATCHES = ("refunds.make_payout_batch", "refunds.approve_payout_batch")
DOORS.add("console:reminders", Door(title=_lazy("Reminders")), place=5)
DOORS.add("console:reminders_act", Door())
DOORS.add("console:tracing", Door(title=_lazy("Tracing of holders")), place=5)
DOORS.add("console:tracing_act", Door())
DOORS.add("console:hold_candidates", Door(permissions=("wallets.hold_wallet",)))
DOORS.add("console:restored", Door(_OF_BATCHES, title=_lazy("Restored database")), place=5)
DOORS.add("console:restored_decide", Door(_OF_BATCHES))

urlpatterns = [
    path("attack/hold/", hold_candidates, name="hold_candidates"),
    *payout_views.urlpatterns,
    *closing_views.urlpatterns,
    *other_end_views.urlpatterns,
    path("applications/", applications, name="applications"),
    path("applications/<int:number>/", application, name="application"),
    path("applications/<slug:verb>/", applications_act, name="applications_act"),
    path("payment-blocks/", payment_blocks, name="payment_blocks"),
    path("payment-blocks/<slug:verb>/", payment_block_act, name="payment_block_act"),
    path("payout-views/", payout_view_pages, name="payout_views"),
    path("payout-views/<int:number>/<slug:name>/", payout_view_file, name="payout_view_file"),
    path("payout-views/<slug:verb>/", payout_view_act, name="payout_view_act"),
    path("reminders/", reminders, name="reminders"),
    path("reminders/<slug:verb>/", reminders_act, name="reminders_act"),
    path("tracing/", tracing, name="tracing"),
    path("tracing/<slug:verb>/", tracing_act, name="tracing_act"),
    path("restored/", restored, name="restored"),
    path("restored/<slug:verb>/", restored_decide, name="restored_decide"),
]
