"""Causes that delay a batch and are no fault of a row: locks, lost connections, cancelled statements."""

from __future__ import annotations

from enum import StrEnum

from django.db import InterfaceError, OperationalError
from django.db.models import Count

from winddown.models import Batch, Run
from winddown.sqlstates import ServerState, sqlstate_of


class Cause(StrEnum):
    """Why a batch could not go on; its name in the batch, in the alarm and on the run's page."""

    LOCK_WAIT = "lock_wait"
    DEADLOCK = "deadlock"
    SERIALIZATION = "serialization"
    CONNECTION_LOST = "connection_lost"
    FAILOVER = "failover"
    RESOURCES = "resources"
    # By its time limit or by another session. The server gives both the same code.
    STATEMENT_CANCELED = "statement_canceled"

    @property
    def ends_the_connection(self) -> bool:
        """Returns whether the worker must connect again. A failed-over server still answers, but it
        writes nothing.
        """
        return self in (Cause.CONNECTION_LOST, Cause.FAILOVER)


# About a minute of waiting for a lock.
STALLS_BEFORE_ALARM = 10

_BY_STATE: dict[str, Cause] = {
    ServerState.LOCK_NOT_AVAILABLE: Cause.LOCK_WAIT,
    ServerState.DEADLOCK_DETECTED: Cause.DEADLOCK,
    ServerState.SERIALIZATION_FAILURE: Cause.SERIALIZATION,
    ServerState.READ_ONLY_TRANSACTION: Cause.FAILOVER,
    ServerState.IDLE_IN_TRANSACTION: Cause.CONNECTION_LOST,
    ServerState.QUERY_CANCELED: Cause.STATEMENT_CANCELED,
}
_BY_CLASS = {
    "08": Cause.CONNECTION_LOST,
    "53": Cause.RESOURCES,
    "57": Cause.CONNECTION_LOST,  # the server shuts down, starts or crashed
    "58": Cause.RESOURCES,
}


def cause_of(error: Exception) -> Cause | None:
    """Returns the cause that delayed the work; None for an error of the work itself."""
    state = sqlstate_of(error)
    if not state and isinstance(error, OperationalError | InterfaceError):
        # The client noticed that the server is gone; no server was there to give a code.
        return Cause.CONNECTION_LOST
    return _BY_STATE.get(state) or _BY_CLASS.get(state[:2])


def held_up() -> dict[Run, dict[str, int]]:
    """Returns running run -> cause -> batches that it held up too often."""
    waiting = Batch.objects.filter(
        run__state=Run.State.RUNNING,
        state__in=Batch.UNFINISHED,
        stalls__gte=STALLS_BEFORE_ALARM,
    )
    counted = waiting.values_list("run_id", "stalled_by").annotate(n=Count("pk"))
    rows = list(counted.order_by("run_id", "stalled_by"))
    runs = Run.objects.in_bulk({run_id for run_id, _, _ in rows})
    found: dict[Run, dict[str, int]] = {}
    for run_id, cause, batches in rows:
        found.setdefault(runs[run_id], {})[cause] = batches
    return found
