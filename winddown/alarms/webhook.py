"""Webhooks: an HTTPS address gets a signed message. No redirect is followed, no answer is read."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import ssl
from http.client import HTTPException
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from winddown import outside
from winddown.errors import WinddownError

# From the first packet to the status of the answer.
SEND_S_MAX = 10.0
URL_MAX = 500


class WebhookFailed(WinddownError):
    """The webhook did not take the message: {why}"""


def check(url: str) -> SplitResult:
    """Returns the parts of an address that may be used. Raises `ValueError`, which never holds the
    address, because the address of a webhook often is a key.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("it is no address") from None
    if len(url) > URL_MAX or not url.isascii() or any(letter.isspace() for letter in url):
        raise ValueError(f"it has spaces, foreign letters, or more than {URL_MAX} characters")
    if parts.scheme != "https" or not parts.hostname or port == 0:
        raise ValueError("it must begin with https:// and name a host")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError("it must hold no user name, no password and no fragment")
    try:
        literal = ipaddress.ip_address(parts.hostname)
    except ValueError:
        return parts
    if not outside.may_be_reached(literal):
        raise ValueError("it is a private address, which the settings do not allow")
    return parts


def send(url: str, body: bytes, *, secret: str, key: str, at_s: int) -> None:
    """The webhook has taken the message. Raises `WebhookFailed` otherwise.

    The header `Winddown-Signature` is `t=SECONDS,v1=HEX`: the HMAC-SHA256 of the seconds, a full
    stop and the body. `Idempotency-Key` is the same for every attempt of one message.
    """
    try:
        parts = check(url)
    except ValueError as refused:
        raise WebhookFailed(why=str(refused)) from None
    context = ssl.create_default_context(cafile=settings.WEBHOOK_CA_FILE or None)
    connection = outside.Https(
        parts.hostname or "", parts.port, timeout=SEND_S_MAX, context=context
    )
    try:
        with outside.within(connection, SEND_S_MAX):
            connection.request(
                "POST",
                f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}",
                body=body,
                headers={
                    "Content-Type": "application/json",
                    "User-Agent": "winddown",
                    "Idempotency-Key": key,
                    "Winddown-Signature": f"t={at_s},v1={signature(secret, body, at_s=at_s)}",
                    "Connection": "close",
                },
            )
            status = connection.getresponse().status
    except (OSError, HTTPException, ValueError) as error:
        raise WebhookFailed(why=type(error).__name__) from None
    if not 200 <= status < 300:
        raise WebhookFailed(why=f"status {status}")


def signature(secret: str, body: bytes, *, at_s: int) -> str:
    """Returns the hexadecimal HMAC-SHA256 that the receiver computes too."""
    return hmac.new(secret.encode(), b"%d." % at_s + body, hashlib.sha256).hexdigest()
