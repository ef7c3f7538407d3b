"""Unusual applications: where they came from, what rules found, and who cleared it."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from refunds.models.application import RefundApplication
from winddown.guards import Guard, append_only, columns_are_fixed, rows_are_kept
from winddown.sqlstates import SqlState
from winddown.witness import witnessed


class ApplicationOrigin(models.Model):
    """Where an application came from, as keyed hashes: equal origins have equal ones, and nobody reads
    an address out of them. An empty text is not known. Append-only.
    """

    application = models.OneToOneField(
        RefundApplication, on_delete=models.PROTECT, related_name="origin"
    )
    network = models.CharField(max_length=64, blank=True)
    device = models.CharField(max_length=64, blank=True)
    address = models.CharField(
        max_length=64, blank=True, help_text="Of the postal address without its last number."
    )

    class Meta:
        default_permissions = ()
        triggers = [*append_only(), *witnessed()]

    def __str__(self) -> str:
        return f"origin of application {self.application_id}"


class UnusualRule(models.Model):
    """A version of a rule for unusual applications, as two people adopted it. The newest of a code
    holds; before the first one, the rule has its usual limits and is observed.
    """

    class Mode(models.TextChoices):
        OFF = "off"
        OBSERVE = "observe"
        ENFORCE = "enforce"

    code = models.CharField(max_length=20)
    mode = models.CharField(max_length=8, choices=Mode.choices)
    least = models.IntegerField(help_text="So many of one kind are unusual.")
    hours = models.IntegerField(help_text="Of applications so young.")
    source = models.CharField(max_length=200, help_text="Where the limits come from.")
    adopted_at = models.DateTimeField()
    adopted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="The second person.",
    )

    class Meta:
        default_permissions = ()
        triggers = [
            *append_only(),
            *witnessed(),
            Guard(
                name="adopted_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=f"""
                    IF NOT EXISTS (
                        SELECT FROM winddown_signature s
                        JOIN winddown_approval a ON a.id = s.approval_id
                        WHERE s.part = 'approved' AND s.signer_id = NEW.adopted_by_id
                          AND s.signer_id <> a.maker_id
                          AND s.subject LIKE format('unusual_rule:%s:%%', NEW.code)
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}',
                            MESSAGE = format('rule %s changes with a second person only', NEW.code);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(least__gte=2, hours__gte=1), name="unusual_rule_has_limits"
            )
        ]

    def __str__(self) -> str:
        return f"version {self.pk} of rule {self.code}"


class UnusualHit(models.Model):
    """A rule found an application unusual. While the rule is enforced, it is not paid until two
    people clear it. The same rule finds it again only if it sees more than what was cleared. No rule
    refuses anything.
    """

    application = models.ForeignKey(
        RefundApplication, on_delete=models.PROTECT, db_index=False, related_name="unusual"
    )
    rule = models.CharField(max_length=20)
    size = models.IntegerField(help_text="How many were of one kind when it was found.")
    found_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True)
    cleared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )

    class Meta:
        default_permissions = ()
        triggers = [
            *witnessed(),
            rows_are_kept(),
            columns_are_fixed("application_id", "rule", "size", "found_at"),
            columns_are_fixed(
                "cleared_at",
                "cleared_by_id",
                once="OLD.cleared_at IS NOT NULL",
                name="cleared_once",
            ),
            Guard(
                name="cleared_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("cleared_at"),
                condition=pgtrigger.Condition(
                    "OLD.cleared_at IS NULL AND NEW.cleared_at IS NOT NULL"
                ),
                func=f"""
                    IF NOT EXISTS (
                        SELECT FROM winddown_signature s
                        JOIN winddown_approval a ON a.id = s.approval_id
                        WHERE s.part = 'approved' AND s.signer_id = NEW.cleared_by_id
                          AND s.signer_id <> a.maker_id
                          AND s.subject LIKE format('unusual:%s:%%', NEW.application_id)
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.NOT_APPROVED}',
                            MESSAGE = format(
                                'application %s is cleared by two people only', NEW.application_id);
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["application", "rule"],
                condition=Q(cleared_at=None),
                name="unusual_once_until_cleared",
            ),
            models.CheckConstraint(
                condition=Q(cleared_at=None, cleared_by=None)
                | Q(cleared_at__isnull=False, cleared_by__isnull=False),
                name="unusual_cleared_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"hit {self.pk} of rule {self.rule}"
