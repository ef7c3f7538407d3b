"""What anybody may know about our notices: when, from where, and whether a code is one of ours."""

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
    """What the public page states; without a reset there are no notices."""
    fences = CredentialFence.objects.filter(state__in=CredentialFence.IN_FORCE)
    newest = fences.order_by("-pk").values_list("not_before", flat=True).first()
    return Told(reset_at=newest, sender=parseaddr(settings.DEFAULT_FROM_EMAIL)[1])


@dataclass(frozen=True, slots=True)
class Checked:
    """The notice of a code: how and when it went out."""

    channel: str
    sent_at: dt.datetime


def check(code: str) -> Checked | None:
    """The notice that carries the code, if we sent it; None for a code that is not of a notice, and
    for a notice that is still queued.
    """
    notice_id = notice_codes.notice_of(code)
    if notice_id is None:
        return None
    notice = ResetNotice.objects.filter(pk=notice_id).first()
    if notice is None:
        return None
    # Of one that is still under way or lost on the way, the attempt is what may have arrived.
    sent_at = notice.sent_at or notice.accepted_at or notice.attempted_at
    return Checked(channel=notice.channel, sent_at=sent_at) if sent_at else None
