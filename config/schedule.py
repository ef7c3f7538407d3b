"""The one beat table. Business deadlines are rows; beat only says that time has passed."""

from datetime import timedelta
from typing import Any


def beat_schedule(*, tick_s: int) -> dict[str, dict[str, Any]]:
    """What beat sends, and how often.

    The tick does whatever is owed by now. A missed, doubled or late one changes nothing, and
    `manage.py tick` from cron is an equal second one.
    """
    return {
        "tick": {
            "task": "winddown.tick",
            "schedule": timedelta(seconds=tick_s),
            # Ticks that nobody took for a while would only do the same thing one after another.
            "options": {"expires": 2 * tick_s},
        },
        # An attack must be seen while it happens; each look reads only what is new.
        "watch": {
            "task": "winddown.watch",
            "schedule": timedelta(minutes=1),
            "options": {"expires": 120},
        },
        # What time alone changes between two ticks is a matter of days; an hour late is not late.
        "follow_up": {"task": "winddown.follow_up", "schedule": timedelta(hours=1)},
    }
