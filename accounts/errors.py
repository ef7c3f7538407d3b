"""What accounts refuse."""

from __future__ import annotations

from winddown.errors import WinddownError


class AuthorityFenced(WinddownError):
    """The session or link behind this change was issued before {not_before} and is not accepted."""


class PasswordReused(WinddownError):
    """This password was used for the account before: choose another."""


class PasswordChangedMeanwhile(WinddownError):
    """The password of account {account} was changed by somebody else at this moment: try again."""


class TokensAreForCustomers(WinddownError):
    """Device tokens are given to customers' apps; staff sign in with a second factor."""


class TooManyTokens(WinddownError):
    """The account has {most} device tokens already: revoke one first."""
