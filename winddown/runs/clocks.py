"""The clocks of the hosts, compared with the database's. Deadlines follow the database's alone."""

from __future__ import annotations

import datetime as dt
import socket

from winddown.models import Worker
from winddown.runs import waking

OFF_S_MAX = 5
# A host that was not seen for so long is gone.
SEEN_WITHIN = dt.timedelta(minutes=10)


def note_clock() -> None:
    """It is stored how far this host's clock is ahead of the database's, and when that was seen."""
    before = host_now()
    at = waking.real_now()
    after = host_now()
    # The database answered between the two instants. Only a time outside of them is a difference.
    ahead = max(before - at, dt.timedelta()) + min(after - at, dt.timedelta())
    Worker.objects.update_or_create(
        name=socket.gethostname(),
        defaults={"seen_at": at, "clock_ahead_s": ahead.total_seconds()},
    )


def off() -> dict[str, int]:
    """Returns host -> seconds that its clock is ahead (negative: behind), where they are too
    many.
    """
    seen = Worker.objects.filter(
        seen_at__gte=waking.real_now() - SEEN_WITHIN, clock_ahead_s__isnull=False
    )
    ahead = dict(seen.order_by("name").values_list("name", "clock_ahead_s"))
    return {host: round(s) for host, s in ahead.items() if s is not None and abs(s) > OFF_S_MAX}


def host_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
