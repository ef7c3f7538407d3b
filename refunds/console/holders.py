"""The console's pages about holders: they are reminded, they are traced, or they are paid nothing."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_safe

from refunds import reminder_acts, tracing_acts
from refunds.payouts import payment_block_page
from refunds.payouts import payment_blocks as payment_blocks_rule
from refunds.payouts.payment_block_acts import BLOCKS
from refunds.reminder_acts import REMINDERS
from refunds.tracing_acts import TRACING
from winddown.site.doors import DOORS, Door
from winddown.site.pages import actor_of, fresh_page, page, staff_page, verb_page

# --- reminders -----------------------------------------------------------------------------------


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


# --- tracing -------------------------------------------------------------------------------------


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


# --- people who are paid nothing -----------------------------------------------------------------


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


_OF_BLOCKS = (payment_blocks_rule.PERMISSION,)
DOORS.add("console:reminders", Door(title=_lazy("Reminders")), place=5)
DOORS.add("console:reminders_act", Door())
DOORS.add("console:tracing", Door(title=_lazy("Tracing of holders")), place=5)
DOORS.add("console:tracing_act", Door())
DOORS.add(
    "console:payment_blocks",
    Door(_OF_BLOCKS, title=_lazy("Payment blocks"), under="console:applications"),
    place=5,
)
DOORS.add("console:payment_block_act", Door(_OF_BLOCKS))

urlpatterns = [
    path("reminders/", reminders, name="reminders"),
    path("reminders/<slug:verb>/", reminders_act, name="reminders_act"),
    path("tracing/", tracing, name="tracing"),
    path("tracing/<slug:verb>/", tracing_act, name="tracing_act"),
    path("payment-blocks/", payment_blocks, name="payment_blocks"),
    path("payment-blocks/<slug:verb>/", payment_block_act, name="payment_block_act"),
]
