"""Limits of attempts: by one name, from one network, by everybody.

A device that opened the account before has a limit of its own, which a storm on all others does not
reach. All other devices have the same limits for every login id: of a customer, of staff, or of
nobody.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import logging
import unicodedata
from dataclasses import dataclass

from django.utils.crypto import salted_hmac

from accounts.attacks import live
from accounts.attacks.live import WINDOW_S, Tally
from accounts.attempts.counters import Count, Counter, count
from accounts.credentials.devices import Device
from accounts.models import AuthEvent
from winddown import clock

log = logging.getLogger(__name__)

KEY, DEVICE, NETWORK, RANGE, EVERYBODY = "key", "device", "network", "range", "everybody"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` attempts within `window_s` by the same `by`. `source` says where the number
    comes from. With `failed_keys`, the limit counts the different keys of failed attempts, not the
    attempts.
    """

    code: str
    by: str
    most: int
    window_s: int
    source: str
    failed_keys: bool = False


# The limits of sign-in, by who tries and from which device.
SIGN_IN: dict[str, tuple[Limit, ...]] = {
    "known_device": (
        Limit("device", DEVICE, 10, 300, "OWASP: a device cookie has an allowance of its own"),
        Limit("device_day", DEVICE, 100, 86_400, "NIST SP 800-63B: at most 100 failures in a row"),
    ),
    "first_seen": (
        Limit("key", KEY, 5, 300, "allauth: login_failed 5/300s/key"),
        Limit("key_day", KEY, 100, 86_400, "NIST SP 800-63B: at most 100 failures in a row"),
        Limit("network", NETWORK, 30, 60, "allauth: login 30/m/ip"),
        Limit("network_ids", NETWORK, 20, 3600, "20 ids per address and hour: a strong sign", True),
        Limit("range", RANGE, 150, 60, "five addresses of one range"),
        Limit("range_ids", RANGE, 100, 3600, "five addresses of one range", True),
    ),
    "in_a_storm": (
        Limit(
            "storm", EVERYBODY, 60, 60, "a list of millions would take weeks; one in a hurry waits"
        ),
    ),
}

# The limits of the other public actions. An action without limits raises KeyError.
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
    "passkey": (
        Limit("passkey_attempts", NETWORK, 30, 60, "as for a sign-in by password"),
        Limit("passkey_range", RANGE, 150, 60, "five addresses of one range"),
    ),
    "refused_passkey": (Limit("passkey_key", KEY, 20, 3600, "entries enough to see an attack by"),),
    "unknown_passkey": (
        Limit("passkey_network", NETWORK, 20, 3600, "entries enough to see an attack by"),
        Limit("passkey_everybody", EVERYBODY, 200, 3600, "entries enough to see an attack by"),
    ),
    "refused_token": (Limit("token_key", KEY, 20, 3600, "entries enough to see an attack by"),),
    "unknown_token": (
        Limit("token_network", NETWORK, 20, 3600, "entries enough to see an attack by"),
        Limit("token_everybody", EVERYBODY, 200, 3600, "entries enough to see an attack by"),
    ),
    "claim_number": (
        Limit("claim_key", KEY, 5, 900, "as for a reset"),
        Limit("claim_network", NETWORK, 20, 60, "as for a reset"),
        Limit("claim_range", RANGE, 100, 60, "five addresses of one range"),
        Limit("claim_everybody", EVERYBODY, 1_200, 60, "guessing a number from everywhere"),
    ),
    "recovery_case": (
        Limit("case_key", KEY, 3, 86_400, "one case is enough; people write again"),
        Limit("case_network", NETWORK, 10, 60, "people read and type each of them"),
        Limit("case_range", RANGE, 50, 60, "five addresses of one range"),
    ),
}


def allow(action: str, *, key: str = "", network: str | None = None) -> bool:
    """Returns whether this attempt is within every limit of `action`. An allowed attempt counts
    from now on. A refused one does not count.

    `key` is the typed text (an address, a login id). `network` is `Origin.network`. Both are stored
    as keyed digests only. The caller answers a refusal like every other attempt, and names no time
    to wait.
    """
    limits = [limit for limit in ACTIONS[action] if limit.by != KEY or key]
    tried = Attempt(key=key, network=network, at=clock.now())
    return _within(limits, tried, action=action)


