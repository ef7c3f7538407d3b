"""People, their external logins, and what invalidates their credentials."""

from accounts.models.user import User

__all__ = ["User"]
