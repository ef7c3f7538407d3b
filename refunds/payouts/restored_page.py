"""The page of a restored database: the files that it does not know, and the decision of two
people."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.payouts import sent_files
from winddown import clock
from winddown.actors import Actor
from winddown.authority.role_words import who_may
from winddown.evidence import restores
from winddown.models import Approval, AuditEntry, Signature
from winddown.site.decisions import Decision
from winddown.words import Text

TIMELINE_MAX = 50
# `manage.py confirm_restore` names all payouts of a file.
PAYOUTS_SHOWN_MAX = 200
# verb -> button, tone, permission, whether it decides
_VERBS: dict[str, tuple[Text, str, str, bool]] = {
    "ask": (pgettext_lazy("verb", "Ask to confirm the files"), "main", sent_files.ASKS, False),
    "approve": (pgettext_lazy("verb", "Confirm the files"), "danger", sent_files.DECIDES, True),
    "reject": (pgettext_lazy("verb", "Reject"), "plain-danger", sent_files.DECIDES, True),
}


@dataclass(frozen=True, slots=True)
class RestoredPage:
    """Everything on the page."""

    at: dt.datetime
    noticed_at: dt.datetime | None
    files: list[dict[str, Any]]
    asked: Approval | None
    decisions: list[Decision]
    timeline: list[AuditEntry]

    def decision(self, verb: str) -> Decision | None:
        return next((each for each in self.decisions if each.verb == verb), None)


def look(*, actor: Actor) -> RestoredPage:
    """Returns the page as `actor` sees it."""
    files, asked = sent_files.unknown(), sent_files.waiting()
    entries = AuditEntry.objects.filter(subject__startswith="restore:").select_related("actor")
    return RestoredPage(
        at=clock.now(),
        noticed_at=restores.noticed_at(),
        files=[_shown(file) for file in files],
        asked=asked,
        decisions=[
            Decision(
                verb,
                title,
                tone,
                _refused(permission, asked if decides else None, actor),
                permission,
            )
            for verb, (title, tone, permission, decides) in _VERBS.items()
            if files and (asked is not None or not decides)
        ],
        timeline=list(entries.order_by("-seq")[:TIMELINE_MAX]),
    )


def _shown(file: dict[str, Any]) -> dict[str, Any]:
    """Returns the file with the sum of its payouts, and of these the first ones only."""
    payouts = file.get("payouts", [])
    return {
        **file,
        "payouts": payouts[:PAYOUTS_SHOWN_MAX],
        "count": len(payouts),
        "not_shown": max(0, len(payouts) - PAYOUTS_SHOWN_MAX),
        "amount_minor": sum(line[-1] for line in payouts),
    }


def _refused(permission: str, asked: Approval | None, actor: Actor) -> Text:
    if not actor.has_perm(permission):
        return who_may(permission)
    if asked is None:
        return ""
    if Signature.objects.filter(subject=asked.subject, staff_number=actor.staff_number).exists():
        return _("Your own request: a second person decides.")
    if asked.expires_at <= clock.now():
        return _("The request has expired: ask again.")
    return ""
