"""The hasher of the service with little memory, for tests in which thousands of people sign in."""

from __future__ import annotations

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
