"""The code on a notice. Only this service can derive the notice from it, and nobody can invent a
valid code.
"""

from __future__ import annotations

import re
from email.utils import parseaddr

from django.conf import settings
from django.utils.crypto import salted_hmac

# Crockford's base 32: no I, L, O or U, so that what is read aloud or typed off a screen is right.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TYPED_FOR = str.maketrans("OIL", "011")
HALF_BITS = 30
_HALF = (1 << HALF_BITS) - 1
SALT = "accounts.notice_code"


def code_of(notice_id: int) -> str:
    """Returns twelve characters in three groups: thirty bits of a keyed digest of the notice's
    number, and the number under a mask that the digest makes.

    An invented code is right once in 2^30.
    """
    if not (0 < notice_id <= _HALF):
        raise AssertionError(f"no notice has the number {notice_id}")
    digest = _half("digest", notice_id, key=settings.SECRET_KEY)
    masked = notice_id ^ _half("mask", digest, key=settings.SECRET_KEY)
    value = masked << HALF_BITS | digest
    letters = "".join(ALPHABET[value >> shift & 31] for shift in range(55, -1, -5))
    return "-".join((letters[:4], letters[4:8], letters[8:]))


def notice_of(code: str) -> int | None:
    """Returns the number of the notice that has the code, in any spelling. Returns None for any
    other code.
    """
    letters = re.sub(r"[\s\-‐‑–—ー－]", "", code).upper().translate(_TYPED_FOR)
    if len(letters) != 12 or any(letter not in ALPHABET for letter in letters):
        return None
    value = 0
    for letter in letters:
        value = value << 5 | ALPHABET.index(letter)
    masked, digest = value >> HALF_BITS, value & _HALF
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        notice_id = masked ^ _half("mask", digest, key=key)
        if _half("digest", notice_id, key=key) == digest:
            return notice_id
    return None


def message_id(notice_id: int) -> str:
    """Returns the mail's own id. It is the same at every attempt, and contains nothing about the
    person.
    """
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return f"<{code_of(notice_id).replace('-', '').lower()}.reset@{domain}>"


def notice_of_message(message: str) -> int | None:
    """Returns the number of the notice that was mailed under this id. Returns None when the id is
    not ours.
    """
    code, reset, _domain = message.strip("<> ").partition(".reset@")
    return notice_of(code) if reset else None


def _half(what: str, value: int, *, key: str) -> int:
    digest = salted_hmac(f"{SALT}.{what}", str(value), secret=key, algorithm="sha256").digest()
    return int.from_bytes(digest[:4]) & _HALF
