"""Device tokens: given to a signed-in customer's app, and judged like a session at every request."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets

from django.utils.crypto import salted_hmac

from accounts.credentials import passwords, session_rules
from accounts.credentials.admissions import Admission
from accounts.errors import DeviceKeyUsed, TokensAreForCustomers, TooManyTokens
from accounts.models import DeviceToken, User
from winddown import clock

TOKENS_MAX = 20
# A second click comes at once.
SAME_DEVICE_WITHIN = dt.timedelta(minutes=10)


def issue(
    user: User, *, authority: Admission, device_name: str, once: str = ""
) -> tuple[DeviceToken, str, bool]:
    """The device has a token. Returns it with its text, and whether it is a new one. The token has
    the method and the switch of the session that asks.

    Asked again with the same `once` within ten minutes, the device has the same token. The text is
    not stored. With `once` it is derived from it by the site's secret. Raises `AuthorityFenced`,
    `TokensAreForCustomers` or `TooManyTokens`, and `DeviceKeyUsed` when the token of this `once` is
    too old or no longer accepted.
    """
    if user.kind != User.Kind.CUSTOMER:
        raise TokensAreForCustomers
    text = _text_of(user, device_name, once) if once else secrets.token_urlsafe(32)
    with passwords.giving(user, authority_at=authority.at) as at:
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        earlier = DeviceToken.objects.filter(digest=_digest(text)).first()
        if earlier is not None:
            if holder(text) is None or at - earlier.issued_at > SAME_DEVICE_WITHIN:
                raise DeviceKeyUsed
            return earlier, text, False
        living = user.device_tokens.filter(
            revoked_at=None, issued_at__gt=at - session_rules.TOKEN_MAX
        )
        if living.count() >= TOKENS_MAX:
            raise TooManyTokens(most=TOKENS_MAX)
        token = DeviceToken.objects.create(
            user=user,
            digest=_digest(text),
            device_name=device_name,
            issued_at=at,
            method=authority.method,
            switch_version=authority.switch_version,
        )
    return token, text, True


def given(text: str) -> DeviceToken | None:
    """Returns the token with that text, whether it is accepted or not, with its owner."""
    return DeviceToken.objects.filter(digest=_digest(text)).select_related("user").first()


def holder(text: str) -> User | None:
    """Returns the owner of the token if the token is accepted now."""
    token = given(text)
    if token is None or token.revoked_at is not None:
        return None
    admission = Admission(token.issued_at, token.method, token.switch_version)
    lasts = session_rules.TOKEN_MAX
    if session_rules.session_refusal(token.user_id, admission, lasts=lasts) is not None:
        return None
    user: User = token.user
    return user


def revoke(token: DeviceToken) -> bool:
    """The token opens nothing any more. Returns False when it was revoked before."""
    living = DeviceToken.objects.filter(pk=token.pk, revoked_at=None)
    return bool(living.update(revoked_at=clock.now()))


def _text_of(user: User, device_name: str, once: str) -> str:
    told = json.dumps([user.pk, device_name, once])
    return salted_hmac("accounts.device_tokens", told, algorithm="sha256").hexdigest()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
