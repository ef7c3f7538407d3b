"""Before a payee is replaced, a customer without a second factor proves the known channel by a code.

A password alone may be stolen. The code goes to the verified address that stood before, so that its
owner hears of the change before it is made.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import addresses
from accounts.addresses import Address
from accounts.attempts import limits
from accounts.errors import LinkDead
from accounts.models import AccessRequest, OneTimeLink
from accounts.recovery import access_requests, links
from accounts.recovery.forms import CodeForm
from accounts.sign_in.origins import network_of
from refunds.applications.claimants import FRESH_FOR, claimant_of, customer_of, of_customer
from winddown import clock
from winddown.evidence import audit
from winddown.site.pages import page

View = Callable[..., HttpResponse]
_ASKED, _PROVED = "refund_code_asked", "refund_channel_proved"


def asked_by_channel(view: View) -> View:
    """The page is for somebody who proved the known channel a short while ago.

    It asks nothing of who came with a claim number and a code, of who has a second factor, which
    `of_sure_customer` asks for, and of who has no verified address to which a code could go.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if _channel_to_prove(request) is not None and not _is_proved(request):
            return redirect("refund:prove")
        return view(request, *args, **kwargs)

    return guarded


def _channel_to_prove(request: HttpRequest) -> Address | None:
    holder = customer_of(request)
    if claimant_of(request) is not None or Authenticator.objects.filter(user=holder).exists():
        return None
    return addresses.channel_of(holder)


def _is_proved(request: HttpRequest) -> bool:
    """The code was typed in this session, at the address that is still the known one."""
    at, fingerprint = request.session.get(_PROVED, ("", ""))
    address = addresses.channel_of(customer_of(request))
    if not at or address is None or fingerprint not in address.fingerprints:
        return False
    return clock.now() - dt.datetime.fromisoformat(at) < FRESH_FOR


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@of_customer
def prove(request: HttpRequest) -> HttpResponse:
    """The code is sent, and typed."""
    address = _channel_to_prove(request)
    if address is None or _is_proved(request):
        return redirect("refund:change")
    sends = "send" in request.POST
    form = CodeForm(request.POST if request.method == "POST" and not sends else None)
    if sends:
        _send(request)
        return redirect("refund:prove")
    if request.method == "POST" and form.is_valid():
        try:
            _use(request, form.cleaned_data["code"])
        except LinkDead:
            form.add_error("code", _("This code is not right, or no longer valid."))
        else:
            return redirect("refund:change")
    return page(
        request,
        "refunds/portal/prove.html",
        form=form,
        mask=address.mask,
        asked=_ASKED in request.session,
    )


def _send(request: HttpRequest) -> None:
    holder, network = customer_of(request), network_of(request)
    if limits.allow("reset_request", key=f"confirm:{holder.pk}", network=network):
        asked = access_requests.ask(
            AccessRequest.Purpose.CONFIRM,
            str(holder.pk),
            language=get_language() or "ja",
            network=network,
        )
        request.session[_ASKED] = str(asked.key)


def _use(request: HttpRequest, code: str) -> None:
    """Raises `LinkDead` for a code that does not work."""
    key, holder = request.session.get(_ASKED), customer_of(request)
    asked = AccessRequest.objects.filter(key=key).first() if key else None
    if asked is None or not limits.allow("one_time_code", network=network_of(request)):
        raise LinkDead
    link = links.by_code(asked, code)
    if link.purpose != OneTimeLink.Purpose.CONFIRM or link.user_id != holder.pk:
        raise LinkDead
    with transaction.atomic():
        used = links.use(link)
        audit.append(
            "payee.prove_channel", f"account:{holder.pk}", actor=holder, channel=used.channel
        )
    request.session[_PROVED] = (clock.now().isoformat(), used.address_fingerprint)
    request.session.pop(_ASKED)
