"""A guard makes each entry of the chain, and what a transaction noted is read only in it."""

from importlib import import_module

import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.db import migrations

first = import_module("winddown.migrations.0001_functions")
AS_BEFORE = (first.MACHINES + first.AUDIT).replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")

NOTE_AND_APPEND = """
CREATE OR REPLACE FUNCTION winddown_note_rows(
    tbl text, first_id bigint, last_id bigint, row_count bigint, digest text
) RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    mine text := pg_current_xact_id()::text;
    noted text := current_setting('winddown.rows', true);
BEGIN
    IF noted IS NULL OR split_part(noted, ' ', 1) <> mine THEN
        noted := mine;
    END IF;
    PERFORM set_config('winddown.rows', concat_ws(' ', noted,
        concat_ws(':', tbl, first_id, last_id, row_count, digest)), true);
END $$;

CREATE OR REPLACE FUNCTION winddown_audit_append(
    p_actor bigint, p_action text, p_subject text, p_reason text, p_run bigint, p_facts jsonb
) RETURNS bigint LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE number bigint;
BEGIN
    INSERT INTO winddown_auditentry (actor_id, action, subject, reason, run_id, facts)
    VALUES (p_actor, p_action, p_subject, p_reason, p_run, p_facts) RETURNING seq INTO number;
    RETURN number;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('winddown', '0007_kept_rows'),
    ]

    operations = [
        migrations.RunSQL(NOTE_AND_APPEND, AS_BEFORE),
        pgtrigger.migrations.RemoveTrigger(
            model_name='audithorizon',
            name='horizon_moves_forward',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='auditentry',
            trigger=pgtrigger.compiler.Trigger(name='continues_the_chain', sql=winddown.guards.GuardSql(declare='DECLARE last record;', func="\n                    IF NEW.action = 'audit.epoch' AND NOT EXISTS (\n                        SELECT FROM winddown_audithorizon h, pg_control_system() c\n                        WHERE h.cluster <> c.system_identifier\n                            OR h.xact_id > pg_snapshot_xmin(pg_current_snapshot())::text::bigint\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD023',\n                            MESSAGE = 'an epoch begins only in another cluster';\n                    END IF;\n                    PERFORM pg_advisory_xact_lock(7002, 0);\n                    SELECT e.seq, e.hash INTO last\n                    FROM winddown_auditentry e ORDER BY e.seq DESC LIMIT 1;\n                    NEW.seq := coalesce(last.seq, 0) + 1;\n                    NEW.at := winddown_now();\n                    NEW.xact_id := pg_current_xact_id()::text::bigint;\n                    NEW.rows := coalesce(substring(current_setting('winddown.rows', true)\n                        FROM format('^%s (.*)$', NEW.xact_id)), '');\n                    IF NEW.rows !~ '^([a-z0-9_]+(:[0-9]{1,18}){3}:[0-9a-f]{64}( [a-z0-9_]+(:[0-9]{1,18}){3}:[0-9a-f]{64})*)?$' THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD023',\n                            MESSAGE = 'what the entry covers cannot be read';\n                    END IF;\n                    NEW.previous := coalesce(last.hash, ''::bytea);\n                    NEW.hash := winddown_audit_hash(NEW.previous, NEW.seq, NEW.at, NEW.actor_id,\n                        NEW.action, NEW.subject, NEW.reason, NEW.run_id, NEW.facts, NEW.rows,\n                        NEW.xact_id);\n                    PERFORM set_config('winddown.rows', '', true);\n                    RETURN NEW;\n                ", hash='c06283e9ff7a7a460799b3a5b3f821e2eeb77b06', operation='INSERT', pgid='pgtrigger_continues_the_chain_b3c2d', table='winddown_auditentry', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='audithorizon',
            trigger=pgtrigger.compiler.Trigger(name='horizon_begins_at_0', sql=winddown.guards.GuardSql(condition="WHEN ((NEW.xact_id, NEW.epoch) <> (0, 0) OR NEW.cluster IS NOT NULL OR NEW.last_ids <> '{}')", func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = 'the audit horizon begins at 0';", hash='69117ce2fd2e29659b5ba3c566075bb934c82b6a', operation='INSERT', pgid='pgtrigger_horizon_begins_at_0_1085a', table='winddown_audithorizon', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='audithorizon',
            trigger=pgtrigger.compiler.Trigger(name='horizon_moves_forward', sql=winddown.guards.GuardSql(func="\n                    IF NEW.epoch < OLD.epoch\n                        OR (NEW.epoch = OLD.epoch AND NEW.xact_id < OLD.xact_id)\n                        OR NEW.xact_id > pg_snapshot_xmin(pg_current_snapshot())::text::bigint\n                        OR (NEW.epoch <> OLD.epoch AND NOT EXISTS (\n                            SELECT FROM winddown_auditentry\n                            WHERE seq = NEW.epoch AND action = 'audit.epoch')) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = 'the audit horizon moves forward, and not into the future';\n                    END IF;\n                    RETURN NEW;\n                ", hash='aba808e521abb1710d41b92e66930a6e95cfc49f', operation='UPDATE', pgid='pgtrigger_horizon_moves_forward_31471', table='winddown_audithorizon', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='audithorizon',
            trigger=pgtrigger.compiler.Trigger(name='horizon_is_of_this_cluster', sql=winddown.guards.GuardSql(condition='WHEN (OLD.cluster IS DISTINCT FROM NEW.cluster)', func="\n                    IF NEW.cluster IS DISTINCT FROM (\n                        SELECT system_identifier FROM pg_control_system()) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = 'the audit horizon is of the cluster that seals';\n                    END IF;\n                    RETURN NEW;\n                ", hash='59c9e4952325871d801829857fcaed3bc6cc4ad2', operation='UPDATE', pgid='pgtrigger_horizon_is_of_this_cluster_d7fc1', table='winddown_audithorizon', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='audithorizon',
            trigger=pgtrigger.compiler.Trigger(name='last_ids_are_of_rows', sql=winddown.guards.GuardSql(condition='WHEN (OLD.last_ids <> NEW.last_ids)', declare='DECLARE last record; newest bigint;', func="\n                    FOR last IN SELECT key, coalesce((OLD.last_ids ->> key)::bigint, 0) AS before,\n                            (NEW.last_ids ->> key)::bigint AS id\n                        FROM jsonb_object_keys(OLD.last_ids || NEW.last_ids) key\n                        WHERE OLD.last_ids -> key IS DISTINCT FROM NEW.last_ids -> key\n                    LOOP\n                        EXECUTE format('SELECT max(id) FROM public.%I', last.key) INTO newest;\n                        IF last.id BETWEEN last.before AND newest THEN\n                            CONTINUE;\n                        END IF;\n                        RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = 'the last sealed rows are rows, and later than before';\n                    END LOOP;\n                    RETURN NEW;\n                ", hash='4b04119471d76a912b7ba5ea176b7d5b0d55298b', operation='UPDATE', pgid='pgtrigger_last_ids_are_of_rows_018ec', table='winddown_audithorizon', when='BEFORE')),
        ),
    ]
