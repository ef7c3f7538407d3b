"""Public notices and published figures: rows that are never changed."""

from __future__ import annotations

import datetime as dt

import pgtrigger
from django.db import models

from winddown.guards import Guard, append_only
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class PublicNotice(models.Model):
    """The public notice of the refund (Payment Services Act art. 20(2)): every statutory field and
    the window.

    Published notices are append-only; an extension of the window is a new notice. The window lasts
    at least sixty days counted without its first day.
    """

    DAYS_MIN = 60

    statement = models.TextField()
    issuer_name = models.CharField(max_length=200)
    instrument = models.CharField(max_length=200)
    window_first_day = models.DateField()
    window_last_day = models.DateField()
    exclusion_statement = models.TextField()
    contact = models.TextField()
    how_to_claim = models.TextField()
    how_it_is_paid = models.TextField()
    published_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        triggers = [
            *append_only(),
            *witnessed(),
            Guard(
                name="deadline_follows",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                func=f"""
                    IF NOT EXISTS (
                        SELECT FROM winddown_milestone m, winddown_programme p
                        WHERE m.kind = 'refund_window_ends'
                        AND m.at >= (NEW.window_last_day + 1)::timestamp AT TIME ZONE p.time_zone
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.COLUMN_IS_FIXED}',
                            MESSAGE = 'the refund window cannot end before the last day of its notice';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    window_last_day__gte=models.F("window_first_day") + dt.timedelta(days=60)
                ),
                name="window_of_sixty_days",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.window_first_day} .. {self.window_last_day}"


class PublishedFigure(models.Model):
    """A figure as it was published, with its instant. A later figure never overwrites an earlier
    one.
    """

    key = models.CharField(max_length=60)
    as_of = models.DateTimeField()
    value = models.BigIntegerField()
    exact = models.BooleanField(default=True)
    source = models.TextField()

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]
        constraints = [
            models.UniqueConstraint(fields=["key", "as_of"], name="one_figure_per_key_and_instant")
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.as_of:%Y-%m-%d}"
