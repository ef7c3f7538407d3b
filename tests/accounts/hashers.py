"""The hasher of the service with little memory, for tests in which thousands of people sign in."""

from __future__ import annotations

from collections import Counter

from django.contrib.auth.hashers import PBKDF2PasswordHasher

from accounts.sign_in.hashers import BoundedArgon2PasswordHasher


class SmallArgon2(BoundedArgon2PasswordHasher):
    """The same algorithm and the same code; only its costs are lower."""

    time_cost = 1
    memory_cost = 1_024
    parallelism = 1


class MiddlingArgon2(SmallArgon2):
    """Enough to be measured in a request."""

    time_cost = 2
    memory_cost = 32 * 1_024


DONE: list[tuple[str, int]] = []
"""The work of the recording hashers: the parameters of Argon2, and the iterations of PBKDF2."""


class RecordingArgon2(SmallArgon2):
    """Argon2 that notes every hash."""

    def encode(self, password: str, salt: str) -> str:
        encoded = super().encode(password, salt)
        DONE.append((encoded.rsplit("$", 2)[0], 1))
        return encoded

    def verify(self, password: str, encoded: str) -> bool:
        DONE.append((encoded.rsplit("$", 2)[0], 1))
        return super().verify(password, encoded)


class RecordingPBKDF2(PBKDF2PasswordHasher):
    """PBKDF2 that notes the iterations of every hash."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        DONE.append((self.algorithm, iterations or self.iterations))
        return super().encode(password, salt, iterations)


def work_done() -> Counter[str]:
    """Returns the work since the last call."""
    done: Counter[str] = Counter()
    for cost, times in DONE:
        done[cost] += times
    DONE.clear()
    return done
