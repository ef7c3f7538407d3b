"""The console's pages of the notice to merchants."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.merchants import merchant_page, receipts
from accounts.merchants.merchant_acts import MERCHANTS
from accounts.models import MerchantReceipt
from winddown.programme import evidence_files
from winddown.site.doors import DOORS, Door
from winddown.site.pages import actor_of, fresh_page, page, staff_page, stored_file, verb_page


@require_safe
@staff_page
def merchants(request: HttpRequest) -> HttpResponse:
    seen = merchant_page.look(request.GET, actor=actor_of(request))
    return page(request, "accounts/merchants.html", seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def merchants_act(request: HttpRequest, verb: str) -> HttpResponse:
    return verb_page(request, verb, MERCHANTS, back="console:merchants", crumb=_("Merchants"))


@require_safe
@staff_page
def merchant_evidence(request: HttpRequest, number: int) -> HttpResponse:
    get_object_or_404(MerchantReceipt, pk=number, evidence__isnull=False)
    return stored_file(receipts.disclose_evidence(number, actor=actor_of(request)))


DOORS.add("console:merchants", Door(merchant_page.SEEN_BY, title=_lazy("Merchants")), place=4)
DOORS.add("console:merchants_act", Door())
DOORS.add("console:merchant_evidence", Door(permissions=(evidence_files.READ,)))

urlpatterns = [
    path("merchants/", merchants, name="merchants"),
    path("merchants/evidence/<int:number>/", merchant_evidence, name="merchant_evidence"),
    path("merchants/<slug:verb>/", merchants_act, name="merchants_act"),
]
