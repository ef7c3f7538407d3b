"""What the rehearsal does without a door, because there is neither a command nor a page for it yet.

`tests/architecture/test_rehearsal_doors.py` compares the list with the code. It may only shrink.
"""

from __future__ import annotations

from typing import Final

# The rooms of the service in which people act.
ROOMS: Final = (
    "accounts",
    "refunds.applications",
    "refunds.claims",
    "refunds.closing",
    "refunds.payouts",
    "refunds.remedies",
    "refunds.workflows",
    "wallets",
    "winddown",
)
DIRECT: Final[frozenset[str]] = frozenset()


def doors_missing() -> dict[str, int]:
    """Returns, by room, how many verbs of the rehearsal have no door."""
    return {room: sum(each.startswith(f"{room}.") for each in DIRECT) for room in ROOMS}
