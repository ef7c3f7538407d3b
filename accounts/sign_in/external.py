"""Our OpenID Connect client: allauth's, with a nonce, PKCE, and a signature that is always checked."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any

from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest

from winddown.models import Capability


class FencedAdapter(OpenIDConnectOAuth2Adapter):
    """Reads the person's identity from the signed ID token only."""

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        given = kwargs["response"].get("id_token")
        if not given:
            raise OAuth2Error("the provider gave no ID token")
        config = self.openid_config
        try:
            claims = jwtkit.verify_and_decode(
                credential=given,
                keys_url=config["jwks_uri"],
                issuer=config["issuer"],
                audience=app.client_id,
                lookup_kid=jwtkit.lookup_kid_jwk,
            )
            return self.get_provider().sociallogin_from_response(request, {"id_token": claims})
        except (KeyError, ValueError) as missing:
            raise OAuth2Error("the ID token lacks what it must have") from missing


class FencedProvider(OpenIDConnectProvider):
    """Starts a handshake. Parameters of the address cannot change its scope. A nonce binds the
    answer to it.
    """

    oauth2_adapter_class = FencedAdapter

    def get_scope_from_request(self, request: HttpRequest) -> list[str]:
        return list(self.get_scope())

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        kwargs = super().get_redirect_from_request_kwargs(request)
        nonce = secrets.token_urlsafe(24)
        return {**kwargs, "process": "login", "nonce": nonce, "auth_params": {"nonce": nonce}}


@dataclass(frozen=True, slots=True)
class Offer:
    """A provider at which customers of this service can sign in. A stopped one was usable until
    `since`.
    """

    provider: str
    is_on: bool
    since: dt.datetime


def offered() -> list[Offer]:
    """Returns the providers that the settings name, in their order, with their switches."""
    configured = [
        app["provider_id"] for app in settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    ]
    switches = Capability.objects.in_bulk(
        [f"login_external:{provider}" for provider in configured], field_name="code"
    )
    return [
        Offer(provider, switch.state == Capability.State.ENABLED, switch.since)
        for provider in configured
        if (switch := switches.get(f"login_external:{provider}"))
    ]


def offer_of(provider: str) -> Offer | None:
    """Returns None for a provider that the settings do not name."""
    return next((offer for offer in offered() if offer.provider == provider), None)
