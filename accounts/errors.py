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


class DeviceKeyUsed(WinddownError):
    """The key of this request was used for another token: ask with a new key."""


class LinkDead(WinddownError):
    """The link or code is used, too old, or no longer fits the account: ask for a new one."""


class AddressTaken(WinddownError):
    """Another account has this address: no second one is opened for it."""


class StaffOnlyByStaff(WinddownError):
    """Staff get a new password through two colleagues, never by the pages for customers."""

    noted = True


class NotForOneself(WinddownError):
    """Nobody asks for their own roles or decides about them: two colleagues do."""

    noted = True


class OwnAccount(WinddownError):
    """Nobody disables their own account: a colleague does."""

    noted = True


class ProviderNotTrusted(WinddownError):
    """The service that signed this person in is stopped, or no longer vouches for them here."""


class RolesExclude(WinddownError):
    """One person may not hold two roles that exclude each other: {why}."""

    noted = True


class NotProved(WinddownError):
    """The code is not one of {login}, was used, or none is accepted for a while: nothing was done."""
