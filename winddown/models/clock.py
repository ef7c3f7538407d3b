"""The one row behind `winddown_now()`."""

from __future__ import annotations

import datetime as dt

import pgtrigger
from django.db import models

from winddown.guards import Guard
from winddown.sqlstates import SqlState


class Clock(models.Model):
    """The offset of business time from the database's clock: zero, except in a rehearsal."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    rehearsal = models.BooleanField(default=False)
    shift = models.DurationField(default=dt.timedelta())
    frozen_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "winddown_clock"
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="clock_is_one_row"),
            models.CheckConstraint(
                condition=models.Q(rehearsal=True) | models.Q(shift=dt.timedelta(), frozen_at=None),
                name="clock_moves_only_in_a_rehearsal",
            ),
        ]
        triggers = [
            Guard(
                name="rehearsal_from_the_start",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=f"""
                    IF TG_OP = 'UPDATE' AND OLD.rehearsal AND NOT NEW.rehearsal THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.CLOCK_REFUSED}',
                            MESSAGE = 'a rehearsal never becomes a real programme';
                    END IF;
                    IF NEW.rehearsal AND (TG_OP = 'INSERT' OR NOT OLD.rehearsal)
                        AND EXISTS (SELECT FROM winddown_programme)
                    THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.CLOCK_REFUSED}',
                            MESSAGE = 'a database that holds a programme cannot be made a rehearsal';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return "rehearsal clock" if self.rehearsal else "real clock"
