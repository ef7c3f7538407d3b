"""The public page on which a notice can be checked, without signing in."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.attempts import limits
from accounts.reset_notices import notice_check
from accounts.sign_in import origins
from winddown.site.pages import page


class CodeForm(forms.Form):
    """The code on a notice, typed in any way."""

    code = forms.CharField(
        label=_("Code on the notice"),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
        error_messages={"required": _("Enter the code on the notice.")},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def check(request: HttpRequest) -> HttpResponse:
    form = CodeForm(request.POST or None)
    asked = request.method == "POST" and form.is_valid()
    allowed = asked and limits.allow("notice_check", network=origins.network_of(request))
    return page(
        request,
        "accounts/notice_check.html",
        form=form,
        told=notice_check.told(),
        asked=asked,
        allowed=allowed,
        found=notice_check.check(form.cleaned_data["code"]) if allowed else None,
    )


urlpatterns = [path("is-this-notice-from-us/", check, name="notice_check")]
