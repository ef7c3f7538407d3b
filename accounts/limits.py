"""How often something may be tried: by one name, from one network, by everybody."""

from __future__ import annotations

import ipaddress
import logging
from dataclasses import dataclass

from django.utils.crypto import salted_hmac

from accounts.counters import Count, Counter, count
from winddown import clock

log = logging.getLogger(__name__)

KEY, NETWORK, RANGE, EVERYBODY = "key", "network", "range", "everybody"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` attempts within `window_s` by the same `by`, and where the number comes from.

    `different` counts not the attempts but the different keys among them.
    """

    code: str
    by: str
    most: int
    window_s: int
    source: str
    different: bool = False


# The doors beside sign-in. An action that is not named here raises.
ACTIONS: dict[str, tuple[Limit, ...]] = {
    "reset_request": (
        Limit("reset_key", KEY, 5, 900, "a link lives 900 s; more than a few are a nuisance"),
        Limit("reset_network", NETWORK, 20, 60, "allauth: reset_password 20/m/ip"),
        Limit("reset_range", RANGE, 100, 60, "five addresses of one range"),
    ),
    "notice_check": (
        Limit("check_network", NETWORK, 20, 60, "as for a reset"),
        Limit("check_range", RANGE, 100, 60, "five addresses of one range"),
        Limit("check_everybody", EVERYBODY, 1_200, 60, "guessing a code from everywhere"),
    ),
    "sign_up": (
        Limit("sign_up_key", KEY, 5, 900, "as for a reset"),
        Limit("sign_up_network", NETWORK, 20, 60, "allauth: signup 20/m/ip"),
        Limit("sign_up_range", RANGE, 100, 60, "five addresses of one range"),
    ),
    "one_time_code": (
        Limit("code_network", NETWORK, 20, 60, "as for a reset; each request takes five"),
        Limit("code_range", RANGE, 100, 60, "five addresses of one range"),
    ),
    "recovery_case": (
        Limit("case_key", KEY, 3, 86_400, "one case is enough; people write again"),
        Limit("case_network", NETWORK, 10, 60, "people read and type each of them"),
        Limit("case_range", RANGE, 50, 60, "five addresses of one range"),
    ),
}


def allow(action: str, *, key: str = "", network: str | None = None) -> bool:
    """This attempt is within every limit of `action`, and counts from now on; a refused one does
    not.

    `key` is what was typed (an address, a login id); `network` is `Origin.network`. Neither is kept
    in clear. Whoever refuses gives the answer that anybody gets, and says no time to wait for.
    """
    limits = ACTIONS[action]
    counts = [_count(limit, key=key, network=network) for limit in limits if limit.by != KEY or key]
    counted = count(counts, at_s=clock.now().timestamp())
    if counted.reached is not None:
        log.warning("%s refused by the limit %s", action, limits[counted.reached].code)
    return counted.reached is None


def _count(limit: Limit, *, key: str, network: str | None, step: int = 1) -> Count:
    """The attempt, as the limit counts it."""
    of = {KEY: key.lower(), NETWORK: _network(network), RANGE: _range(network), EVERYBODY: ""}
    counter = Counter(
        name=f"{limit.code}:{_unreadable(of[limit.by])}",
        window_s=limit.window_s,
        member=_unreadable(key.lower()) if limit.different else "",
    )
    return Count(counter, step=step, most=limit.most)


def _unreadable(value: str) -> str:
    """Stands for `value` in a server that must not know it."""
    return salted_hmac("accounts.limits", value, algorithm="sha256").hexdigest()[:32]


def _network(network: str | None) -> str:
    """An address; of IPv6 the /64 that one connection has. Those without any are one network."""
    return _within(network, four=32, six=64)


def _range(network: str | None) -> str:
    """The /24 of an address; of IPv6 the /48."""
    return _within(network, four=24, six=48)


def _within(network: str | None, *, four: int, six: int) -> str:
    if network is None:
        return ""
    address = ipaddress.ip_address(network)
    bits = four if address.version == 4 else six
    return str(ipaddress.ip_network((address, bits), strict=False))
