"""The console's pages about accounts: assisted recovery (the queue, a case, its acts), and attacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.attacks import attack_page
from accounts.models import RecoveryCase
from accounts.recovery import case_page, cases
from accounts.recovery.case_page import CasePage
from accounts.recovery.forms import ProofForm, ProposeForm, QueueForm, RejectionForm
from winddown import words
from winddown.actors import Actor
from winddown.site.forms import ReasonForm
from winddown.site.pages import actor_of, fresh_page, page, refusals_told, staff_page

_Act = Callable[[RecoveryCase, Actor, dict[str, Any]], object]
_ACTS: dict[str, _Act] = {
    "take": lambda case, by, given: cases.take(case, actor=by, reason=given["reason"]),
    "proof": lambda case, by, given: cases.add_proof(
        case, kind=given["kind"], note=given["note"], actor=by
    ),
    "propose": lambda case, by, given: cases.propose(
        case,
        account=given["account"],
        actor=by,
        reason=given["reason"],
        second_factor_lost=bool(given["second_factor_lost"]),
    ),
    "renew": lambda case, by, given: cases.propose(
        case, account="", actor=by, reason=given["reason"]
    ),
    "decline": lambda case, by, given: cases.decline(
        case, code=given["code"], actor=by, reason=given["reason"]
    ),
    "approve": lambda case, by, given: cases.decide(
        case, actor=by, digest=given["digest"], reason=given["reason"], approve=True
    ),
    "reject": lambda case, by, given: cases.decide(
        case, actor=by, digest=given["digest"], reason=given["reason"], approve=False
    ),
    "revoke": lambda case, by, given: cases.revoke(
        case, code=given["code"], actor=by, reason=given["reason"]
    ),
}


def _seen(request: HttpRequest, number: int) -> CasePage:
    if not case_page.may_see(actor_of(request)):
        raise PermissionDenied
    found = get_object_or_404(RecoveryCase.objects.select_related("account"), pk=number)
    return case_page.look(found, actor=actor_of(request))


@require_safe
@staff_page
def case_list(request: HttpRequest) -> HttpResponse:
    if not case_page.may_see(actor_of(request)):
        raise PermissionDenied
    states = [("", _("Not ended"))] + [
        (state, words.state_word("recovery_case", state).word)
        for state in RecoveryCase.State.values
    ]
    form = QueueForm(request.GET or None, states=states)
    given = form.cleaned_data if form.is_valid() else {}
    number = request.GET.get("page", "1")
    seen = case_page.queue(
        state=given.get("state") or "",
        days=given.get("days"),
        page=max(1, int(number)) if number.isdecimal() and len(number) < 7 else 1,
    )
    return page(request, "accounts/case_list.html", form=form, seen=seen, chosen=given)


@require_safe
@staff_page
def case(request: HttpRequest, number: int) -> HttpResponse:
    return page(request, "accounts/case.html", seen=_seen(request, number))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def case_decide(request: HttpRequest, number: int, verb: str) -> HttpResponse:
    seen = _seen(request, number)
    if verb not in _ACTS:
        raise Http404
    form = _form(request, verb, seen)
    if request.method == "POST" and form.is_valid():
        with refusals_told(request):
            _ACTS[verb](seen.case, actor_of(request), form.cleaned_data)
            messages.success(request, _("Done."))
        return redirect("cases:case", number)
    decision = seen.decision(verb)
    if decision is None:
        messages.error(request, _("The case is no longer in a state in which this is possible."))
        return redirect("cases:case", number)
    return page(request, "accounts/case_decide.html", seen=seen, decision=decision, form=form)


def _form(request: HttpRequest, verb: str, seen: CasePage) -> Form:
    given = request.POST or None
    if verb == "proof":
        return ProofForm(given, kinds=seen.kinds_left)
    if verb == "propose":
        return ProposeForm(given)
    if verb in ("decline", "revoke"):
        return RejectionForm(given, codes=list(case_page.REJECTION_WORDS.items()))
    return ReasonForm(given, initial={"digest": seen.request.digest if seen.request else ""})


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def case_contact(request: HttpRequest, number: int) -> HttpResponse:
    """The person's contact data is shown once, in the answer to the request that gives the reason."""
    seen = _seen(request, number)
    form, contact = ReasonForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        contact = cases.disclose_contact(
            seen.case, actor=actor_of(request), reason=form.cleaned_data["reason"]
        )
    return page(request, "accounts/case_contact.html", seen=seen, form=form, contact=contact)


@require_safe
@staff_page
def attack(request: HttpRequest) -> HttpResponse:
    seen = attack_page.look(span=request.GET.get("span", ""), reader=actor_of(request))
    return page(request, "accounts/attack.html", seen=seen)


# These stand in the namespace of the incident's pages.
attack_urlpatterns = [path("attack/", attack, name="attack")]
urlpatterns = [
    path("recovery/", case_list, name="list"),
    path("recovery/<int:number>/", case, name="case"),
    path("recovery/<int:number>/contact/", case_contact, name="contact"),
    path("recovery/<int:number>/<slug:verb>/", case_decide, name="decide"),
]
app_name = "cases"
