"""The one beat table. Business deadlines are rows; beat only says that time has passed."""

from datetime import timedelta
from typing import Any

# The tick does whatever is owed by now, so a missed, doubled or late one changes nothing.
BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "tick": {
        "task": "winddown.tick",
        "schedule": timedelta(seconds=15),
        # A tick nobody picked up before the next one is worthless.
        "options": {"queue": "default", "expires": 15},
    },
}
