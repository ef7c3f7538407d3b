"""The customer's pages of a claim code: it is shown once, and a lost one is replaced."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from refunds.applications.claimants import customer_of, of_sure_customer
from refunds.models import Voucher
from refunds.payouts.methods import vouchers
from winddown.errors import WinddownError
from winddown.site.pages import page, refusals_told, told


@require_http_methods(["GET", "HEAD", "POST"])
@of_sure_customer
def claim_code(request: HttpRequest, number: int) -> HttpResponse:
    holder = customer_of(request)
    voucher = get_object_or_404(
        Voucher.objects.select_related("payout").exclude(code_sealed=None),
        pk=number,
        payout__holder_id=holder.pk,
    )
    code, refusal = "", ""
    if request.method == "POST":
        try:
            code = vouchers.reveal(voucher, actor=holder)
        except WinddownError as refused:
            refusal = told(refused)
    return page(request, "refunds/claim_code.html", voucher=voucher, code=code, refusal=refusal)


@require_POST
@of_sure_customer
def lost_code(request: HttpRequest, number: int) -> HttpResponse:
    """The code or the postal order is lost: another one follows once this one is cancelled."""
    holder = customer_of(request)
    voucher = get_object_or_404(
        Voucher.objects.select_related("payout"), pk=number, payout__holder_id=holder.pk
    )
    with refusals_told(request):
        vouchers.report_lost(voucher, actor=holder)
        messages.success(
            request,
            _("We have it cancelled. You get another one, and a message when it is ready."),
        )
    return redirect("refund:status")


urlpatterns = [
    path("account/refund/code/<int:number>/", claim_code, name="claim_code"),
    path("account/refund/code/<int:number>/lost/", lost_code, name="lost_code"),
]
