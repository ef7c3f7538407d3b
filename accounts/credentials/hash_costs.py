"""The stored password hashes that the service can verify, and the work that each of them takes."""

from __future__ import annotations

import re
from typing import Final, cast

from django.contrib.auth.hashers import (
    Argon2PasswordHasher,
    PBKDF2PasswordHasher,
    get_hasher,
)

PBKDF2, ARGON2 = "pbkdf2_sha256", "argon2"
# Django's present numbers. A hash that costs more would let a file slow every sign-in down.
ITERATIONS_MAX: Final = 1_000_000
MEMORY_MAX_KIB, PASSES_MAX, LANES_MAX = 102_400, 2, 8

# Base64 in its one spelling: the bits behind the last byte are zero. No other text ever verifies.
_B64 = "[A-Za-z0-9+/]"
_TAIL_OF_ONE, _TAIL_OF_TWO = f"{_B64}[AQgw]", f"{_B64}{{2}}[AEIMQUYcgkosw048]"
_BYTES = f"(?:{_B64}{{4}})*(?:{_TAIL_OF_ONE}|{_TAIL_OF_TWO})?"
_SALT = "[!-#%-+./0-9:-~-]{1,64}"
_TO_ITERATIONS_MAX = "(?:[1-9][0-9]{0,5}|1000000)"
# From 64 KiB on, every number of lanes has the memory that it needs.
_TO_MEMORY_MAX = "(?:6[4-9]|[7-9][0-9]|[1-9][0-9]{2,4}|10[01][0-9]{3}|102[0-3][0-9]{2}|102400)"
_OF_PBKDF2 = rf"{PBKDF2}[$]{_TO_ITERATIONS_MAX}[$]{_SALT}[$](?:{_B64}{{4}}){{10}}{_TAIL_OF_TWO}="
_OF_ARGON2 = (
    rf"{ARGON2}[$]argon2(?:id|i|d)[$]v=19[$]m={_TO_MEMORY_MAX},t=[1-2],p=[1-8]"
    rf"[$](?={_B64}{{11}}){_BYTES}[$](?={_B64}{{22}}){_BYTES}"
)
PATTERN = f"(?:{_OF_PBKDF2}|{_OF_ARGON2})"
FORM = (
    f"a password hash: {PBKDF2} of at most {ITERATIONS_MAX:,} iterations, or {ARGON2} of at most"
    f" {MEMORY_MAX_KIB:,} KiB, {PASSES_MAX} passes and {LANES_MAX} lanes"
)
_COST = re.compile(rf"({PBKDF2}[$][0-9]+|{ARGON2}(?:[$][^$]+){{3}})[$].+", re.DOTALL)
_HASH = re.compile(PATTERN)
# Sixteen bytes of salt and thirty-two of hash that belong to no password.
_NOBODYS = "c2FsdHNhbHRzYWx0c2FsdA$" + "A" * 43


def cost_of(encoded: str) -> str:
    """Returns the part of the hash that decides its work, like `pbkdf2_sha256$600000`. Returns an
    empty text for a hash that cannot be verified.
    """
    found = _COST.fullmatch(encoded) if _HASH.fullmatch(encoded) else None
    return found[1] if found else ""


def iterations_of(cost: str) -> int:
    """Returns the iterations of a cost of PBKDF2, and 0 for any other."""
    algorithm, _, iterations = cost.partition("$")
    return int(iterations) if algorithm == PBKDF2 else 0


def present_cost() -> str:
    """Returns the cost of the hashes that the service makes."""
    hasher = cast("Argon2PasswordHasher", get_hasher())
    return (
        f"{ARGON2}$argon2id$v=19$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    )


def verify(raw_password: str, encoded: str) -> bool:
    """Returns whether the hash is that of the password. A hash that cannot be verified is not."""
    cost = cost_of(encoded)
    return bool(cost and get_hasher(cost.partition("$")[0]).verify(raw_password, encoded))


def work(raw_password: str, cost: str) -> None:
    """The work of verifying a hash of this cost is done, and its result is dropped."""
    if iterations := iterations_of(cost):
        hasher = cast("PBKDF2PasswordHasher", get_hasher(PBKDF2))
        hasher.encode(raw_password, "salt", iterations)
    else:
        get_hasher(ARGON2).verify(raw_password, f"{cost}${_NOBODYS}")
