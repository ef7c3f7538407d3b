"""The adapters of django-allauth. It supplies protocol and flow, and `accounts.credentials`
decides.
"""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal import flows
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.models import Login
from allauth.core.exceptions import ImmediateHttpResponse, ReauthenticationRequired
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, _build_apps_from_settings
from django.contrib import messages
from django.contrib.auth import HASH_SESSION_KEY
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.credentials import sign_ins
from accounts.models import User
from accounts.sign_in import sessions
from accounts.sign_in.origins import origin_of
from winddown import encryption
from winddown.models import Programme

FRESH_FOR = dt.timedelta(minutes=10)
SECRET_PLACE = "mfa_authenticator/data"  # noqa: S105  where it stands, not what it is


def fresh(request: HttpRequest) -> bool:
    """Returns whether the person behind the session was asked for a proof within the last ten
    minutes.

    It uses the real clock, because a rehearsal's clock jumps.
    """
    records = get_authentication_records(request, request.user)
    newest = max((float(record["at"]) for record in records), default=0.0)
    return timezone.now().timestamp() - newest < FRESH_FOR.total_seconds()


def ask_again(request: HttpRequest) -> None:
    """The view goes on when `fresh`. Otherwise the form is kept, and sent when the person has given
    a proof.
    """
    if not fresh(request):
        raise ReauthenticationRequired


class AccountAdapter(DefaultAccountAdapter):
    """Signs nobody in without an admission. The admission is kept from the first factor to the
    session.
    """

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_stages(self) -> list[str]:
        return ["allauth.mfa.stages.AuthenticateStage"]

    def pre_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse | None:
        """The session has the admission of the first factor from now on."""
        if user.admission is None:
            raise AssertionError("a sign-in needs an admission of accounts.credentials")
        sessions.begin(request.session, user, remembered=bool(request.POST.get("remember")))
        return None

    def login(self, request: HttpRequest, user: Any) -> None:
        """The user is signed in, under the admission of the first factor."""
        user.admission = sessions.admission_of(request.session)
        if user.admission is None:
            raise AssertionError("a sign-in needs an admission of accounts.credentials")
        previous = user.last_login
        super().login(request, user)
        # Django has written the real time. People are shown the programme's time.
        User.objects.filter(pk=user.pk).update(last_login=user.admission.at)
        request.session["previous_sign_in"] = previous.isoformat() if previous else None
        sessions.open_for(request, user)

    def post_login(
        self, request: HttpRequest, user: Any, *, redirect_url: str | None, **kwargs: Any
    ) -> HttpResponse:
        return HttpResponseRedirect(redirect_url or self.get_login_redirect_url(request))

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Returns the page where the customers begin. It leads staff to where their role begins."""
        return resolve_url("home")

    def reauthenticate(self, user: Any, password: str) -> bool:
        """Returns whether the password is right. It is judged and recorded like a sign-in.

        The sign-in may have renewed the stored hash. The session then goes on under the new one.
        """
        asked = sign_ins.sign_in(user.login_id, password, origin=origin_of(self.request))
        if asked is None or asked.pk != user.pk:
            return False
        self.request.session[HASH_SESSION_KEY] = asked.get_session_auth_hash()
        return True

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        return not fresh(self.request)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Returns the second factor where there is one, else the password."""
        methods = super().get_reauthentication_methods(user)
        stronger = [each for each in methods if each["id"] != "reauthenticate"]
        return stronger or methods

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Sends nothing. Mail leaves through our own outbox only."""

    def add_message(self, *args: Any, message: str | None = None, **kwargs: Any) -> None:
        """allauth's own messages are dropped. Our own refusal is shown."""
        if message is not None:
            super().add_message(*args, message=message, **kwargs)


class SecondFactorAdapter(DefaultMFAAdapter):
    """Second factors: secrets encrypted with the field key, named after the programme."""

    def encrypt(self, text: str) -> str:
        sealed = encryption.seal(text.encode(), place=SECRET_PLACE)
        return base64.b64encode(sealed).decode()

    def decrypt(self, encrypted_text: str) -> str:
        sealed = base64.b64decode(encrypted_text)
        return encryption.unseal(sealed, place=SECRET_PLACE).decode()

    def _get_site_name(self) -> str:
        programme = Programme.objects.filter(pk=1).first()
        return programme.name if programme else "Wind-down"

    def _get_user_identifier(self, user: Any) -> str:
        return str(user.login_id)

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002  allauth's
        """Returns the name of a passkey to which its owner gives none."""
        there = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return _("Passkey %(number)s") % {"number": there + 1}

    def can_delete_authenticator(self, authenticator: Any) -> bool:
        """Returns whether it may be deleted. A member of staff must keep another one."""
        if authenticator.user.kind != User.Kind.STAFF:
            return True
        others = Authenticator.objects.filter(user_id=authenticator.user_id)
        others = others.exclude(pk=authenticator.pk).exclude(type=Authenticator.Type.RECOVERY_CODES)
        return bool(others.exists())


class ExternalAdapter(DefaultSocialAccountAdapter):
    """External sign-in: providers come from the settings, identities from `ExternalIdentity`.

    No row of allauth's own is read or written.
    """

    def list_apps(self, request: Any, provider: Any = None, client_id: Any = None) -> list[Any]:
        found = _build_apps_from_settings(provider=provider, client_id=client_id)
        return [app for apps in found.values() for app in apps]

    def authenticate_by_email(self, sociallogin: Any) -> None:
        """An e-mail address that a provider names opens nothing."""

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """The handshake is done. This code decides about it, and no further step of allauth
        follows.

        Every end without a session is the same for every reason (rule 14).
        """
        provider = sociallogin.account.provider
        claims = sociallogin.account.extra_data.get("id_token") or {}
        user = None
        if claims.get("nonce") == sociallogin.state.get("nonce") is not None:
            user = sign_ins.sign_in_external(
                provider, sociallogin.account.uid, origin=origin_of(request)
            )
        else:
            sign_ins.refuse(provider, origin=origin_of(request))
        if user is None:
            messages.error(request, _("It opens no account here at present."))
            raise ImmediateHttpResponse(redirect("external_sign_in", provider))
        flows.login.record_authentication(request, user, "socialaccount", provider=provider)
        login = Login(user=user, redirect_url=sociallogin.state.get("next"))
        raise ImmediateHttpResponse(flows.login.perform_login(request, login))

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, *, exception: Any = None, **kwargs: Any
    ) -> None:
        """A refusal of the provider, a broken handshake and a cancelled one end in the same way. An
        answer that proves nobody is recorded.
        """
        if exception is not None:
            sign_ins.refuse(provider.app.provider_id, origin=origin_of(request))
        messages.error(request, _("The other service did not confirm the sign-in. Try again."))
        raise ImmediateHttpResponse(redirect("external_sign_in", provider.app.provider_id))
