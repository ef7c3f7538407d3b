"""The customers' pages of recovery and sign-up: a reset, a new account, an assisted case.

Every answer to a request is the same page, whether or not the person is known. The token of a
mailed link is taken out of the address before a password is typed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import addresses
from accounts.attempts import limits
from accounts.errors import LinkDead
from accounts.merchants import receipt_views
from accounts.models import AccessRequest, OneTimeLink, User
from accounts.recovery import (
    access_requests,
    by_link,
    cases,
    links,
    own_address_views,
    registration,
)
from accounts.recovery.cases import Contact
from accounts.recovery.forms import (
    CodeForm,
    HelpForm,
    NewPasswordForm,
    OnceForm,
    ReferenceForm,
    RegisterForm,
    WhoForm,
)
from accounts.sign_in.origins import know_device, network_of
from accounts.sign_in.sessions import admission_of
from winddown import words
from winddown.errors import WinddownError
from winddown.site.pages import page

_LINK, _REQUEST, _CASE = "one_time_link", "access_request", "recovery_case"
Purpose = AccessRequest.Purpose


def _ask(
    request: HttpRequest, purpose: str, typed: str, *, limit: str, form: OnceForm
) -> HttpResponse:
    """The request is written if the limits allow it. Everybody gets the same answer."""
    network, address = network_of(request), addresses.understood(typed)
    key = address.text if address else typed
    if limits.allow(limit, key=key, network=network):
        asked = access_requests.ask(
            purpose, typed, language=get_language() or "ja", network=network, form=form.key()
        )
        request.session[_REQUEST] = str(asked.key)
    request.session["asked_for"] = purpose
    return redirect("recovery:sent")


# --- a new password -----------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def ask(request: HttpRequest) -> HttpResponse:
    form = WhoForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        who = form.cleaned_data["who"]
        return _ask(request, Purpose.RECOVER, who, limit="reset_request", form=form)
    return page(request, "accounts/recovery_ask.html", form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def sent(request: HttpRequest) -> HttpResponse:
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            link = _by_code(request, form.cleaned_data["code"])
        except LinkDead:
            form.add_error("code", _("This code is not right, or no longer valid."))
        else:
            return _opened(request, links.token(link))
    shown = {"form": form, "purpose": request.session.get("asked_for", Purpose.RECOVER)}
    return page(request, "accounts/recovery_sent.html", **shown)


def _by_code(request: HttpRequest, code: str) -> OneTimeLink:
    key = request.session.get(_REQUEST)
    asked = AccessRequest.objects.filter(key=key).first() if key else None
    if asked is None or not limits.allow("one_time_code", network=network_of(request)):
        raise LinkDead
    return links.by_code(asked, code)


@require_safe
@never_cache
def open_link(request: HttpRequest, token: str | None = None) -> HttpResponse:
    """The token comes from the middleware, which took it out of the address."""
    given = getattr(request, "link_token", token or "").removesuffix("/")
    try:
        link = links.by_token(given)
    except LinkDead:
        return _dead(request)
    return _opened(request, links.token(link))


def _opened(request: HttpRequest, token: str) -> HttpResponse:
    """Returns the form's page. The session holds the token, and the address bar shows none. It
    signs nobody out.
    """
    request.session[_LINK] = token
    return redirect("recovery:password")


def _dead(request: HttpRequest) -> HttpResponse:
    answer = page(request, "accounts/recovery_link_dead.html")
    answer.status_code = 410
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password", "again")
@never_cache
def password(request: HttpRequest) -> HttpResponse:
    try:
        link = links.by_token(request.session.get(_LINK, ""))
        if link.purpose == OneTimeLink.Purpose.BROWSER:
            return _browser(request, link)
        if link.purpose == OneTimeLink.Purpose.ADDRESS:
            return own_address_views.prove(request, link)
        if link.purpose == OneTimeLink.Purpose.MERCHANT:
            return receipt_views.confirm(request, link)
        form = NewPasswordForm(request.POST or None, user=_owner(link))
        if request.method == "POST" and form.is_valid() and _done(request, link, form):
            return redirect("sign_in")
    except LinkDead:
        return _dead(request)
    return page(request, "accounts/recovery_password.html", form=form, link=link)


def _browser(request: HttpRequest, link: OneTimeLink) -> HttpResponse:
    """Returns the page on which staff make this browser known. A POST makes it known."""
    if request.method != "POST":
        return page(request, "accounts/recovery_browser.html", link=link)
    know_device(request, by_link.admit_browser(link))
    del request.session[_LINK]
    messages.success(request, _("This browser is known now. Sign in as always."))
    return redirect("sign_in")


def _owner(link: OneTimeLink) -> User:
    if link.user_id is not None:
        return User.objects.get(pk=link.user_id)
    address = links.address_for(link)
    return User(login_id=address.text, **{address.channel: address.text})


def _done(request: HttpRequest, link: OneTimeLink, form: NewPasswordForm) -> bool:
    """The link is used and the person is told. Returns False when `form` has the reason of a
    refusal.
    """
    with _refusal_in(form):
        if link.purpose == OneTimeLink.Purpose.SIGN_UP:
            registration.open_account(link, form.cleaned_data["password"])
            told = _("Your account is open. Sign in with your address and the password.")
        else:
            owner = by_link.choose_password(link, form.cleaned_data["password"])
            know_device(request, owner)
            told = _("Your new password is set. Sign in with it.")
        request.session.flush()
        messages.success(request, told)
    return form.is_valid()


@contextmanager
def _refusal_in(form: NewPasswordForm) -> Iterator[None]:
    """A refusal inside becomes an error of `form`. `LinkDead` is raised further, because a dead
    link has its own page.
    """
    try:
        yield
    except LinkDead:
        raise
    except WinddownError as refused:
        form.add_error(None, words.refusal(refused))


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password", "again")
@never_cache
def first_password(request: HttpRequest) -> HttpResponse:
    admission = admission_of(request.session)
    if not request.user.is_authenticated or admission is None:
        return redirect("sign_in")
    if not by_link.may_set_first_password(request.user, admission):
        messages.error(request, _("Sign in once more with the other service, then set a password."))
        return redirect("home")
    form = NewPasswordForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        with _refusal_in(form):
            by_link.set_first_password(
                request.user,
                form.cleaned_data["password"],
                admission=admission,
                language=get_language() or "ja",
            )
            request.session.flush()
            messages.success(request, _("Your new password is set. Sign in with it."))
            return redirect("sign_in")
    return page(request, "accounts/recovery_first_password.html", form=form)


# --- a new account ------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def register(request: HttpRequest) -> HttpResponse:
    if (stopped := registration.stopped()) is not None:
        return page(request, "accounts/register_stopped.html", offer=stopped)
    form = RegisterForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        who = form.cleaned_data["who"]
        return _ask(request, Purpose.SIGN_UP, who, limit="sign_up", form=form)
    return page(request, "accounts/register.html", form=form)


# --- an assisted case ---------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def ask_help(request: HttpRequest) -> HttpResponse:
    form = HelpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given, network = form.cleaned_data, network_of(request)
        if limits.allow("recovery_case", key=given["who"], network=network):
            case = cases.open_case(
                Contact(given["name"], given["account"], given["who"], given["story"]),
                address=form.address,
                language=get_language() or "ja",
                network=network,
            )
            request.session[_CASE] = case.reference
            return redirect("recovery:case")
        form.add_error(None, _("There were too many requests. Try again later."))
    return page(request, "accounts/case_open.html", form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def case_status(request: HttpRequest) -> HttpResponse:
    form = ReferenceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        found = None
        if limits.allow("recovery_case", network=network_of(request)):
            found = cases.of_reference(form.cleaned_data["reference"])
        if found is not None:
            request.session[_CASE] = found.reference
            return redirect("recovery:case")
        form.add_error("reference", _("There is no case with this reference."))
    case = cases.of_reference(request.session.get(_CASE, ""))
    return page(request, "accounts/case_status.html", form=form, case=case, once=OnceForm())


@require_POST
def case_link(request: HttpRequest) -> HttpResponse:
    reference = request.session.get(_CASE, "")
    form = OnceForm(request.POST)
    return _ask(request, Purpose.CASE, reference, limit="reset_request", form=form)


urlpatterns = [
    path("recovery/", ask, name="ask"),
    path("recovery/sent/", sent, name="sent"),
    path("recovery/link/", open_link),
    path("recovery/link/<str:token>/", open_link, name="open"),
    path("recovery/password/", password, name="password"),
    path("recovery/first-password/", first_password, name="first_password"),
    path("recovery/help/", ask_help, name="help"),
    path("recovery/case/", case_status, name="case"),
    path("recovery/case/link/", case_link, name="case_link"),
    path("register/", register, name="register"),
    path("account/address/", own_address_views.ask, name="address"),
]
app_name = "recovery"
