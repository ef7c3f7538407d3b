"""The language switch of a page with a form: the page comes again with what was typed.

The button belongs to the form `typed` of the page, so it works without JavaScript. A form by POST
is shown again and not acted upon. A form by GET only asks: its address is asked for again, without
the fields that are empty.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils import translation
from django.utils.datastructures import MultiValueDict

# The button that sends the form to its own address, to be shown again and not to be acted upon.
SWITCH = "switch_language"


class LanguageSwitchMiddleware:
    """A form by POST that was sent by the button of the other language is not acted upon: the view
    gets a GET, and `request.typed` holds what was typed, for `_field.html` to fill in again. A form
    by GET leads to the address that it asks for, whose page shows what was typed.

    The view runs behind the check for forged forms. Passwords and codes are not filled in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        switched: str = getattr(request, "switched_language", "")
        if switched:
            answer.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                switched,
                max_age=settings.LANGUAGE_COOKIE_AGE,
                path=settings.LANGUAGE_COOKIE_PATH,
                domain=settings.LANGUAGE_COOKIE_DOMAIN,
                secure=settings.LANGUAGE_COOKIE_SECURE,
                httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
                samesite="Lax",
            )
        return answer

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        sent = {"POST": request.POST, "GET": request.GET}.get(request.method or "", QueryDict())
        wanted = sent.get(SWITCH, "")
        if wanted not in dict(settings.LANGUAGES):
            return None
        request.switched_language = wanted  # type: ignore[attr-defined]
        if request.method == "GET":
            return HttpResponseRedirect(_address_of(request))
        request.typed = request.POST  # type: ignore[attr-defined]
        request._post = QueryDict()  # type: ignore[attr-defined]
        request._files = MultiValueDict()  # type: ignore[attr-defined]
        request.method = "GET"
        translation.activate(wanted)
        request.LANGUAGE_CODE = wanted
        return None


def _address_of(request: HttpRequest) -> str:
    """Returns the address that the form by GET asks for: without its button and its empty fields."""
    typed = QueryDict(mutable=True)
    for name, values in request.GET.lists():
        said = [value for value in values if value]
        if name != SWITCH and said:
            typed.setlist(name, said)
    return f"{request.path}?{typed.urlencode()}" if typed else request.path
