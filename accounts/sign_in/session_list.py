"""The sessions of one account, as its owner sees them."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from django.contrib.auth import SESSION_KEY
from django.utils import timezone

from accounts.models import Session, User
from accounts.sign_in import sessions

_BROWSERS = (
    ("Edge", r"Edg"),
    ("Opera", r"OPR/"),
    ("Samsung Internet", r"SamsungBrowser"),
    ("Firefox", r"Firefox/|FxiOS"),
    ("Chrome", r"Chrome/|CriOS"),
    ("Safari", r"Safari/"),
)
_SYSTEMS = (
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Android", r"Android"),
    ("Windows", r"Windows"),
    ("macOS", r"Mac OS X"),
    ("Linux", r"Linux"),
)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One session: its beginning, its method, its origin, and whether it is the session of this
    request.
    """

    number: int
    issued_at: dt.datetime | None
    method: str
    network: str
    browser: str
    remembered: bool
    present: bool


def of(user: User, *, present: str | None) -> list[OpenSession]:
    """Returns the user's open sessions, the newest first. A session that waits for its second
    factor is left out.
    """
    rows = Session.objects.filter(user=user, expire_date__gt=timezone.now())
    found = []
    for row in rows.order_by("-issued_at", "-pk"):
        data = row.get_decoded()
        if SESSION_KEY not in data:
            continue
        network, agent = sessions.opened_from(data)
        found.append(
            OpenSession(
                number=row.pk,
                issued_at=row.issued_at,
                method=row.method,
                network=network,
                browser=_browser(agent),
                remembered="_session_expiry" in data,
                present=row.session_key == present,
            )
        )
    return found


def end(user: User, number: int) -> None:
    """The user's session is deleted. A session of another person is not touched."""
    Session.objects.filter(pk=number, user=user).delete()


def _browser(agent: str) -> str:
    """Returns the browser's usual name. It is empty when the browser does not say it."""
    parts = [
        next((name for name, pattern in kinds if re.search(pattern, agent)), "")
        for kinds in (_BROWSERS, _SYSTEMS)
    ]
    return ", ".join(filter(None, parts))
