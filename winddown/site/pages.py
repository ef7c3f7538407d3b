"""What every page has: the programme, its zone, the language, and for staff the door that customers
do not pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django_htmx.http import HttpResponseClientRefresh

from winddown import clock, words
from winddown.actors import Actor
from winddown.errors import WinddownError
from winddown.evidence import refused as refusals
from winddown.models import Programme
from winddown.registries import Registry

_ONLY_SPACES = re.compile(r"\n[ \t]+(?=\n)")
View = Callable[..., HttpResponse]


def page(
    request: HttpRequest,
    template: str,
    **shown: Any,
) -> HttpResponse:
    """The template is rendered in the programme's zone, with the programme and whether this is a
    rehearsal.
    """
    programme = shown.pop("programme", None) or Programme.objects.filter(pk=1).first()
    zone = programme.zone if programme else ZoneInfo("UTC")
    rehearsal = shown.pop("rehearsal") if "rehearsal" in shown else clock.is_rehearsal()
    with timezone.override(zone):
        text = render_to_string(
            template, {"programme": programme, "rehearsal": rehearsal, **shown}, request
        )
    # Where a template's tags stood alone on their lines, spaces are left: a third of the bytes.
    return HttpResponse(_ONLY_SPACES.sub("\n", text))


def is_poll(request: HttpRequest) -> bool:
    """The live part of a page asks for itself again."""
    return bool(getattr(request, "htmx", False))


def staff_page(view: View) -> View:
    """Only signed-in staff see the page, and no cache keeps it. A poll of a signed-out page reloads
    the page.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            if is_poll(request):
                return HttpResponseClientRefresh()
            return redirect_to_login(request.get_full_path(), login_url=reverse("sign_in"))
        if request.user.kind != "staff":
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return never_cache(guarded)


def actor_of(request: HttpRequest) -> Actor:
    """Returns the signed-in person behind the request, as the one who acts."""
    return cast("Actor", request.user)


FRESHNESS: Registry[Callable[[HttpRequest], HttpResponse | None]] = Registry(
    "freshness checks",
    entries_are="raises, or answers, when the person must first show again who it is",
    owner=__name__,
)


def fresh_page(view: View) -> View:
    """What the page's form does is done only by somebody who showed a short while ago who it is.

    Looking at the page is free.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST":
            for ask in FRESHNESS.values():
                if (answer := ask(request)) is not None:
                    return answer
        return view(request, *args, **kwargs)

    return guarded


@contextmanager
def refusals_told(request: HttpRequest) -> Iterator[None]:
    """A refusal inside is a message on the next page, in the reader's language, and nothing more
    happens.
    """
    try:
        yield
    except WinddownError as refused:
        refusals.note(refused, actor_of(request))
        messages.error(request, words.refusal(refused))
