"""The audit journal: one hash-chained entry per act, in the transaction of the act, in all apps."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from winddown.guards import Guard, append_only, rows_are_kept
from winddown.sqlstates import SqlState

_NOTED = "[a-z0-9_]+(:[0-9]{1,18}){3}:[0-9a-f]{64}"
NOTED_ROWS = f"^({_NOTED}( {_NOTED})*)?$"


class AuditEntry(models.Model):
    """Who did what, why, and the digest of every row that the transaction logged.

    `winddown_audit_append()` writes it. `seq` has no gap, and `hash` covers the entry and its
    predecessor's hash. `rows` lists `table:first_id:last_id:count:sha256` per logged statement. A
    guard sets all of this and the instant, so no writer chooses them.
    """

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,  # audit_by_actor
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
        triggers = [
            *append_only(),
            Guard(
                name="continues_the_chain",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("last", "record")],
                func=f"""
                    IF NEW.action = 'audit.epoch' AND NOT EXISTS (
                        SELECT FROM winddown_audithorizon h, pg_control_system() c
                        WHERE h.cluster <> c.system_identifier
                            OR h.xact_id > pg_snapshot_xmin(pg_current_snapshot())::text::bigint
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.ENTRY_REFUSED}',
                            MESSAGE = 'an epoch begins only in another cluster';
                    END IF;
                    PERFORM pg_advisory_xact_lock(7002, 0);
                    SELECT e.seq, e.hash INTO last
                    FROM winddown_auditentry e ORDER BY e.seq DESC LIMIT 1;
                    NEW.seq := coalesce(last.seq, 0) + 1;
                    NEW.at := winddown_now();
                    NEW.xact_id := pg_current_xact_id()::text::bigint;
                    NEW.rows := coalesce(substring(current_setting('winddown.rows', true)
                        FROM format('^%s (.*)$', NEW.xact_id)), '');
                    IF NEW.rows !~ '{NOTED_ROWS}' THEN
                        RAISE EXCEPTION USING ERRCODE = '{SqlState.ENTRY_REFUSED}',
                            MESSAGE = 'what the entry covers cannot be read';
                    END IF;
                    NEW.previous := coalesce(last.hash, ''::bytea);
                    NEW.hash := winddown_audit_hash(NEW.previous, NEW.seq, NEW.at, NEW.actor_id,
                        NEW.action, NEW.subject, NEW.reason, NEW.run_id, NEW.facts, NEW.rows,
                        NEW.xact_id);
                    PERFORM set_config('winddown.rows', '', true);
                    RETURN NEW;
                """,
            ),
        ]
        indexes = [
            # A subject and an action are found by their first words too, in any locale.
            models.Index(
                fields=["subject"], name="audit_by_subject", opclasses=["varchar_pattern_ops"]
            ),
            models.Index(
                fields=["action", "-seq"],
                name="audit_by_action",
                opclasses=["varchar_pattern_ops", "int8_ops"],
            ),
            models.Index(fields=["actor", "-seq"], name="audit_by_actor"),
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


def _refused(why: str) -> str:
    return f"RAISE EXCEPTION USING ERRCODE = '{SqlState.COLUMN_IS_FIXED}', MESSAGE = '{why}';"


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
                name="horizon_begins_at_0",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition(
                    "((NEW.xact_id, NEW.epoch) <> (0, 0) OR NEW.cluster IS NOT NULL"
                    " OR NEW.last_ids <> '{}')"
                ),
                func=_refused("the audit horizon begins at 0"),
            ),
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
                        {_refused("the audit horizon moves forward, and not into the future")}
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="horizon_is_of_this_cluster",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.cluster IS DISTINCT FROM NEW.cluster"),
                func=f"""
                    IF NEW.cluster IS DISTINCT FROM (
                        SELECT system_identifier FROM pg_control_system()) THEN
                        {_refused("the audit horizon is of the cluster that seals")}
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="last_ids_are_of_rows",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.last_ids <> NEW.last_ids"),
                declare=[("last", "record"), ("newest", "bigint")],
                func=f"""
                    FOR last IN SELECT key, coalesce((OLD.last_ids ->> key)::bigint, 0) AS before,
                            (NEW.last_ids ->> key)::bigint AS id
                        FROM jsonb_object_keys(OLD.last_ids || NEW.last_ids) key
                        WHERE OLD.last_ids -> key IS DISTINCT FROM NEW.last_ids -> key
                    LOOP
                        EXECUTE format('SELECT max(id) FROM public.%I', last.key) INTO newest;
                        IF last.id BETWEEN last.before AND newest THEN
                            CONTINUE;
                        END IF;
                        {_refused("the last sealed rows are rows, and later than before")}
                    END LOOP;
                    RETURN NEW;
                """,
            ),
        ]
