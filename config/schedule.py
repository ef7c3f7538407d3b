"""The one beat table. Business deadlines are rows; beat only says that time has passed."""

from datetime import timedelta
from typing import Any

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    # Does whatever is owed by now. A missed, doubled or late tick changes nothing, and `manage.py
    # tick` from cron is an equal second one.
    "tick": {"task": "winddown.tick", "schedule": timedelta(seconds=15)},
}
