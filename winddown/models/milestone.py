"""Milestones: deadlines as rows, read by the request path itself and fired once by the tick."""

from __future__ import annotations

import pgtrigger
from django.db import models

from winddown.guards import Guard, columns_are_fixed, rows_are_kept
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class Milestone(models.Model):
    """An instant at which something ends or begins; exclusive, so "30 September 24:00" is stored as
    1 October 00:00.

    The request path compares the time with `at`, so a late worker never delays a stop. The tick
    fires the milestone once, through a conditional UPDATE, even hours late, and records `late_by`.
    """

    class Kind(models.TextChoices):
        CARD_TOP_UP_ENDS = "card_top_up_ends"
        SPEND_ENDS = "spend_ends"
        REFUND_OPENS = "refund_opens"
        REFUND_WINDOW_ENDS = "refund_window_ends"

    kind = models.CharField(max_length=40, choices=Kind.choices, unique=True)
    at = models.DateTimeField()
    ends_capability = models.CharField(max_length=60, blank=True)
    workflow = models.CharField(
        max_length=60, blank=True, help_text="The workflow whose approved run this starts."
    )
    fired_at = models.DateTimeField(null=True)
    late_by = models.DurationField(null=True)

    class Meta:
        default_permissions = ()
        triggers = [
            *witnessed(),
            rows_are_kept(),
            columns_are_fixed("kind"),
            columns_are_fixed(
                "at",
                "ends_capability",
                "workflow",
                "fired_at",
                "late_by",
                once="OLD.fired_at IS NOT NULL",
                name="fired_once",
            ),
            Guard(
                name="deadline_is_kept",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.at <> NEW.at OR OLD.fired_at IS DISTINCT FROM NEW.fired_at"
                ),
                func=f"""
                    IF OLD.kind = 'refund_window_ends' AND NEW.at < OLD.at
                        OR NEW.fired_at > winddown_now() THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.COLUMN_IS_FIXED}',
                            MESSAGE = format('milestone %s is not shortened and not fired early', OLD.kind);
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="window_follows_the_notice",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("at"),
                condition=pgtrigger.Condition("NEW.kind = 'refund_window_ends'"),
                func=f"""
                    IF NEW.at IS DISTINCT FROM (
                        SELECT (max(n.window_last_day) + 1)::timestamp AT TIME ZONE max(p.time_zone)
                        FROM winddown_publicnotice n, winddown_programme p
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.COLUMN_IS_FIXED}',
                            MESSAGE = 'the refund window ends with the last day of the public notice';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(fired_at=None) | models.Q(fired_at__gte=models.F("at")),
                name="milestone_not_fired_early",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%dT%H:%M:%S%z}"
