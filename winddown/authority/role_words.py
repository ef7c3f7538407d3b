"""The names of the roles of staff."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from winddown.authority.roles import ROLES, roles_with
from winddown.words import FACTS, Text

ROLE_WORDS: dict[str, Text] = {
    "incident_commander": _("Incident commander"),
    "fraud_analyst": _("Fraud analyst"),
    "fraud_supervisor": _("Fraud supervisor"),
    "treasury_operator": _("Treasury operator"),
    "treasury_approver": _("Treasury approver"),
    "compliance": _("Compliance"),
    "support": _("Support"),
    "auditor": _("Auditor"),
}


def role_words(codes: Iterable[str]) -> str:
    """Returns the names of the roles as one text, in the order of the table of roles."""
    held = set(codes)
    return gettext(", ").join(str(ROLE_WORDS[role]) for role in ROLES if role in held)


def who_may(permission: str) -> Text:
    """Returns the sentence that says which roles hold the permission."""
    return format_lazy(_("Only these roles may do this: {roles}."), roles=_Roles(permission))


class _Roles:
    """The roles with a permission, in the language of whoever reads them."""

    def __init__(self, permission: str) -> None:
        self._permission = permission

    def __str__(self) -> str:
        return role_words(roles_with(self._permission)) or gettext("nobody")


FACTS.add("permission", lambda value, facts: who_may(str(value)))
