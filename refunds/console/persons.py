"""The console's pages of persons above accounts."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.persons import matching
from refunds.applications import person_page
from refunds.applications.person_acts import PERSONS
from winddown.site.doors import DOORS, Door
from winddown.site.pages import actor_of, fresh_page, page, staff_page, verb_page


@require_safe
@staff_page
def persons(request: HttpRequest) -> HttpResponse:
    seen = person_page.look(actor=actor_of(request))
    return page(request, "refunds/persons.html", seen=seen)


@require_safe
@staff_page
def person(request: HttpRequest, number: int) -> HttpResponse:
    seen = person_page.one(number, actor=actor_of(request))
    if seen is None:
        raise Http404
    return page(request, "refunds/person.html", seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def persons_act(request: HttpRequest, verb: str) -> HttpResponse:
    return verb_page(request, verb, PERSONS, back="console:persons", crumb=_("Persons"))


_OF_PERSONS = (matching.PERMISSION,)
DOORS.add(
    "console:persons",
    Door(_OF_PERSONS, title=_lazy("Persons"), under="console:applications"),
    place=5,
)
DOORS.add("console:person", Door(_OF_PERSONS))
DOORS.add("console:persons_act", Door(_OF_PERSONS))

urlpatterns = [
    path("persons/", persons, name="persons"),
    path("persons/<int:number>/", person, name="person"),
    path("persons/<slug:verb>/", persons_act, name="persons_act"),
]
