"""Where a request came from: the network that the server can vouch for, and the visitor's device."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

from accounts.credentials import Origin


def origin_of(request: HttpRequest | None) -> Origin:
    """What is known of where the request came from; behind a socket without a proxy, nothing."""
    return Origin(network=network_of(request) if request else None)


def network_of(request: HttpRequest) -> str | None:
    """The visitor's address.

    Of X-Forwarded-For counts only what proxies of ours have written: with two of them, the second
    from the end. What a visitor wrote there before stands further left and is never looked at. A
    request that came past the proxies has the address that the server saw.
    """
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    passed = forwarded.split(",") if forwarded else []
    proxies = settings.TRUSTED_PROXIES
    seen = passed[-proxies] if 0 < proxies <= len(passed) else request.META.get("REMOTE_ADDR", "")
    try:
        # Without the name of the server's own interface, which the database does not take.
        address = ipaddress.ip_address(seen.strip().partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
