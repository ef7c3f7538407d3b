"""What holds a batch up and is no row's fault: locks, lost connections, failovers. Each has a name."""

from __future__ import annotations

from enum import StrEnum

from django.db import InterfaceError, OperationalError

from winddown.sqlstates import sqlstate_of


class Cause(StrEnum):
    """Why a batch could not go on; its name in the batch, in the alarm and on the run's page."""

    LOCK_WAIT = "lock_wait"
    DEADLOCK = "deadlock"
    SERIALIZATION = "serialization"
    CONNECTION_LOST = "connection_lost"
    FAILOVER = "failover"
    RESOURCES = "resources"
    STATEMENT_TIMEOUT = "statement_timeout"

    @property
    def counts(self) -> bool:
        """Returns whether it counts towards parking. A statement that never ends is an error of its
        rows.
        """
        return self is Cause.STATEMENT_TIMEOUT

    @property
    def ends_the_connection(self) -> bool:
        """Returns whether the worker must connect again. A failed-over server still answers, but it
        writes nothing.
        """
        return self in (Cause.CONNECTION_LOST, Cause.FAILOVER)


_BY_STATE = {
    "55P03": Cause.LOCK_WAIT,
    "40P01": Cause.DEADLOCK,
    "40001": Cause.SERIALIZATION,
    "25006": Cause.FAILOVER,  # a read-only transaction
    "25P03": Cause.CONNECTION_LOST,  # idle in a transaction for too long
    "57014": Cause.STATEMENT_TIMEOUT,
}
_BY_CLASS = {
    "08": Cause.CONNECTION_LOST,
    "53": Cause.RESOURCES,
    "57": Cause.CONNECTION_LOST,  # the server shuts down, starts or crashed
    "58": Cause.RESOURCES,
}


def cause_of(error: Exception) -> Cause | None:
    """Returns what held the work up; None for an error of the work itself."""
    state = sqlstate_of(error)
    if not state and isinstance(error, OperationalError | InterfaceError):
        # The client noticed that the server is gone; no server was there to give a code.
        return Cause.CONNECTION_LOST
    return _BY_STATE.get(state) or _BY_CLASS.get(state[:2])
