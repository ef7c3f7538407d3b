"""The audit journal: one hash-chained entry per act, in the transaction of the act, in all apps."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from winddown.guards import Guard, append_only, rows_are_kept
from winddown.sqlstates import SqlState


class AuditEntry(models.Model):
    """Who did what, why, and the digest of every row that the transaction logged.

    Only `winddown_audit_append()` writes it, under the chain's lock. `seq` has no gap, and `hash`
    covers the entry and its predecessor's hash. `rows` lists `table:first_id:last_id:count:sha256`
    per logged statement.
    """

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    action = models.CharField(max_length=80)
    subject = models.CharField(max_length=120)
    reason = models.TextField()
    run_id = models.BigIntegerField(null=True)
    facts = models.JSONField()
    rows = models.TextField()
    xact_id = models.BigIntegerField(db_index=True)
    previous = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        default_permissions = ()
        triggers = append_only()
        indexes = [
            models.Index(fields=["subject"], name="audit_by_subject"),
            BrinIndex(fields=["at"], name="audit_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.action} {self.subject}"


class AuditSeal(models.Model):
    """The last transaction whose rows of customers' movements are sealed into the chain."""

    entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, primary_key=True)
    from_xact_id = models.BigIntegerField()
    to_xact_id = models.BigIntegerField(db_index=True)
    tables = models.JSONField()

    class Meta:
        default_permissions = ()
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.from_xact_id} .. {self.to_xact_id}"


class AuditHorizon(models.Model):
    """The last transaction that a seal has examined. The next seal begins there.

    `cluster` is the PostgreSQL cluster whose transactions are counted. `epoch` is the audit entry
    that began to count them, 0 for the cluster that the database was made in. `last_ids` has the
    last sealed row of each table.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    xact_id = models.BigIntegerField(default=0)
    moved_at = models.DateTimeField(null=True)
    cluster = models.BigIntegerField(null=True)
    epoch = models.BigIntegerField(default=0)
    last_ids = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="audit_horizon_is_one_row"),
        ]
        triggers = [
            rows_are_kept(),
            Guard(
                name="horizon_moves_forward",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func=f"""
                    IF NEW.epoch < OLD.epoch
                        OR (NEW.epoch = OLD.epoch AND NEW.xact_id < OLD.xact_id)
                        OR NEW.xact_id > pg_snapshot_xmin(pg_current_snapshot())::text::bigint
                        OR (NEW.epoch <> OLD.epoch AND NOT EXISTS (
                            SELECT FROM winddown_auditentry
                            WHERE seq = NEW.epoch AND action = 'audit.epoch')) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.COLUMN_IS_FIXED}',
                            MESSAGE = 'the audit horizon moves forward, and not into the future';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]
