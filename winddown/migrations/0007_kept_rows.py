"""Deadlines, switches, approved runs and the horizon are kept, and only triggers write the logs."""

import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('winddown', '0006_witness'),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name='audithorizon',
            trigger=pgtrigger.compiler.Trigger(name='row_is_kept', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);", hash='d0b313c7678ae97ac7b1bab2b94ac409f200711c', level='STATEMENT', operation='DELETE OR TRUNCATE OR UPDATE OF "id"', pgid='pgtrigger_row_is_kept_48945', table='winddown_audithorizon', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='audithorizon',
            trigger=pgtrigger.compiler.Trigger(name='horizon_moves_forward', sql=winddown.guards.GuardSql(func="\n                    IF NEW.epoch < OLD.epoch\n                        OR (NEW.epoch = OLD.epoch AND NEW.xact_id < OLD.xact_id)\n                        OR NEW.xact_id > pg_snapshot_xmin(pg_current_snapshot())::text::bigint\n                        OR (NEW.epoch <> OLD.epoch AND NOT EXISTS (\n                            SELECT FROM winddown_auditentry\n                            WHERE seq = NEW.epoch AND action = 'audit.epoch')) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD012',\n                            MESSAGE = 'the audit horizon moves forward, and not into the future';\n                    END IF;\n                    RETURN NEW;\n                ", hash='a25bcb65d3f90eddc5b7cf31e54716d6655e4528', operation='UPDATE', pgid='pgtrigger_horizon_moves_forward_31471', table='winddown_audithorizon', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='capability',
            trigger=pgtrigger.compiler.Trigger(name='columns_are_fixed', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.code) IS DISTINCT FROM (NEW.code) AND (true))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: code cannot change any more', TG_TABLE_NAME, OLD.id);", hash='e098c269b99f117781f1f0a5e01ea3b3f314eabc', operation='UPDATE OF "code"', pgid='pgtrigger_columns_are_fixed_49624', table='winddown_capability', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='capability',
            trigger=pgtrigger.compiler.Trigger(name='version_of_a_flip', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.version, OLD.since) IS DISTINCT FROM (NEW.version, NEW.since) AND (OLD.state = NEW.state))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: version, since cannot change any more', TG_TABLE_NAME, OLD.id);", hash='6ed316ab9bc035f0d36b876539ddcfc4b7046fe7', operation='UPDATE OF "version", "since"', pgid='pgtrigger_version_of_a_flip_c2090', table='winddown_capability', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='capability',
            trigger=pgtrigger.compiler.Trigger(name='restored_by_two', sql=winddown.guards.GuardSql(condition='WHEN (NEW."state" = \'enabled\' AND OLD."state" = \'restoring\')', func="\n                    IF NOT EXISTS (\n                        SELECT FROM winddown_signature s JOIN winddown_approval a ON a.id = s.approval_id\n                        WHERE s.subject = format('capability:%s:%s:restore', OLD.code, OLD.version)\n                          AND s.part = 'approved' AND s.signer_id <> a.maker_id\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD033',\n                            MESSAGE = format('%s is not restored without a second person', OLD.code);\n                    END IF;\n                    RETURN NEW;\n                ", hash='5ed5a3980c05234306445d4ebcaaf3b28aad58a0', operation='UPDATE', pgid='pgtrigger_restored_by_two_23344', table='winddown_capability', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='capabilitytransition',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='ab8ce1680dca7404888c2a3bacbc3adb627d28cf', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_c714a', table='winddown_capabilitytransition', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='milestone',
            trigger=pgtrigger.compiler.Trigger(name='row_is_kept', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);", hash='5772b71478fbd811745dd4db84c3f59dc4eb3813', level='STATEMENT', operation='DELETE OR TRUNCATE OR UPDATE OF "id"', pgid='pgtrigger_row_is_kept_bbbd1', table='winddown_milestone', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='milestone',
            trigger=pgtrigger.compiler.Trigger(name='columns_are_fixed', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.kind) IS DISTINCT FROM (NEW.kind) AND (true))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: kind cannot change any more', TG_TABLE_NAME, OLD.id);", hash='49d59e43b3be7933f34ec9606598afda5d29e443', operation='UPDATE OF "kind"', pgid='pgtrigger_columns_are_fixed_2f30a', table='winddown_milestone', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='milestone',
            trigger=pgtrigger.compiler.Trigger(name='fired_once', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.at, OLD.ends_capability, OLD.workflow, OLD.fired_at, OLD.late_by) IS DISTINCT FROM (NEW.at, NEW.ends_capability, NEW.workflow, NEW.fired_at, NEW.late_by) AND (OLD.fired_at IS NOT NULL))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: at, ends_capability, workflow, fired_at, late_by cannot change any more', TG_TABLE_NAME, OLD.id);", hash='204e10020fb8a26ec0935032cdbda8dfa5622087', operation='UPDATE OF "at", "ends_capability", "workflow", "fired_at", "late_by"', pgid='pgtrigger_fired_once_bae43', table='winddown_milestone', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='milestone',
            trigger=pgtrigger.compiler.Trigger(name='deadline_is_kept', sql=winddown.guards.GuardSql(condition='WHEN (OLD.at <> NEW.at OR OLD.fired_at IS DISTINCT FROM NEW.fired_at)', func="\n                    IF OLD.kind = 'refund_window_ends' AND NEW.at < OLD.at\n                        OR NEW.fired_at > winddown_now() THEN\n                        RAISE EXCEPTION USING ERRCODE = 'WD012',\n                            MESSAGE = format('milestone %s is not shortened and not fired early', OLD.kind);\n                    END IF;\n                    RETURN NEW;\n                ", hash='04f64a8563322d77d85d78e5f339b87eaea5262a', operation='UPDATE', pgid='pgtrigger_deadline_is_kept_f25f1', table='winddown_milestone', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='probe',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);", hash='bfa0ac45a7a3395edd61bd31b01a61b1f7f12269', level='STATEMENT', operation='UPDATE OR DELETE OR TRUNCATE', pgid='pgtrigger_append_only_7b994', table='winddown_probe', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='probe',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.answer, extract(epoch FROM a.at), a.capability_id, a.id, a.refused, a.version)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='e0b1cc706f615d95a4adb69bfc787b66a59a196c', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_5769d', referencing='REFERENCING NEW TABLE AS after ', table='winddown_probe', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='probe',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.answer, OLD.at, OLD.capability_id, OLD.id, OLD.refused, OLD.version) IS DISTINCT FROM (NEW.answer, NEW.at, NEW.capability_id, NEW.id, NEW.refused, NEW.version))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.answer, extract(epoch FROM NEW.at), NEW.capability_id, NEW.id, NEW.refused, NEW.version)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='4224276275eddbf6a24e40ab705f6618de6fa0f9', operation='UPDATE', pgid='pgtrigger_witness_39df9', table='winddown_probe', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='programmetransition',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='a5782beab0fe35ca7f5564857a9ac6a06c2d4491', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_bf004', table='winddown_programmetransition', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rowdigest',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='6c9c5193057d3b24a44c247280590aa1c0d711d1', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_d5dcb', table='winddown_rowdigest', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='run',
            trigger=pgtrigger.compiler.Trigger(name='columns_are_fixed', sql=winddown.guards.GuardSql(condition="WHEN ((OLD.workflow, OLD.params, OLD.maker_id, OLD.plan_digest) IS DISTINCT FROM (NEW.workflow, NEW.params, NEW.maker_id, NEW.plan_digest) AND (OLD.state NOT IN ('requested', 'awaiting_approval')))", func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: workflow, params, maker_id, plan_digest cannot change any more', TG_TABLE_NAME, OLD.id);", hash='bddd690e99e71aab2e874f31183e7200e06f5e5d', operation='UPDATE OF "workflow", "params", "maker_id", "plan_digest"', pgid='pgtrigger_columns_are_fixed_877ff', table='winddown_run', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='runtransition',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='fcdae1f170a18a371bc5d29bf4470d85d3dbef37', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_40805', table='winddown_runtransition', when='BEFORE')),
        ),
    ]
