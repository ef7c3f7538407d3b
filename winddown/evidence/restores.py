"""When it was noticed that this database was restored from a backup.

With the rows of the backup, sessions that had ended and tokens that were revoked are back. What was
given to a browser or a device before that instant is not accepted.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import Max

from winddown.actors import SYSTEM
from winddown.evidence import audit
from winddown.models import AuditEntry

NOTICED = "database.restored"
# Another cluster, or something outside that is newer than the database.
ACTIONS = [audit.EPOCH, NOTICED]


def notice(key: str, **facts: Any) -> bool:
    """The journal says that the database was restored. Returns False when it said so before of the
    same `key`.
    """
    subject = f"restore:{key}"
    if AuditEntry.objects.filter(action=NOTICED, subject=subject).exists():
        return False
    with transaction.atomic():
        audit.append(NOTICED, subject, actor=SYSTEM, **facts)
    return True


def noticed_at() -> dt.datetime | None:
    """Returns when the last restore was noticed; None if there was none."""
    found: dt.datetime | None = AuditEntry.objects.filter(action__in=ACTIONS).aggregate(
        at=Max("at")
    )["at"]
    return found
