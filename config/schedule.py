"""The one beat table. Business deadlines are rows; beat only says that time has passed."""

from datetime import timedelta
from typing import Any


def beat_schedule(*, tick_s: int) -> dict[str, dict[str, Any]]:
    """What beat sends, and how often.

    The tick does whatever is owed by now. A missed, doubled or late one changes nothing, and
    `manage.py tick` from cron is an equal second one. No message expires: a worker host whose clock
    is ahead would throw every one away. Messages that piled up cost next to nothing (`fell_due`).
    """
    return {
        "tick": {
            "task": "winddown.tick",
            "schedule": timedelta(seconds=tick_s),
        },
        # An attack must be seen while it happens; each look reads only what is new.
        "watch": {
            "task": "winddown.watch",
            "schedule": timedelta(minutes=1),
        },
        # What time alone changes between two ticks is a matter of days; an hour late is not late.
        "follow_up": {"task": "winddown.follow_up", "schedule": timedelta(hours=1)},
    }