# --- signing in ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt, before its password is checked.

    A `known_device` opened this account before.
    """

    key: str
    network: str | None
    at: dt.datetime
    device: Device | None = None
    known_device: bool = False

    @property
    def limits(self) -> tuple[Limit, ...]:
        return SIGN_IN["known_device" if self.known_device else "first_seen"]


def admit(attempt: Attempt) -> bool:
    """Returns whether the attempt is within every limit. An allowed attempt counts from now on. A
    refused one does not count.

    The caller asks before it hashes a password, because a hash costs 100 MiB.
    """
    limits = list(attempt.limits)
    if not attempt.known_device and live.under_way(attempt.at) is not None:
        limits += SIGN_IN["in_a_storm"]
    return _within(limits, attempt, action="sign-in")


def note(attempt: Attempt, outcome: str, *, guessable: bool) -> None:
    """The outcome of an admitted attempt is counted. A storm has begun if the counts show one.

    `guessable` is whether the account has a password to guess. A success takes back only its own
    attempt at this name. If it took back more, an attacker with an own account could reset a
    network's limit again and again.
    """
    at_s = attempt.at.timestamp()
    success = outcome == AuthEvent.Outcome.SUCCESS
    wrong = outcome == AuthEvent.Outcome.WRONG_PASSWORD and guessable
    unknown = outcome == AuthEvent.Outcome.UNKNOWN_LOGIN_ID
    counts = [
        _count(
            limit,
            attempt,
            step=-int(success) if limit.by in (KEY, DEVICE) else int(wrong or unknown),
        )
        for limit in attempt.limits
        if limit.by in (KEY, DEVICE) or limit.failed_keys
    ]
    crowd = int(not attempt.known_device)
    counts += [
        Count(Counter("crowd", WINDOW_S), step=crowd),
        Count(Counter("crowd_unknown", WINDOW_S), step=crowd * unknown),
        Count(Counter("crowd_wrong", WINDOW_S), step=crowd * wrong),
    ]
    tally = Tally(*count([each.unlimited() for each in counts], at_s=at_s).now[-3:])
    if crowd and not success:
        live.begin_or_prolong(tally, at=attempt.at)


# --- what is counted ----------------------------------------------------------------------------


def _within(limits: list[Limit], attempt: Attempt, *, action: str) -> bool:
    counts = [_count(limit, attempt, step=int(not limit.failed_keys)) for limit in limits]
    reached = count(counts, at_s=attempt.at.timestamp()).reached
    if reached is not None:
        log.info("%s refused by the limit %s", action, limits[reached].code)
    return reached is None


def _count(limit: Limit, attempt: Attempt, *, step: int) -> Count:
    """Returns the attempt as the limit counts it."""
    key = unicodedata.normalize("NFKC", attempt.key).strip().lower()
    of = {
        KEY: key,
        DEVICE: f"{attempt.device.ref if attempt.device else ''} {key}",
        NETWORK: _network(attempt.network),
        RANGE: _range(attempt.network),
        EVERYBODY: "",
    }
    counter = Counter(
        name=f"{limit.code}:{_unreadable(of[limit.by])}",
        window_s=limit.window_s,
        member=_unreadable(key) if limit.failed_keys else "",
    )
    return Count(counter, step=step, most=limit.most)


def _unreadable(value: str) -> str:
    """Returns a keyed digest of `value`, for a server that must not know the value."""
    return salted_hmac("accounts.limits", value, algorithm="sha256").hexdigest()[:32]


def _network(network: str | None) -> str:
    """Returns the address, or the /64 of an IPv6 address. Attempts without an address share one
    network.
    """
    return _net(network, four=32, six=64)


def _range(network: str | None) -> str:
    """Returns the /24 of an IPv4 address, or the /48 of an IPv6 address."""
    return _net(network, four=24, six=48)


def _net(network: str | None, *, four: int, six: int) -> str:
    if network is None:
        return ""
    address = ipaddress.ip_address(network)
    bits = four if address.version == 4 else six
    return str(ipaddress.ip_network((address, bits), strict=False))
