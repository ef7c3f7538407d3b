"""The public pages of a claim number: the number, the code that follows it, and the end of a visit.

Every answer to a number is the same page, whether or not it exists; a worker looks for it later. No
number and no code is in an address, and the session has neither.
"""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.attempts import limits
from accounts.errors import LinkDead
from accounts.models import AccessRequest
from accounts.recovery import access_requests
from accounts.recovery.forms import OnceForm
from accounts.sign_in.origins import network_of
from refunds.applications import claim_numbers, claimants
from winddown.site.pages import page

_ASKED = "claim_number_asked"
_NUMBER_MAX = 60


def _number_field() -> forms.CharField:
    return forms.CharField(
        label=_lazy("Claim number"),
        help_text=_lazy("16 letters and digits, in the letter that we sent you."),
        max_length=_NUMBER_MAX,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
        error_messages={"required": _lazy("Enter the claim number.")},
    )


class NumberForm(OnceForm):
    """The number of the letter."""

    number = _number_field()


class OpenForm(forms.Form):
    """Number and code together: a code that comes by letter comes days later."""

    number = _number_field()
    code = forms.CharField(
        label=pgettext_lazy("one time", "Code"),
        help_text=_lazy("8 digits, from our mail, our message or our second letter."),
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
        error_messages={"required": _lazy("Enter the code of 8 digits.")},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@never_cache
def claim(request: HttpRequest) -> HttpResponse:
    """Which number; a code follows."""
    form = NumberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        number, network = form.cleaned_data["number"], network_of(request)
        if limits.allow("claim_number", key=claim_numbers.understood(number), network=network):
            access_requests.ask(
                AccessRequest.Purpose.CLAIM,
                number,
                language=get_language() or "ja",
                network=network,
                form=form.key(),
            )
        request.session[_ASKED] = True
        return redirect("refund:claim_code")
    return page(request, "refunds/portal/claim.html", form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@never_cache
def claim_code(request: HttpRequest) -> HttpResponse:
    """Number and code: the refund's pages are open for an hour."""
    form = OpenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            if not limits.allow("one_time_code", network=network_of(request)):
                raise LinkDead
            number, link = claim_numbers.open_with(
                form.cleaned_data["number"], form.cleaned_data["code"]
            )
        except LinkDead:
            form.add_error(
                None, _("Claim number and code do not fit, or are no longer valid. Check both.")
            )
        else:
            request.session.pop(_ASKED, None)
            claimants.begin(request, number, link)
            return redirect("refund:start")
    asked = request.session.get(_ASKED, False)
    return page(request, "refunds/portal/claim_code.html", form=form, asked=asked)


@require_POST
@never_cache
def claim_end(request: HttpRequest) -> HttpResponse:
    """The visit is over. A second press changes nothing. Somebody who signed in stays signed in."""
    if claimants.of(request) is not None:
        claimants.end(request)
        messages.success(
            request, _("You have left. Nothing of your visit is kept in this browser.")
        )
    return redirect("refund:claim")


urlpatterns = [
    path("claim/", claim, name="claim"),
    path("claim/code/", claim_code, name="claim_code"),
    path("claim/end/", claim_end, name="claim_end"),
]
