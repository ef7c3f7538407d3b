"""The names of the roles of staff."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from winddown.authority.roles import ROLES
from winddown.words import Text

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
