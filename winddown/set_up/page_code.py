"""The page that begins a programme opens with a code that the server's terminal printed."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from django.db import transaction
from django.db.models import QuerySet

from winddown import clock, locks
from winddown.actors import SYSTEM
from winddown.errors import WinddownError
from winddown.evidence import audit
from winddown.locks import Lock
from winddown.models import Programme, SetUpCode
from winddown.set_up import beginning
from winddown.set_up.sections import Rows

LASTS = dt.timedelta(hours=1)


class CodeRefused(WinddownError):
    """The set-up code is wrong, used or older than an hour: `manage.py begin --page` prints one."""


def issue() -> str:
    """Returns a new code, which opens the page once within an hour. Earlier codes open it too.

    Raises `BegunAlready` if the programme has begun.
    """
    code = secrets.token_urlsafe(20)
    with transaction.atomic():
        locks.take(Lock.SET_UP)
        present = Programme.objects.first()
        if present is not None:
            raise beginning.BegunAlready(name=present.name)
        at = clock.now()
        made = SetUpCode.objects.create(digest=_digest(code), issued_at=at, expires_at=at + LASTS)
        audit.append("set_up.code", f"set_up_code:{made.pk}", actor=SYSTEM)
    return code


def opens(code: str) -> bool:
    """Returns whether the code would open the page now."""
    return _open(code).exists()


def begin(rows: Rows, *, code: str, reason: str) -> list[str]:
    """As `beginning.begin`, for whoever holds a code. The code opens nothing afterwards.

    Raises `CodeRefused`, and what `beginning.begin` raises; then the code can be used again.
    """
    with transaction.atomic():
        locks.take(Lock.SET_UP)
        if not _open(code).update(used_at=clock.now()):
            raise CodeRefused
        return beginning.begin(rows, reason=reason)


def _open(code: str) -> QuerySet[SetUpCode]:
    return SetUpCode.objects.filter(digest=_digest(code), used_at=None, expires_at__gt=clock.now())


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
