"""Who uses the refund's pages: a customer who signed in, or one who came with a claim number."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts import addresses
from accounts.credentials import fencing
from accounts.models import OneTimeLink, User
from accounts.sign_in import sessions
from refunds.models import ClaimNumber, RefundApplication
from winddown import clock
from winddown.site.pages import fresh_page

View = Callable[..., HttpResponse]
_KEY = "claimant"
VALID_FOR = dt.timedelta(hours=1)
# As long as a proof of a signed-in person is fresh.
FRESH_FOR = dt.timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Claimant:
    """A visit with a claim number, from its code on. `channel` is how the application comes in."""

    holder: User
    number: int
    since: dt.datetime
    channel: str

    @property
    def is_fresh(self) -> bool:
        return clock.now() - self.since < FRESH_FOR


def begin(request: HttpRequest, number: ClaimNumber, link: OneTimeLink) -> None:
    """The browser is the holder's for an hour. Whoever was signed in here is signed out."""
    sessions.leave(request)
    request.session.cycle_key()
    request.session[_KEY] = {
        "number": number.pk,
        "since": clock.now().isoformat(),
        # Number and code came to one letter box: people look at who applied.
        "channel": (
            RefundApplication.Channel.WEB
            if link.channel == addresses.LETTER
            else RefundApplication.Channel.CLAIM
        ).value,
    }


def end(request: HttpRequest) -> None:
    """The visit is over, and nothing of it is left in the browser."""
    request.session.flush()


def of(request: HttpRequest) -> Claimant | None:
    """Returns the visit with a claim number. None for somebody who is signed in, after an hour, and
    once the number has ended, its holder was shut out, or a fence on all credentials rose.
    """
    kept = None if request.user.is_authenticated else request.session.get(_KEY)
    if not kept:
        return None
    since, at = dt.datetime.fromisoformat(kept["since"]), clock.now()
    number = (
        ClaimNumber.objects.select_related("holder")
        .filter(pk=kept["number"], ended_at=None, expires_at__gt=at, holder__is_active=True)
        .first()
    )
    accepted = fencing.Fence(at, fencing.fence_now()).accepts(since)
    if number is None or not accepted or not since <= at < since + VALID_FOR:
        del request.session[_KEY]
        return None
    return Claimant(number.holder, number.pk, since, kept["channel"])


def customer_of(request: HttpRequest) -> User:
    """Returns the customer whose refund the page is about. Only behind `of_customer`."""
    claimant = claimant_of(request)
    return claimant.holder if claimant is not None else cast("User", request.user)


def claimant_of(request: HttpRequest) -> Claimant | None:
    """Returns the visit that `of_customer` found."""
    return cast("Claimant | None", getattr(request, "claimant", None))


def channel_of(request: HttpRequest) -> str:
    """Returns how an application of this page comes in."""
    claimant = claimant_of(request)
    return claimant.channel if claimant is not None else RefundApplication.Channel.APP.value


def of_customer(view: View) -> View:
    """Only a customer sees the page, and no cache keeps it. Staff go to their own."""

    @wraps(view)
    def signed_in(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if getattr(request.user, "kind", "") != User.Kind.CUSTOMER:
            return redirect("home")
        return view(request, *args, **kwargs)

    of_signed_in = login_required(signed_in)

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.claimant = of(request)  # type: ignore[attr-defined]
        chosen = of_signed_in if claimant_of(request) is None else view
        return chosen(request, *args, **kwargs)

    return never_cache(guarded)


def of_sure_customer(view: View) -> View:
    """As `of_customer`; its form is accepted only from somebody who showed a short while ago who it
    is: by the proof of a signed-in person, or by a code of the claim number.
    """
    inner = of_customer(view)
    of_signed_in = login_required(fresh_page(inner))

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        claimant = of(request)
        if claimant is None:
            return of_signed_in(request, *args, **kwargs)
        if request.method == "POST" and not claimant.is_fresh:
            messages.info(
                request, _("Enter a new code first: this needs a fresh proof that it is you.")
            )
            return redirect("refund:claim")
        return inner(request, *args, **kwargs)

    return guarded
