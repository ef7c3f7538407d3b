"""The page on which a merchant reads the notice, prints the poster, and confirms.

A part of `accounts.recovery.portal`, which alone mounts it.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.merchants import receipts
from accounts.models import OneTimeLink
from winddown.models import Milestone
from winddown.programme import letter_files, publications
from winddown.site.pages import page


def confirm(request: HttpRequest, link: OneTimeLink) -> HttpResponse:
    """Returns the page of the opened link. A POST confirms the notice; a second one changes nothing."""
    notice = receipts.notice_of(link)
    if request.method == "POST":
        receipts.confirm(link)
        messages.success(request, _("Thank you. The receipt is recorded."))
        return redirect("recovery:password")
    language = "en" if get_language() == "en" else "ja"
    return page(
        request,
        "accounts/merchant_receipt.html",
        merchant=notice.merchant,
        title=getattr(notice.mailing, f"title_{language}"),
        body=getattr(notice.mailing, f"body_{language}"),
        receipt=receipts.receipt_of(notice),
        notice=publications.newest_notice(),
        spend_ends=Milestone.objects.filter(kind=Milestone.Kind.SPEND_ENDS).first(),
        languages=letter_files.LANGUAGES,
    )
