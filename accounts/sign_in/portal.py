"""Signing in and out, for customers and staff, and the sessions of an account."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.credentials import access
from accounts.models import User
from accounts.sign_in import app_devices, external, session_list, sessions
from accounts.sign_in import second_factor_views as second_factor
from accounts.sign_in.adapters import fresh
from accounts.sign_in.forms import SignInForm
from winddown import texts
from winddown.errors import WinddownError
from winddown.site.pages import page


class SignedIn(HttpRequest):
    """A request behind `login_required`."""

    user: User


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    then = request.POST.get("next") or request.GET.get("next", "")
    form = SignInForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        sessions.leave(request)
        login = Login(user=form.user, redirect_url=_safe(request, then))
        answer: HttpResponse = perform_password_login(request, {}, login)
        return answer
    shown = {
        "form": form,
        "next": then,
        "refusal": getattr(request, "session_refusal", None),
        "providers": external.offered(),
    }
    return page(request, "accounts/sign_in.html", **shown)


def _safe(request: HttpRequest, then: str) -> str | None:
    """Returns the page that the person asked for, if it is on this site."""
    safe = url_has_allowed_host_and_scheme(
        then, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return then if then and safe else None


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("home")


# --- another service ----------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def external_sign_in(request: HttpRequest, provider: str) -> HttpResponse:
    """The page that starts the handshake. It tells the reason if the provider is stopped or the
    handshake failed.
    """
    offered = external.offer_of(provider)
    if offered is None:
        raise Http404
    if request.method == "POST" and offered.is_on:
        view = OAuth2LoginView.adapter_view(external.FencedAdapter(request, provider))
        answer: HttpResponse = view(request)
        return answer
    return page(request, "accounts/external_sign_in.html", offered=offered)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def external_callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """The provider's answer is judged. It is not read while the provider is stopped."""
    offered = external.offer_of(provider_id)
    if offered is None:
        raise Http404
    if not offered.is_on:
        return redirect("external_sign_in", provider_id)
    view = OAuth2CallbackView.adapter_view(external.FencedAdapter(request, provider_id))
    answer: HttpResponse = view(request)
    return answer


# --- sessions and devices -----------------------------------------------------------------------


@require_safe
@login_required
@never_cache
def open_sessions(request: SignedIn) -> HttpResponse:
    shown = session_list.of(request.user, present=request.session.session_key)
    tokens = request.user.device_tokens.filter(revoked_at=None).order_by("-issued_at")
    return page(request, "accounts/sessions.html", sessions=shown, tokens=tokens)


@require_POST
@login_required
def end_session(request: SignedIn, number: int) -> HttpResponse:
    session_list.end(request.user, number)
    messages.success(request, _("The session is ended."))
    return redirect("open_sessions")


@require_POST
@login_required
def sign_out_everywhere(request: SignedIn) -> HttpResponse:
    access.sign_out_everywhere(request.user, actor=request.user, reason="asked by the owner")
    logout(request)
    messages.success(request, _("You are signed out everywhere."))
    return redirect("sign_in")


@require_POST
@login_required
def revoke_device(request: SignedIn, number: int) -> HttpResponse:
    app_devices.remove(get_object_or_404(request.user.device_tokens, pk=number))
    messages.success(request, _("The device is signed out."))
    return redirect("open_sessions")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def devices(request: HttpRequest) -> HttpResponse:
    """JSON for the app. GET returns the account. POST returns a token for a device that is signed
    in by a session. A POST that is sent again with the same `once` returns the same token.
    """
    if not request.user.is_authenticated:
        return JsonResponse({"error": "sign in"}, status=401)
    if request.method != "POST":
        return JsonResponse({"account_ref": request.user.account_ref})
    admission = sessions.admission_of(request.session)
    if admission is None or not fresh(request):
        app_devices.note_not_given(request.user, "stale sign-in")
        return JsonResponse({"error": "sign in again"}, status=403)
    given = _json_of(request)
    name, once = _text_in(given, "device_name"), _text_in(given, "once")
    if not name:
        return JsonResponse({"error": "device_name is missing"}, status=400)
    try:
        token, text = app_devices.add(
            request.user, authority=admission, device_name=name, once=once
        )
    except WinddownError as refused:
        app_devices.note_not_given(request.user, refused.code)
        return JsonResponse({"error": str(refused)}, status=403)
    return JsonResponse({"token": text, "number": token.pk}, status=201)


def _json_of(request: HttpRequest) -> dict[str, Any]:
    """Returns the JSON object of the request. It is empty when there is none."""
    if request.content_type == "multipart/form-data":
        return {}
    try:
        given = texts.read_json(request.body)
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def _text_in(given: dict[str, Any], name: str) -> str:
    """Returns the text of that name, shortened. It is empty for a blank one, and for no text."""
    text = given.get(name)
    return text[:60] if isinstance(text, str) and not texts.is_blank(text) else ""


_own = second_factor.own
urlpatterns = [
    path("sign-in/", sign_in, name="sign_in"),
    # The name by which allauth knows it.
    path("sign-in/", sign_in, name="account_login"),
    path("sign-in/code/", _own(second_factor.SecondFactorStage), name="mfa_authenticate"),
    path("sign-in/passkey/", _own(second_factor.PasskeySignIn), name="mfa_login_webauthn"),
    path("sign-in/with/<slug:provider>/", external_sign_in, name="external_sign_in"),
    path(
        "sign-in/with/<slug:provider_id>/back/", external_callback, name="openid_connect_callback"
    ),
    path("sign-out/", sign_out, name="sign_out"),
    path("sign-out/everywhere/", sign_out_everywhere, name="sign_out_everywhere"),
    path("account/sessions/", open_sessions, name="open_sessions"),
    path("account/sessions/<int:number>/end/", end_session, name="end_session"),
    path("account/devices/", devices, name="devices"),
    path("account/devices/<int:number>/revoke/", revoke_device, name="revoke_device"),
    path("account/second-factor/", _own(second_factor.SecondFactors), name="mfa_index"),
    path("account/second-factor/app/", _own(second_factor.AddApp), name="mfa_activate_totp"),
    path(
        "account/second-factor/app/remove/",
        _own(second_factor.RemoveApp),
        name="mfa_deactivate_totp",
    ),
    path("account/second-factor/passkey/", _own(second_factor.AddPasskey), name="mfa_add_webauthn"),
    path(
        "account/second-factor/passkey/<int:pk>/remove/",
        _own(second_factor.RemovePasskey),
        name="mfa_remove_webauthn",
    ),
    path(
        "account/second-factor/codes/",
        _own(second_factor.RecoveryCodes),
        name="mfa_view_recovery_codes",
    ),
    path(
        "account/second-factor/codes/new/",
        _own(second_factor.NewRecoveryCodes),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "account/confirm/password/",
        _own(second_factor.FreshPassword),
        name="account_reauthenticate",
    ),
    path("account/confirm/code/", _own(second_factor.FreshCode), name="mfa_reauthenticate"),
    path(
        "account/confirm/passkey/",
        _own(second_factor.FreshPasskey),
        name="mfa_reauthenticate_webauthn",
    ),
]
