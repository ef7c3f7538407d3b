"""The lease of a batch with effects outside the database: renewed, and fenced by its token."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import DatabaseError, Error, connection, transaction

from winddown import clock
from winddown.errors import WinddownError
from winddown.models import Batch, Failure, Run
from winddown.runs import stalls

LEASE_S = 20
BEAT_S = 5
RETRY_S = 0.5
# A turn that is held up is tried again for so long.
TURN_S_MAX = LEASE_S

log = logging.getLogger(__name__)

Result = TypeVar("Result")


class LeaseLost(WinddownError):
    """Batch {batch} belongs to another worker now."""


@dataclass(slots=True)
class Turn:
    """One transaction under the lease. `goes_on` says whether another effect may begin."""

    goes_on: bool
    moved: int = 0
    failures: list[tuple[int, str, str]] = field(default_factory=list)

    def fail(self, pk: int, code: str, detail: str) -> None:
        """The row could not be moved, for this reason; stored when the turn commits."""
        self.failures.append((pk, code, detail))


class Lease:
    """`with Lease(batch, ...)`: a separate thread renews the claim, however long one effect takes.

    An effect happens between two turns. The turn before stores the intention, the turn after stores
    the result. If another worker has taken over the claim, a turn raises `LeaseLost` and changes
    nothing.
    """

    def __init__(self, batch: Batch, *, until: float) -> None:
        self.batch = batch
        self.halted = False
        self._until = until
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Lease:
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._over.set()
        self._thread.join(timeout=BEAT_S)

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """The changes made inside commit together with their count, or not at all.

        `goes_on` is False when the run is no longer running or the worker's time is over.
        """
        with transaction.atomic():
            turn = Turn(
                goes_on=self._still_ours() == Run.State.RUNNING and time.monotonic() < self._until
            )
            self.halted = not turn.goes_on
            yield turn
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE winddown_batch SET moved = moved + %s, failed = failed + %s,"
                    " lease_until = clock_timestamp() + make_interval(secs => %s) WHERE id = %s",
                    [turn.moved, len(turn.failures), LEASE_S, self.batch.pk],
                )
            if turn.failures:
                Failure.objects.bulk_create(
                    Failure(
                        run_id=self.batch.run_id,
                        step=self.batch.step,
                        subject_id=pk,
                        reason_code=code,
                        detail=detail,
                        at=clock.now(),
                    )
                    for pk, code, detail in turn.failures
                )

    def take_turn(self, act: Callable[[Turn], Result]) -> Result:
        """`act` was done in one turn. A held-up turn is tried again for `TURN_S_MAX` seconds.

        Only this process knows the result of an effect until it is stored. So `act` must bear a
        second call, also after a commit whose answer was lost.
        """
        give_up_at = time.monotonic() + TURN_S_MAX
        while True:
            try:
                with self.turn() as turn:
                    return act(turn)
            except Error as error:
                cause = stalls.cause_of(error)
                if cause is None or time.monotonic() >= give_up_at:
                    raise
                if cause.ends_the_connection:
                    connection.close()
            time.sleep(RETRY_S)

    def _still_ours(self) -> str:
        """Returns the run's state, if this claim is still valid."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT r.state FROM winddown_run r JOIN winddown_batch b ON b.run_id = r.id"
                " WHERE b.id = %s AND b.token = %s AND b.state = %s FOR UPDATE OF b",
                [self.batch.pk, self.batch.token, Batch.State.LEASED],
            )
            found = cursor.fetchone()
        if found is None:
            raise LeaseLost(batch=self.batch.pk)
        return str(found[0])

    def _beat(self) -> None:
        try:
            while not self._over.wait(BEAT_S):
                self._renew()
        finally:
            connection.close()

    def _renew(self) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE winddown_batch"
                    " SET lease_until = clock_timestamp() + make_interval(secs => %s)"
                    " WHERE id = %s AND token = %s AND state = %s",
                    [LEASE_S, self.batch.pk, self.batch.token, Batch.State.LEASED],
                )
        except DatabaseError:
            log.warning("batch %s: the lease could not be renewed", self.batch.pk)
            connection.close_if_unusable_or_obsolete()
