"""The customer's page of a claim code: it is shown once, to its holder."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.views.decorators.http import require_http_methods

from refunds.applications.claimants import customer_of, of_sure_customer
from refunds.models import Voucher
from refunds.payouts.methods import vouchers
from winddown.errors import WinddownError
from winddown.site.pages import page, told


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


urlpatterns = [path("account/refund/code/<int:number>/", claim_code, name="claim_code")]
