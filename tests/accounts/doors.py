"""The smallest doors a customer could have, so that the tests ask through real requests."""

from __future__ import annotations

from django.contrib.auth import authenticate, login
from django.http import HttpRequest, HttpResponse
from django.urls import path

from accounts import credentials

BACKEND = "accounts.backends.LoginIdBackend"


def sign_in(request: HttpRequest) -> HttpResponse:
    user = authenticate(
        request, username=request.POST["login_id"], password=request.POST["password"]
    )
    return _opened(request, user)


def callback(request: HttpRequest) -> HttpResponse:
    user = credentials.sign_in_external(
        request.POST["provider"], request.POST["subject"], origin=credentials.Origin()
    )
    return _opened(request, user)


def _opened(request: HttpRequest, user: object | None) -> HttpResponse:
    if user is None:
        return HttpResponse(status=403)
    login(request, user, backend=BACKEND)
    return HttpResponse()


def who(request: HttpRequest) -> HttpResponse:
    name = request.user.login_id if request.user.is_authenticated else ""
    return HttpResponse(f"{name} {getattr(request, 'session_refusal', '')}".strip())


urlpatterns = [path("sign-in", sign_in), path("callback", callback), path("who", who)]
