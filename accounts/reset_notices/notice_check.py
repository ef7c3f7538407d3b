"""Public facts about our notices: when, from where, and whether a code is one of ours."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from email.utils import parseaddr

from django.conf import settings

from accounts.models import CredentialFence, ResetNotice
from accounts.reset_notices import notice_codes


@dataclass(frozen=True, slots=True)
class Told:
    """The newest mass reset, and the address its notices come from."""

    reset_at: dt.datetime | None
    sender: str


def told() -> Told:
    """Returns the facts of the public page. Returns None without a reset."""
    fences = CredentialFence.objects.filter(state__in=CredentialFence.IN_FORCE)
    newest = fences.order_by("-pk").values_list("not_before", flat=True).first()
    return Told(reset_at=newest, sender=parseaddr(settings.DEFAULT_FROM_EMAIL)[1])


@dataclass(frozen=True, slots=True)
class Checked:
    """The notice of a code: how and when it went out."""

    channel: str
    sent_at: dt.datetime


def check(code: str) -> Checked | None:
    """Returns the sent notice that has the code. Returns None for a code without a notice, and for
    a notice that is still queued.
    """
    notice_id = notice_codes.notice_of(code)
    if notice_id is None:
        return None
    notice = ResetNotice.objects.filter(pk=notice_id).first()
    if notice is None:
        return None
    # A notice that is being sent, or is unknown, may have arrived at the time of the attempt.
    sent_at = notice.sent_at or notice.accepted_at or notice.attempted_at
    return Checked(channel=notice.channel, sent_at=sent_at) if sent_at else None
