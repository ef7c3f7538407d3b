"""The console's pages about accounts: assisted recovery, attacks, and the access of staff."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts import look_up, member_page, staff_roles, who_can_page
from accounts.attacks import attack_page
from accounts.credentials import access
from accounts.member_page import MemberPage
from accounts.models import OneTimeLink, RecoveryCase, User
from accounts.recovery import case_page, cases, links, staff_recovery
from accounts.recovery.case_page import CasePage
from accounts.recovery.forms import (
    ProofForm,
    ProposeForm,
    QueueForm,
    RejectionForm,
    RolesForm,
    StaffRecoveryForm,
)
from accounts.reset_notices import reset_views
from accounts.staff_acts import STAFF
from winddown import words
from winddown.actors import Actor
from winddown.site import acts
from winddown.site.doors import DOORS, Door
from winddown.site.forms import ReasonForm
from winddown.site.pages import (
    act_page,
    actor_of,
    decision_page,
    fresh_page,
    page,
    staff_page,
)
from winddown.site.panels import Fact
from winddown.words import Text

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
    case_page.require_sight(actor_of(request))
    found = get_object_or_404(RecoveryCase.objects.select_related("account"), pk=number)
    return case_page.look(found, actor=actor_of(request))


@require_safe
@staff_page
def case_list(request: HttpRequest) -> HttpResponse:
    case_page.require_sight(actor_of(request))
    states = [("", _("Not ended"))] + [
        (state, words.state_word("recovery_case", state).word)
        for state in RecoveryCase.State.values
    ]
    form = QueueForm(request.GET or None, states=states)
    given = form.cleaned_data if form.is_valid() else {}
    seen = case_page.queue(
        state=given.get("state") or "",
        days=given.get("days"),
        page=_number_of_page(request),
    )
    return page(request, "accounts/case_list.html", form=form, seen=seen, chosen=given)


def _number_of_page(request: HttpRequest) -> int:
    number = request.GET.get("page", "1")
    return max(1, int(number)) if number.isdecimal() and len(number) < 7 else 1


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
    return decision_page(
        request,
        "accounts/case_decide.html",
        form=_form(request, verb, seen),
        decision=seen.decision(verb),
        act=lambda given: _ACTS[verb](seen.case, actor_of(request), given),
        back=reverse("cases:case", args=[number]),
        gone=_("The case is no longer in a state in which this is possible."),
        about=seen.case.reference,
        seen=seen,
    )


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
    found = _seen(request, number).case
    return _contact_page(
        request,
        subject=found.reference,
        about=_("What the person wrote"),
        back=reverse("cases:case", args=[found.pk]),
        disclose=lambda reason: case_page.contact_facts(
            cases.disclose_contact(found, actor=actor_of(request), reason=reason)
        ),
    )


def _contact_page(
    request: HttpRequest,
    *,
    subject: str,
    about: Text,
    back: str,
    disclose: Callable[[str], list[Fact]],
) -> HttpResponse:
    """The form asks for the reason, and its answer alone shows what `disclose` returns for it."""
    form, contact = ReasonForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        contact = disclose(form.cleaned_data["reason"])
    shown = {"subject": subject, "about": about, "back": back, "form": form, "contact": contact}
    return page(request, "accounts/contact.html", **shown)


@require_safe
@staff_page
def attack(request: HttpRequest) -> HttpResponse:
    seen = attack_page.look(span=request.GET.get("span", ""), reader=actor_of(request))
    return page(request, "accounts/attack.html", seen=seen)


# --- staff --------------------------------------------------------------------------------------


def _ask_recovery(person: User, by: Actor, given: dict[str, Any]) -> None:
    staff_recovery.request(
        person,
        actor=by,
        reason=given["reason"],
        second_factor_lost=bool(given["second_factor_lost"]),
    )


def _decide_roles(person: User, by: Actor, given: dict[str, Any], *, approve: bool) -> None:
    staff_roles.decide(
        person, actor=by, digest=given["digest"], reason=given["reason"], approve=approve
    )


_STAFF_ACTS: dict[str, Callable[[User, Actor, dict[str, Any]], object]] = {
    "recover": _ask_recovery,
    "agree": lambda person, by, given: staff_recovery.agree(
        person, actor=by, digest=given["digest"], reason=given["reason"]
    ),
    "refuse": lambda person, by, given: staff_recovery.reject(
        person, actor=by, digest=given["digest"], reason=given["reason"]
    ),
    "roles": lambda person, by, given: staff_roles.request(
        person, wanted=given["roles"], actor=by, reason=given["reason"]
    ),
    "approve-roles": partial(_decide_roles, approve=True),
    "reject-roles": partial(_decide_roles, approve=False),
    "disable": lambda person, by, given: access.disable(person, actor=by, reason=given["reason"]),
    "enable": lambda person, by, given: access.enable(person, actor=by, reason=given["reason"]),
}


def _seen_staff(request: HttpRequest, number: int) -> MemberPage:
    member_page.require_sight(actor_of(request))
    person = get_object_or_404(User, pk=number, kind=User.Kind.STAFF)
    return member_page.look(person, actor=actor_of(request))


@require_safe
@staff_page
def staff_list(request: HttpRequest) -> HttpResponse:
    member_page.require_sight(actor_of(request))
    return page(
        request, "accounts/staff_list.html", seen=member_page.members(page=_number_of_page(request))
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def staff_add(request: HttpRequest) -> HttpResponse:
    member_page.require_sight(actor_of(request))
    act = STAFF["add"]
    return act_page(
        request,
        act,
        back=reverse("staff:list"),
        crumb=_("Staff"),
        decision=acts.decision("add", act, actor=actor_of(request)),
    )


@require_safe
@staff_page
def staff_member(request: HttpRequest, number: int) -> HttpResponse:
    return page(request, "accounts/staff.html", seen=_seen_staff(request, number))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def staff_decide(request: HttpRequest, number: int, verb: str) -> HttpResponse:
    seen = _seen_staff(request, number)
    if verb not in _STAFF_ACTS:
        raise Http404
    return decision_page(
        request,
        "accounts/staff_decide.html",
        form=_staff_form(request, verb, seen),
        decision=seen.decision(verb),
        act=lambda given: _decide_staff(request, verb, seen, given),
        back=reverse("staff:member", args=[number]),
        gone=_("Nothing waits for a decision here any more."),
        about=words.person_name(seen.person),
        seen=seen,
        asked=seen.request(verb),
    )


def _decide_staff(
    request: HttpRequest, verb: str, seen: MemberPage, given: dict[str, Any]
) -> HttpResponse | None:
    """The decision is made. A link that it made is shown once, in the response that is returned."""
    link = _STAFF_ACTS[verb](seen.person, actor_of(request), given)
    if not isinstance(link, OneTimeLink):
        return None
    address = request.build_absolute_uri(reverse("recovery:open", args=[links.token(link)]))
    return page(request, "accounts/staff_link.html", seen=seen, link=link, address=address)


def _staff_form(request: HttpRequest, verb: str, seen: MemberPage) -> ReasonForm:
    given = request.POST or None
    if verb == "recover":
        return StaffRecoveryForm(given)
    if verb == "roles":
        return RolesForm(given, initial={"roles": seen.roles})
    asked = seen.request(verb)
    return ReasonForm(given, initial={"digest": asked.digest if asked else ""})


# These stand in the namespace of the incident's pages.
@require_safe
@staff_page
def who_can(request: HttpRequest) -> HttpResponse:
    return page(request, "accounts/who_can.html", seen=who_can_page.look(request.GET.dict()))


_OF_CASES = (cases.WORK, cases.DECIDE)
_OF_STAFF = (staff_recovery.PERMISSION, staff_roles.PERMISSION)
DOORS.add("console:look_up_contact", Door((look_up.READ_CONTACT,)))
DOORS.add("console:attack", Door(title=_lazy("Attack")), place=1)
DOORS.add("cases:list", Door(_OF_CASES, title=_lazy("Recovery")), place=3)
DOORS.add("staff:list", Door(_OF_STAFF, title=_lazy("Staff")), place=4)
DOORS.add("staff:who_can", Door())
for _name in ("case", "contact", "decide"):
    DOORS.add(f"cases:{_name}", Door(_OF_CASES))
for _name in ("add", "member", "decide"):
    DOORS.add(f"staff:{_name}", Door(_OF_STAFF))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
@fresh_page
def look_up_contact(request: HttpRequest, number: int) -> HttpResponse:
    """A customer's name and addresses, shown once in the answer to the form with the reason."""
    account = get_object_or_404(User, pk=number, kind=User.Kind.CUSTOMER)
    subject = f"account:{account.pk}"
    return _contact_page(
        request,
        subject=subject,
        about=_("What the account holds"),
        back=f"{reverse('console:look_up')}?{urlencode({'q': subject})}",
        disclose=lambda reason: look_up.disclose_contact(
            account, actor=actor_of(request), reason=reason
        ),
    )


attack_urlpatterns = [
    path("attack/", attack, name="attack"),
    *reset_views.urlpatterns,
    path("look-up/<int:number>/contact/", look_up_contact, name="look_up_contact"),
]
urlpatterns = [
    path("recovery/", case_list, name="list"),
    path("recovery/<int:number>/", case, name="case"),
    path("recovery/<int:number>/contact/", case_contact, name="contact"),
    path("recovery/<int:number>/<slug:verb>/", case_decide, name="decide"),
]
app_name = "cases"
staff_urlpatterns = [
    path("staff/", staff_list, name="list"),
    path("staff/add/", staff_add, name="add"),
    path("staff/who-can/", who_can, name="who_can"),
    path("staff/<int:number>/", staff_member, name="member"),
    path("staff/<int:number>/<slug:verb>/", staff_decide, name="decide"),
]
staff_app_name = "staff"
