"""Refuses, at the next request and without a worker, what the fence or a stopped switch ended."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse

from accounts import credentials
from accounts.credentials import Admission
from accounts.sessions import ADMISSION_KEY, admission_of


class CredentialMiddleware:
    """A request has a user only if the session that says so is still accepted.

    Stands after AuthenticationMiddleware. A refused session is deleted, the request goes on as
    nobody's, and `request.session_refusal` says why, for a page that explains it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Without the cookie there is no session to look at, and a public page stays cacheable.
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            _refuse(request)
        response = self.get_response(request)
        if request.session.modified and SESSION_KEY in request.session:
            admission = getattr(request.user, "admission", None)
            if admission is not None:
                _admit(request, admission)
        return response


def _refuse(request: HttpRequest) -> None:
    user_id = request.session.get(SESSION_KEY)
    if user_id is None:
        return
    refusal = credentials.session_refusal(int(user_id), admission_of(request.session))
    if refusal is not None:
        logout(request)
        request.session_refusal = refusal  # type: ignore[attr-defined]


def _admit(request: HttpRequest, admission: Admission) -> None:
    """The session that this request opened carries its admission.

    It is judged once more: a fence that rose since the password was checked must not find this
    session written after its sweep has passed.
    """
    request.session[ADMISSION_KEY] = admission.as_json()
    _refuse(request)
