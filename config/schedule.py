"""The one beat table. Business deadlines are rows; beat only says that time has passed."""

from datetime import timedelta
from typing import Any


def beat_schedule(*, tick_s: int) -> dict[str, dict[str, Any]]:
    """What beat sends, and how often.

    The tick does all due work. A missed, doubled or late tick changes nothing. `manage.py tick`
    from cron does the same. No message expires, because a worker host whose clock is ahead would
    drop every message. Repeated messages cost almost nothing (`fell_due`).
    """
    return {
        "tick": {
            "task": "winddown.tick",
            "schedule": timedelta(seconds=tick_s),
        },
        # An attack must be detected while it happens. Each reading reads only new attempts.
        "watch": {
            "task": "winddown.watch",
            "schedule": timedelta(minutes=1),
        },
        # Each call looks whether an hour or a night has passed or a run has ended since the last
        # one.
        "verify": {
            "task": "winddown.verify",
            "schedule": timedelta(minutes=5),
        },
        # These follow-ups depend on time in days, so an hour of delay does not matter.
        "follow_up": {"task": "winddown.follow_up", "schedule": timedelta(hours=1)},
    }
