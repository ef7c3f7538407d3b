"""The text of a request is made storable before any view reads it."""

from __future__ import annotations

import codecs
from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, QueryDict, UnreadablePostError
from django.utils import translation

from winddown import texts

_UTF_8 = codecs.lookup("utf-8").name


class IncomingMiddleware:
    """A request is read as UTF-8. Characters that cannot be stored are replaced.

    A request that names another encoding is answered with 400, an address with a NUL with 404.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # No view and no error page reads the request with the encoding that it names.
        request.encoding = "utf-8"
        request.COOKIES = {
            texts.storable(name): texts.storable(value) for name, value in request.COOKIES.items()
        }
        for name, value in request.META.items():
            if name.startswith("HTTP_"):
                request.META[name] = texts.storable(value)
        # A refusal from here is in the language of this visitor. Without this line it would be in
        # the language of the last request of this thread.
        translation.activate(translation.get_language_from_request(request))
        charset = (request.content_params or {}).get("charset", "utf-8")
        if not _is_utf_8(charset):
            raise BadRequest("the request is not in UTF-8")
        if texts.storable(request.path_info) != request.path_info:
            raise Http404
        request.GET = _storable_fields(request.GET)  # type: ignore[assignment]
        if request.method == "POST":
            request._post = _storable_fields(_fields_of(request))  # type: ignore[attr-defined]
        return self.get_response(request)


def _is_utf_8(charset: str) -> bool:
    try:
        return codecs.lookup(charset).name == _UTF_8
    except (LookupError, ValueError):
        return False


def _fields_of(request: HttpRequest) -> QueryDict:
    try:
        return request.POST
    except UnreadablePostError as error:
        raise BadRequest("the request broke off") from error


def _storable_fields(given: QueryDict) -> QueryDict:
    fields = QueryDict(mutable=True)
    for name, values in given.lists():
        fields.setlist(texts.storable(name), [texts.storable(value) for value in values])
    fields._mutable = False
    return fields
