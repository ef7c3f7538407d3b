"""What every page shares: the programme, its time zone, and the decorators that let only staff in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django_htmx.http import HttpResponseClientRefresh

from winddown import clock, words
from winddown.actors import Actor
from winddown.authority import who_can
from winddown.authority.role_words import missing
from winddown.errors import (
    AskedAlready,
    DoneAlready,
    NothingToDecide,
    NotPermitted,
    PlanChanged,
    PlanExpired,
    TransitionRefused,
    WinddownError,
)
from winddown.evidence import refused as refusals
from winddown.models import Programme
from winddown.programme.evidence_files import File
from winddown.registries import Registry
from winddown.site import acts, doors
from winddown.site.acts import Act
from winddown.site.decisions import Decision
from winddown.words import Text

_ONLY_SPACES = re.compile(r"\n[ \t]+(?=\n)")
View = Callable[..., HttpResponse]


def page(
    request: HttpRequest,
    template: str,
    **shown: Any,
) -> HttpResponse:
    """Returns the rendered template. Times are in the programme's zone. The template gets the
    programme and whether this is a rehearsal.
    """
    programme = shown.pop("programme", None) or Programme.objects.filter(pk=1).first()
    zone = zone_of(programme)
    rehearsal = shown.pop("rehearsal") if "rehearsal" in shown else clock.is_rehearsal()
    with timezone.override(zone):
        text = render_to_string(
            template, {"programme": programme, "rehearsal": rehearsal, **shown}, request
        )
    # A line that held only template tags leaves its spaces behind. They are a third of the bytes.
    return HttpResponse(_ONLY_SPACES.sub("\n", text))


def zone_of(programme: Programme | None) -> ZoneInfo:
    """Returns the programme's time zone, and UTC before there is a programme."""
    return programme.zone if programme else ZoneInfo("UTC")


def told(refused: WinddownError) -> str:
    """Returns the refusal in the reader's language, with its instants in the programme's zone."""
    with timezone.override(zone_of(Programme.objects.filter(pk=1).first())):
        return words.refusal(refused)


def is_poll(request: HttpRequest) -> bool:
    """Returns whether the live part of a page asked for itself again."""
    return bool(getattr(request, "htmx", False))


def _name_of(request: HttpRequest) -> str:
    """Returns the name of the address that was asked for. A form that waited for a fresh code is
    done under the address of the code, so its own address is looked up.
    """
    try:
        return resolve(request.path_info).view_name
    except Resolver404:
        return ""


def _refused_page(request: HttpRequest, refused: NotPermitted) -> HttpResponse:
    """The audit journal notes the refusal. Returns its answer: staff read who could."""
    refusals.note(refused, actor_of(request))
    if not actor_of(request).staff_number:
        raise PermissionDenied from refused
    permission = refused.facts["permission"]
    answer = page(
        request,
        "winddown/refused.html",
        missing=missing(permission),
        people=who_can.names_with(permission),
    )
    answer.status_code = 403
    return answer


def staff_page(view: View) -> View:
    """Only signed-in staff see the page, and no cache keeps it. A poll of somebody who is signed
    out reloads the whole page.

    A missing permission is answered with 403, for a GET too, and the audit journal notes it, also
    that of a customer. Staff read who could do it.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            if is_poll(request):
                return HttpResponseClientRefresh()
            return redirect_to_login(request.get_full_path(), login_url=reverse("sign_in"))
        opened = _name_of(request)
        try:
            if request.user.kind != "staff":
                raise NotPermitted(
                    actor=request.user.pk, action=f"open {opened}", permission="staff"
                )
            doors.enter(opened, actor_of(request))
            return view(request, *args, **kwargs)
        except NotPermitted as refused:
            return _refused_page(request, refused)

    return never_cache(guarded)


def actor_of(request: HttpRequest) -> Actor:
    """Returns the signed-in person behind the request, as the one who acts."""
    return cast("Actor", request.user)


FRESHNESS: Registry[Callable[[HttpRequest], HttpResponse | None]] = Registry(
    "freshness checks",
    entries_are="raises, or answers, when the person must first confirm their identity again",
    owner=__name__,
)


def fresh_page(view: View) -> View:
    """The form of the page is accepted only from somebody who confirmed their identity a short
    while ago. Looking at the page needs no confirmation.
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
    """A refusal inside becomes a message on the next page, in the reader's language. The audit
    journal notes a missing permission and a second signature of one person.
    """
    try:
        yield
    except WinddownError as refused:
        refusals.note(refused, actor_of(request))
        messages.error(request, told(refused))


