"""Reset links: single use, short-lived, and dead with the fence that rose after them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.tokens import PasswordResetTokenGenerator

from accounts.credentials import fence_now
from accounts.models import User


class FencedTokenGenerator(PasswordResetTokenGenerator):
    """A customer's token is made under the fence that stands, so the next one ends it at once."""

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        value = super()._make_hash_value(user, timestamp)
        return value if user.kind == User.Kind.STAFF else f"{value}{fence_now()}"


reset_tokens = FencedTokenGenerator()
