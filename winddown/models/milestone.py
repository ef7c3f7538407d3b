"""Milestones: deadlines as rows, read by the request path itself and fired once by the tick."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from winddown.guards import Guard, columns_are_fixed, rows_are_kept
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class Milestone(models.Model):
    """An instant at which something ends or begins, or by which work is done; exclusive, so "30
    September 24:00" is stored as 1 October 00:00.

    The request path compares the time with `at`, so a late worker never delays a stop. The tick
    fires the milestone once, through a conditional UPDATE, even hours late, and records `late_by`.
    A milestone is reached when a person says so, its gate holds, and none of the milestones that it
    depends on is open. One without a gate is no longer open either once it has fired.
    """

    class Kind(models.TextChoices):
        CARD_TOP_UP_ENDS = "card_top_up_ends"
        SPEND_ENDS = "spend_ends"
        REFUND_OPENS = "refund_opens"
        REFUND_WINDOW_ENDS = "refund_window_ends"
        INCIDENT_REPORTED = "incident_reported"
        FUNDS_SECURED = "funds_secured"
        CLAIMS_SETTLED = "claims_settled"
        HOLDERS_PAID = "holders_paid"
        PROGRAMME_SETTLED = "programme_settled"

    BY_CLOCK = (
        Kind.CARD_TOP_UP_ENDS,
        Kind.SPEND_ENDS,
        Kind.REFUND_OPENS,
        Kind.REFUND_WINDOW_ENDS,
    )
    """The clock ends or begins something, so none of these is reached before its instant."""

    kind = models.CharField(max_length=40, choices=Kind.choices, unique=True)
    at = models.DateTimeField()
    ends_capability = models.CharField(max_length=60, blank=True)
    workflow = models.CharField(
        max_length=60, blank=True, help_text="The workflow whose approved run this starts."
    )
    fired_at = models.DateTimeField(null=True)
    late_by = models.DurationField(null=True)
    owner_role = models.CharField(max_length=40, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    gate = models.CharField(max_length=60, blank=True)
    needs = ArrayField(
        models.CharField(max_length=40, choices=Kind.choices),
        default=list,
        blank=True,
        help_text="The kinds of the milestones that come before.",
    )
    reached_at = models.DateTimeField(null=True)
    reached_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        default_permissions = ()
        triggers = [
            *witnessed(
                older=(
                    {
                        "gate": "''",
                        "needs": "'{}'",
                        "owner_id": "NULL",
                        "owner_role": "''",
                        "reached_at": "NULL",
                        "reached_by_id": "NULL",
                    },
                )
            ),
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
            columns_are_fixed(
                "at",
                "owner_role",
                "owner_id",
                "gate",
                "needs",
                "reached_at",
                "reached_by_id",
                once="OLD.reached_at IS NOT NULL",
                name="reached_once",
            ),
            Guard(
                name="announced_never_earlier",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("at"),
                condition=pgtrigger.Condition("NEW.at < OLD.at"),
                func=f"""
                    IF EXISTS (
                        SELECT FROM winddown_programme p
                        JOIN winddown_signature s
                            ON s.subject LIKE 'announcement:%' AND s.part = 'approved'
                        JOIN winddown_approval a ON a.subject = s.subject AND a.digest = s.digest
                        WHERE p.announced_at IS NOT NULL AND a.summary -> 'deadlines' ? NEW.kind
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.MILESTONE_REFUSED}',
                            MESSAGE = format('%s was announced: it comes no earlier', NEW.kind);
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="order_of_milestones",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("needs", "reached_at"),
                func=f"""
                    IF EXISTS (
                        WITH RECURSIVE needed (kind) AS (
                            SELECT unnest(NEW.needs)
                            UNION
                            SELECT before.kind FROM needed n
                            JOIN winddown_milestone m ON m.kind = n.kind AND m.id <> NEW.id,
                            LATERAL unnest(m.needs) AS before (kind)
                        )
                        SELECT FROM needed WHERE kind = NEW.kind
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.MILESTONE_REFUSED}',
                            MESSAGE = format('milestone %s would depend on itself', NEW.kind);
                    END IF;
                    IF NEW.reached_at IS NOT NULL AND EXISTS (
                        SELECT FROM unnest(NEW.needs) AS needed (kind)
                        LEFT JOIN winddown_milestone m ON m.kind = needed.kind
                        WHERE m.reached_at IS NULL
                          AND (m.id IS NULL OR m.gate <> '' OR m.fired_at IS NULL)
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.MILESTONE_REFUSED}',
                            MESSAGE = format('milestone %s waits for another one', NEW.kind);
                    END IF;
                    RETURN NEW;
                """,
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
            models.CheckConstraint(
                condition=models.Q(reached_at=None, reached_by=None)
                | models.Q(reached_at__isnull=False, reached_by__isnull=False),
                name="milestone_reached_by_somebody",
            ),
            models.CheckConstraint(
                condition=models.Q(reached_at=None)
                | ~models.Q(
                    kind__in=[
                        "card_top_up_ends",
                        "spend_ends",
                        "refund_opens",
                        "refund_window_ends",
                    ]
                )
                | models.Q(reached_at__gte=models.F("at")),
                name="milestone_of_the_clock_not_reached_early",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%dT%H:%M:%S%z}"

    @property
    def is_open(self) -> bool:
        return self.reached_at is None and (bool(self.gate) or self.fired_at is None)
