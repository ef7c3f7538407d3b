"""The pages on which people have the e-mail address of their account verified.

A part of `accounts.recovery.portal`, which alone mounts them.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.errors import AddressTaken
from accounts.models import OneTimeLink, User
from accounts.recovery import links, own_address
from accounts.recovery.forms import OwnAddressForm
from winddown.site.pages import fresh_page, page


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@fresh_page
@never_cache
def ask(request: Any) -> HttpResponse:
    """A link is sent to the address in the form."""
    sent = request.method == "POST"
    form = OwnAddressForm(request.POST if sent else None, user=request.user)
    if sent and form.is_valid():
        language = get_language() or "ja"
        if own_address.ask(request.user, form.address, language=language):
            messages.success(request, _("A message with a link is on its way to the address."))
            return redirect("recovery:address")
        form.add_error(None, _("There were too many requests. Try again later."))
    return _page(request, "accounts/own_address.html", form=form)


def prove(request: Any, link: OneTimeLink) -> HttpResponse:
    """Returns the page of the opened link. A POST of the signed-in owner verifies the address."""
    own = request.user.is_authenticated and request.user.pk == link.user_id
    form = Form(request.POST if own and request.method == "POST" else None)
    if form.is_valid():
        try:
            own_address.prove(link, by=request.user)
        except AddressTaken:
            form.add_error(None, _("Another account has this address."))
        else:
            messages.success(request, _("The address is verified."))
            return redirect("recovery:address")
    address = links.address_for(link).sent_to if own else ""
    return _page(
        request, "accounts/own_address_prove.html", form=form, link=link, own=own, address=address
    )


def _page(request: HttpRequest, template: str, **shown: Any) -> HttpResponse:
    """Returns the page in the frame of the console for staff, and of the portal for others."""
    staff = getattr(request.user, "kind", "") == User.Kind.STAFF
    return page(request, template, frame="base.html" if staff else "portal.html", **shown)