def _happened(decision: Decision | None, *, about: Text) -> str:
    """Returns what the next page says: what was done to what, and what comes next."""
    if decision is None:
        return _("Done. The audit journal records it under your name.")
    done = _("{verb} ({about})") if about else "{verb}"
    return _("Done: {act}. The audit journal records it under your name. {then}").format(
        act=done.format(verb=decision.title, about=about), then=decision.then
    )


# Refusals after which the form shows something that is no longer so.
OVERTAKEN = (
    AskedAlready,
    DoneAlready,
    NothingToDecide,
    PlanChanged,
    PlanExpired,
    TransitionRefused,
)


def decision_page(
    request: HttpRequest,
    template: str,
    *,
    form: Form,
    decision: Decision | None,
    act: Callable[[dict[str, Any]], object],
    back: str,
    gone: str,
    told_by: Callable[[Any], Text] | None = None,
    **shown: Any,
) -> HttpResponse:
    """The decision of a valid form is made by `act`, and the browser goes to the address `back`;
    otherwise the form is shown.

    A refusal by `act` is shown above the form, which keeps what was typed. If `act` returns a
    response, it is the answer; `told_by` makes a sentence for the next page of what else it returned.
    Without a `decision` there is nothing to decide any more, or the subject has changed: the
    refusal, or `gone`, becomes a message on the page `back`. Raises `NotPermitted` for a person
    without the permission of the decision, before anything is typed.
    """
    if decision is not None:
        doors.enter_verb(_name_of(request), decision, actor=actor_of(request))
    if request.method == "POST" and form.is_valid():
        try:
            answer = act(form.cleaned_data)
        except WinddownError as refused:
            refusals.note(refused, actor_of(request))
            if decision is None or isinstance(refused, OVERTAKEN):
                messages.error(request, told(refused))
                return redirect(back)
            form.add_error(None, told(refused))
        else:
            # A file that is sent piece by piece is none of the usual responses.
            if isinstance(answer, HttpResponseBase):
                return cast("HttpResponse", answer)
            said = [_happened(decision, about=shown.get("about", ""))]
            said += [str(told_by(answer))] if told_by is not None else []
            messages.success(request, " ".join(said))
            return redirect(back)
    if decision is None:
        messages.error(request, gone)
        return redirect(back)
    return page(request, template, form=form, decision=decision, back=back, **shown)


def act_page(
    request: HttpRequest,
    act: Act,
    *,
    back: str,
    crumb: Text,
    decision: Decision | None,
    gone: str = "",
    initial: dict[str, Any] | None = None,
) -> HttpResponse:
    """The form of the act, as `decision_page` shows and carries out every decision. `crumb` is the
    title of the page `back`.
    """
    return decision_page(
        request,
        "winddown/act.html",
        form=act.form(request.POST or None, request.FILES or None, initial=initial),
        decision=decision,
        act=lambda given: act.do(actor_of(request), given),
        back=back,
        gone=gone,
        told_by=act.says,
        act_of=act,
        crumb=crumb,
    )


def verb_page(
    request: HttpRequest, verb: str, known: Mapping[str, Act], *, back: str, crumb: Text
) -> HttpResponse:
    """The form of the verb, filled in from the query of the address. A verb that is not `known` is
    not found. `back` names the page that it belongs to.
    """
    if verb not in known:
        raise Http404
    act = known[verb]
    return act_page(
        request,
        act,
        back=reverse(back),
        crumb=crumb,
        decision=acts.decision(verb, act, actor=actor_of(request)),
        initial={name: request.GET[name] for name in act.form.base_fields if name in request.GET},
    )


def stored_file(file: File) -> HttpResponse:
    """Returns the file so that a browser only stores it: what it is was chosen by whoever gave it."""
    answer = HttpResponse(file.content, content_type="application/octet-stream")
    answer["Content-Disposition"] = content_disposition_header(True, file.name)
    return answer
