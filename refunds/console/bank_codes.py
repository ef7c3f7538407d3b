"""The console's pages of the lists of bank codes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_safe

from refunds.payouts import bank_code_page
from refunds.payouts import bank_codes as bank_codes_rule
from refunds.payouts.bank_code_acts import BANK_CODES
from winddown.site.doors import DOORS, Door
from winddown.site.pages import actor_of, fresh_page, page, staff_page, verb_page


@require_safe
@staff_page
def bank_codes(request: HttpRequest) -> HttpResponse:
    seen = bank_code_page.look(actor=actor_of(request))
    return page(request, "refunds/bank_codes.html", seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def bank_codes_act(request: HttpRequest, verb: str) -> HttpResponse:
    return verb_page(request, verb, BANK_CODES, back="console:bank_codes", crumb=_("Bank codes"))


_OF_BANK_CODES = (bank_codes_rule.PERMISSION, bank_codes_rule.SECOND)
DOORS.add(
    "console:bank_codes",
    Door(_OF_BANK_CODES, title=_lazy("Bank codes"), under="console:payouts"),
    place=5,
)
DOORS.add("console:bank_codes_act", Door(_OF_BANK_CODES))

urlpatterns = [
    path("bank-codes/", bank_codes, name="bank_codes"),
    path("bank-codes/<slug:verb>/", bank_codes_act, name="bank_codes_act"),
]
