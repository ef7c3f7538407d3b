"""The origin of a request: the network address that the server can trust, and the visitor's device."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.credentials import devices
from accounts.credentials.admissions import Origin
from accounts.credentials.devices import Device
from accounts.models import User


def origin_of(request: HttpRequest | None) -> Origin:
    """Returns the origin of an attempt to sign in. Without a request, nothing is known.

    A device without a cookie is a new one. `accounts.middleware` gives it the cookie.
    """
    if request is None:
        return Origin()
    return Origin(network=network_of(request), device=device_of(request))


def network_of(request: HttpRequest) -> str | None:
    """Returns the visitor's address. Behind a socket without a proxy there is none.

    Only the entries of our own proxies in X-Forwarded-For count. With two proxies it is the second
    entry from the end. Entries of the visitor stand further left and are not read. A request that
    did not pass the proxies has the address that the server saw.
    """
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    passed = forwarded.split(",") if forwarded else []
    proxies = settings.TRUSTED_PROXIES
    seen = passed[-proxies] if 0 < proxies <= len(passed) else request.META.get("REMOTE_ADDR", "")
    try:
        # The name of the server's own interface is removed, because the database refuses it.
        address = ipaddress.ip_address(seen.strip().partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def device_of(request: HttpRequest) -> Device:
    """Returns the visitor's device, the same for the whole request."""
    known: Device | None = getattr(request, "device", None)
    if known is None:
        cookie = request.COOKIES.get(settings.DEVICE_COOKIE_NAME, "")
        known = devices.read(cookie) or devices.new()
        request.device = known  # type: ignore[attr-defined]
    return known


def know_device(request: HttpRequest, user: User) -> None:
    """The visitor's device is known to the account, because its owner has proved a channel on it. A
    storm of sign-ins then does not lock the owner out.
    """
    request.device = device_of(request).opening(user.pk)  # type: ignore[attr-defined]


def keep_device(request: HttpRequest, response: HttpResponse, *, opened_by: int | None) -> None:
    """The visitor's device has its cookie if this request was an attempt to sign in. `opened_by` is
    the account whose session this request has opened. The device is then known to it.
    """
    if opened_by is None and not hasattr(request, "device"):
        return
    device = device_of(request)
    if opened_by is not None:
        device = device.opening(opened_by)
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        devices.written(device),
        max_age=devices.KEPT_S,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
