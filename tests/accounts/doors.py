"""The real pages, and two more: one says who is signed in, and one lets a provider vouch for a
person.
"""

from __future__ import annotations

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.urls import path

from accounts.credentials import sign_ins
from accounts.credentials.admissions import Origin
from config.urls import urlpatterns as real

BACKEND = "accounts.sign_in.backends.LoginIdBackend"


def callback(request: HttpRequest) -> HttpResponse:
    """The part after a provider's handshake. `test_sign_in_matrix` tests the handshake itself."""
    user = sign_ins.sign_in_external(
        request.POST["provider"], request.POST["subject"], origin=Origin()
    )
    if user is None:
        return HttpResponse(status=403)
    login(request, user, backend=BACKEND)
    return HttpResponse()


def who(request: HttpRequest) -> HttpResponse:
    name = request.user.login_id if request.user.is_authenticated else ""
    return HttpResponse(f"{name} {getattr(request, 'session_refusal', '')}".strip())


urlpatterns = [*real, path("callback", callback), path("who", who)]
