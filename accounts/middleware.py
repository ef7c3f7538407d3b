"""Checks of every request: the fence, the switches, the second factor of staff, and the device."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRefresh

from accounts.credentials import device_tokens, session_rules
from accounts.credentials.admissions import Admission
from accounts.models import User
from accounts.sign_in import app_devices, sessions
from accounts.sign_in.origins import keep_device, network_of
from accounts.sign_in.sessions import ADMISSION_KEY, admission_of
from winddown.site.pages import is_poll

# Staff who have shown no second factor yet are sent here.
WITHOUT_SECOND_FACTOR = frozenset(
    {
        "account_reauthenticate",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "mfa_index",
        "set_language",
        "sign_in",
        "sign_out",
    }
)
_LINK = re.compile(r"^/recovery/link/(.+)$")
_BEARER = "Bearer "


class LinkMiddleware:
    """The token of a mailed link is taken out of the address before any code can log it.

    Stands before all others. The view finds it as `request.link_token`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        found = _LINK.search(request.path_info)
        if found is not None:
            request.link_token = found[1]  # type: ignore[attr-defined]
            request.path_info = request.path_info[: found.start(1)]
            request.path = request.path[: len(request.path) - len(found[1])]
            request.META["PATH_INFO"] = request.path_info
        return self.get_response(request)


class CredentialMiddleware:
    """A request has a user only if the session or token that says so is still accepted.

    Stands after AuthenticationMiddleware. A refused session is deleted, and the request goes on
    without a user. `request.session_refusal` gives the reason, so that a page can explain it. A
    request with a device token belongs to the token only. Its cookies do not count.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        bearer = request.headers.get("Authorization", "")
        if bearer.startswith(_BEARER):
            return self._by_token(request, bearer.removeprefix(_BEARER))
        # Without the cookie there is no session, and a public page stays cacheable.
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            _refuse(request)
            if SESSION_KEY in request.session and not is_poll(request):
                sessions.note_use(request)
        response = self.get_response(request)
        if request.session.modified and SESSION_KEY in request.session:
            admission = getattr(request.user, "admission", None)
            if admission is not None:
                _admit(request, admission)
        return response

    def _by_token(self, request: HttpRequest, raw: str) -> HttpResponse:
        request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
        request.session = sessions.SessionStore()
        user = device_tokens.holder(raw)
        if user is None:
            app_devices.note_refused(raw, network=network_of(request))
            return JsonResponse({"error": "sign in again"}, status=401)
        request.user = user
        # A page of another site cannot make a browser send this header.
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
        return self.get_response(request)


class SecondFactorMiddleware:
    """A member of staff without a second factor in this session reaches only the pages that set one
    up.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if getattr(request.user, "kind", "") != User.Kind.STAFF or _showed_second_factor(request):
            return None
        match = request.resolver_match
        if match is not None and match.view_name in WITHOUT_SECOND_FACTOR:
            return None
        if is_poll(request):
            return HttpResponseClientRefresh()
        return redirect("mfa_index")


def _showed_second_factor(request: HttpRequest) -> bool:
    records = get_authentication_records(request, request.user)
    return any(record.get("method") == "mfa" for record in records)


def _refuse(request: HttpRequest) -> None:
    holder = sessions.holder_of(request.session)
    if holder is None:
        return
    refusal = session_rules.session_refusal(holder, admission_of(request.session))
    if refusal is not None:
        logout(request)
        request.session_refusal = refusal  # type: ignore[attr-defined]


def _admit(request: HttpRequest, admission: Admission) -> None:
    """The session that this request opened carries its admission.

    It is judged once more. A fence may have risen since the password was checked, and the batch
    that ends this account's sessions may have run before this session was written.
    """
    request.session[ADMISSION_KEY] = admission.as_json()
    _refuse(request)


class DeviceMiddleware:
    """A device from which somebody tries to sign in has a cookie that identifies it later.

    Stands behind CredentialMiddleware. Other requests do not read or write the cookie, so a public
    page stays cacheable.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        keep_device(request, response, opened_by=_opened_by(request))
        return response


def _opened_by(request: HttpRequest) -> int | None:
    """Returns the account whose session this request opened."""
    if not (request.session.modified and SESSION_KEY in request.session):
        return None
    admission = getattr(request.user, "admission", None)
    return request.user.pk if admission is not None else None
