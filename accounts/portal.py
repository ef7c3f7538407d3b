"""Signing in and out, for customers and staff alike."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import authenticate, get_user_model, login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.urls import path
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from winddown.pages import page


class SignInForm(forms.Form):
    """Login id and password; one answer for every refusal, whatever its reason."""

    login_id = forms.CharField(
        label=_("Login ID"),
        max_length=254,
        strip=True,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
        error_messages={"required": _("Enter your login ID.")},
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": _("Enter your password.")},
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.user: Any = None

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if "login_id" in given and "password" in given:
            self.user = authenticate(
                self.request, username=given["login_id"], password=given["password"]
            )
            if self.user is None:
                raise forms.ValidationError(_("The login ID or the password is not right."))
        return given


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("password")
@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    then = request.POST.get("next") or request.GET.get("next", "")
    form = SignInForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        previous = form.user.last_login
        login(request, form.user)
        # Django has written its own clock's time; people are shown the programme's.
        get_user_model().objects.filter(pk=form.user.pk).update(last_login=form.user.admission.at)
        request.session["previous_sign_in"] = previous.isoformat() if previous else None
        return redirect(_place_after(request, form.user, then))
    shown = {"form": form, "next": then, "refusal": getattr(request, "session_refusal", None)}
    return page(request, "accounts/sign_in.html", **shown)


def _place_after(request: HttpRequest, user: Any, then: str) -> str:
    """Where the person wanted to go, if it is here; else the start of the staff or of the
    customers.
    """
    safe = url_has_allowed_host_and_scheme(
        then, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    if then and safe:
        return then
    return resolve_url("console:incident" if user.kind == "staff" else "home")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("home")


urlpatterns = [
    path("sign-in/", sign_in, name="sign_in"),
    path("sign-out/", sign_out, name="sign_out"),
]
