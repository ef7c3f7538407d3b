"""allauth's views of the second factor and of fresh authentication, on our pages and under the fence.

A part of `accounts.sign_in.portal`, which alone mounts them.
"""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.internal.flows.login import record_authentication
from allauth.account.views import ReauthenticateView
from allauth.mfa.base import views as base
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import access_events
from accounts.attempts import limits
from accounts.credentials import passwords, sign_ins
from accounts.errors import AuthorityFenced
from accounts.models import AuthEvent, User
from accounts.sign_in import sessions
from accounts.sign_in.origins import network_of, origin_of
from winddown.site.pages import page


class OwnPage:
    """The view uses our own page: the portal's for customers, the console's for staff."""

    request: HttpRequest
    own_template: ClassVar[str]

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        staff = getattr(self.request.user, "kind", "") == User.Kind.STAFF
        frame = "base.html" if staff else "portal.html"
        shown = {key: value for key, value in context.items() if key not in ("view", "request")}
        return page(self.request, self.own_template, frame=frame, **shown)


class _Adding(OwnPage):
    """The added factor has the programme's time. The session must be one that the fence accepts.
    The session counts as having shown the factor.
    """

    kind: ClassVar[str]

    def form_valid(self, form: Any) -> HttpResponse:
        request: Any = self.request
        admission = sessions.admission_of(request.session)
        try:
            with passwords.giving(
                request.user, authority_at=admission.at if admission else None
            ) as at:
                super().form_valid(form)  # type: ignore[misc]
                added = Authenticator.objects.filter(user=request.user, type=self.kind)
                newest = added.latest("pk")
                Authenticator.objects.filter(pk=newest.pk).update(created_at=at)
                access_events.tell(request.user, "factor_added")
        except AuthorityFenced:
            return redirect("sign_in")
        record_authentication(request, request.user, "mfa", id=newest.pk, type=newest.type)
        messages.success(request, _("The second factor is set up."))
        codes = Authenticator.objects.filter(
            user=request.user, type=Authenticator.Type.RECOVERY_CODES
        ).first()
        shown = codes is None or codes.wrap().did_view
        return redirect("mfa_index" if shown else "mfa_view_recovery_codes")


class _Telling:
    """The owner is told of the form's change of a second factor."""

    request: Any
    event: ClassVar[str] = "factor_removed"

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            answer: HttpResponse = super().form_valid(form)  # type: ignore[misc]
            access_events.tell(self.request.user, self.event)
            return answer


class SecondFactorStage(OwnPage, base.AuthenticateView):
    own_template = "accounts/second_factor.html"


class SecondFactors(OwnPage, base.IndexView):
    own_template = "accounts/second_factors.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shown: dict[str, Any] = super().get_context_data(**kwargs)
        factors = shown["authenticators"]
        codes = factors.get(Authenticator.Type.RECOVERY_CODES)
        shown["unused_codes"] = len(codes.get_unused_codes()) if codes else 0
        staff = getattr(self.request.user, "kind", "") == User.Kind.STAFF
        shown["must_set_up"] = staff and not set(factors) - {Authenticator.Type.RECOVERY_CODES}
        return shown


class AddApp(_Adding, totp.ActivateTOTPView):
    own_template = "accounts/app_add.html"
    kind = Authenticator.Type.TOTP


class RemoveApp(_Telling, OwnPage, totp.DeactivateTOTPView):
    own_template = "accounts/app_remove.html"


class AddPasskey(_Adding, webauthn.AddWebAuthnView):
    own_template = "accounts/passkey_add.html"
    kind = Authenticator.Type.WEBAUTHN


class RemovePasskey(_Telling, OwnPage, webauthn.RemoveWebAuthnView):
    own_template = "accounts/passkey_remove.html"
    success_url = "/account/second-factor/"


class RecoveryCodes(OwnPage, recovery.ViewRecoveryCodesView):
    own_template = "accounts/recovery_codes.html"


class NewRecoveryCodes(_Telling, OwnPage, recovery.GenerateRecoveryCodesView):
    own_template = "accounts/recovery_codes_new.html"
    event = "recovery_codes_made"


class FreshPassword(OwnPage, ReauthenticateView):
    own_template = "accounts/fresh_password.html"


class FreshCode(OwnPage, base.ReauthenticateView):
    own_template = "accounts/fresh_code.html"


class FreshPasskey(OwnPage, webauthn.ReauthenticateWebAuthnView):
    own_template = "accounts/fresh_passkey.html"


class PasskeySignIn(webauthn.LoginWebAuthnView):
    """A passkey alone: two factors in one, judged like a password. An attempt over a limit is
    refused before its signature is verified.
    """

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not limits.allow("passkey", network=network_of(request)):
            sign_ins.refuse(AuthEvent.PASSKEY, origin=origin_of(request))
            return self.form_invalid(None)
        answer: HttpResponse = super().post(request, *args, **kwargs)
        return answer

    def form_valid(self, form: Any) -> HttpResponse:
        passkey = form.cleaned_data["credential"]
        sessions.leave(self.request)
        user = sign_ins.sign_in_passkey(
            passkey.user, registered_at=passkey.created_at, origin=origin_of(self.request)
        )
        if user is None:
            return self.form_invalid(form)
        passkey.user = user
        answer: HttpResponse = super().form_valid(form)
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        messages.error(self.request, _("This passkey does not open an account here."))
        return redirect("sign_in")


def own(view: Any) -> Any:
    """Returns the view, which no cache stores. Django's views of forms would take a PUT as a POST."""
    return require_http_methods(["GET", "HEAD", "POST"])(never_cache(view.as_view()))
