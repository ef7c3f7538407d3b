"""Public notices and published figures: rows that are never changed."""

from __future__ import annotations

import pgtrigger
from django.db import models

from winddown.guards import Guard, append_only
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class LawRule(models.Model):
    """A number that a jurisdiction pack gives, where triggers read it. The newest row of a name
    counts. The owner of the tables writes a row when he migrates and the pack says another number.
    """

    WINDOW = "window_days_min"

    jurisdiction = models.CharField(max_length=16)
    name = models.CharField(max_length=40)
    value = models.IntegerField()
    source = models.TextField()
    valid_from = models.DateField()

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]

    def __str__(self) -> str:
        return f"{self.jurisdiction} {self.name} {self.value}"


class PublicNotice(models.Model):
    """The public notice of the refund (Payment Services Act art. 20(2)): every statutory field and
    the window.

    Published notices are append-only; an extension of the window is a new notice. Counted without
    its first day, the window lasts as long as the law of the programme asks.
    """

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
                name="window_lasts_as_the_law_asks",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    IF NOT EXISTS (
                        SELECT FROM winddown_programme p
                        CROSS JOIN LATERAL (
                            SELECT r.value FROM winddown_lawrule r
                            WHERE r.jurisdiction = p.jurisdiction AND r.name = '{LawRule.WINDOW}'
                            ORDER BY r.id DESC LIMIT 1
                        ) law
                        WHERE NEW.window_last_day >= NEW.window_first_day + law.value
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.WINDOW_TOO_SHORT}',
                            MESSAGE = 'the refund window is shorter than the law asks';
                    END IF;
                    RETURN NEW;
                """,
            ),
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
