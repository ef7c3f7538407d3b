"""Devices that have signed in before. Each keeps a signed cookie. The service stores nothing."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace

from django.core import signing

SALT = "accounts.credentials.devices"
KEPT_S = 365 * 24 * 3600
ACCOUNTS_MAX = 8


@dataclass(frozen=True, slots=True)
class Device:
    """A visitor's device: a random reference, and marks of the accounts that were opened on it. A
    mark can be compared with an account. It does not reveal the account, and two devices of one
    account have different marks.
    """

    ref: str
    accounts: tuple[str, ...] = ()

    def mark(self, user_id: int) -> str:
        return hashlib.sha256(f"{self.ref}:{user_id}".encode()).hexdigest()[:16]

    def opened_before(self, user_id: int) -> bool:
        return self.mark(user_id) in self.accounts

    def opening(self, user_id: int) -> Device:
        """Returns the device, with this account as the last that was opened on it."""
        mark = self.mark(user_id)
        others = tuple(each for each in self.accounts if each != mark)
        return replace(self, accounts=(mark, *others)[:ACCOUNTS_MAX])


def new() -> Device:
    return Device(ref=secrets.token_hex(16))


def read(cookie: str) -> Device | None:
    """Returns the device of this cookie. Returns None when the signature is wrong or the cookie is
    too old.
    """
    try:
        ref, *accounts = signing.loads(cookie, salt=SALT, max_age=KEPT_S)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Device(ref=ref, accounts=tuple(accounts))


def written(device: Device) -> str:
    """Returns the cookie's signed value. Nobody can make a device known by writing a cookie."""
    return signing.dumps([device.ref, *device.accounts], salt=SALT)
