"""The list of workflows. Queue, command, home, title and order follow from this list.

It imports no model, so that the settings can read it.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Listed:
    """One workflow: its name, the app whose rows it changes, and its title for people."""

    name: str
    home: str
    title: Promise

    @property
    def word(self) -> str:
        """Returns the name in the form of modules, commands and transitions."""
        return self.name.replace("-", "_")

    @property
    def module(self) -> str:
        return f"{self.home}.workflows.{self.word}"


# In the order in which a wind-down needs them.
WORKFLOWS = (
    Listed("freeze-charges", home="wallets", title=_("Freeze charges")),
    Listed("reset-all-passwords", home="accounts", title=_("Reset all passwords")),
    Listed("suspend-external-login", home="accounts", title=_("Suspend external login")),
    Listed("shut-down-by-deadline", home="wallets", title=_("Shut down by deadline")),
    Listed("refund-balances", home="refunds", title=_("Refund balances")),
    Listed("shred-personal-data", home="refunds", title=_("Delete personal data")),
)
NAMES = tuple(listed.name for listed in WORKFLOWS)


def of_home(home: str) -> list[Listed]:
    """Returns the workflows over the rows of the app `home`."""
    return [listed for listed in WORKFLOWS if listed.home == home]
