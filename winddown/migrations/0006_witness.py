"""Row digests: what a row said when it was last written."""

import django.contrib.postgres.indexes
import django.db.models.expressions
import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('winddown', '0005_seals_after_a_restore'),
    ]

    operations = [
        migrations.CreateModel(
            name='RowDigest',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('table_name', models.CharField(max_length=63)),
                ('row_id', models.BigIntegerField()),
                ('digest', models.BinaryField(max_length=32)),
                ('xact_id', models.BigIntegerField(db_default=django.db.models.expressions.RawSQL('pg_current_xact_id()::text::bigint', ()))),
            ],
            options={
                'default_permissions': (),
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='approval',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.digest, extract(epoch FROM a.expires_at), a.id, a.maker_id, a.permission, a.reason, extract(epoch FROM a.requested_at), a.stage, a.subject, a.summary)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='8a1f517ac3aea432ddd90afb31ac6b6e2b346553', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_ae306', referencing='REFERENCING NEW TABLE AS after ', table='winddown_approval', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='approval',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.digest, OLD.expires_at, OLD.id, OLD.maker_id, OLD.permission, OLD.reason, OLD.requested_at, OLD.stage, OLD.subject, OLD.summary) IS DISTINCT FROM (NEW.digest, NEW.expires_at, NEW.id, NEW.maker_id, NEW.permission, NEW.reason, NEW.requested_at, NEW.stage, NEW.subject, NEW.summary))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.digest, extract(epoch FROM NEW.expires_at), NEW.id, NEW.maker_id, NEW.permission, NEW.reason, extract(epoch FROM NEW.requested_at), NEW.stage, NEW.subject, NEW.summary)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='b309acb47445b34ae5ab45cc783b8ccc4d2f5f90', operation='UPDATE', pgid='pgtrigger_witness_2de42', table='winddown_approval', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='capability',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.code, a.id, a.ratified_by_id, extract(epoch FROM a.ratify_by), a.reason, extract(epoch FROM a.review_at), extract(epoch FROM a.since), a.state, a.stopped_by_id, a.version)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='25c966c04d95c11a08a419b10bdb811d64e5d8eb', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_75ce0', referencing='REFERENCING NEW TABLE AS after ', table='winddown_capability', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='capability',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.code, OLD.id, OLD.ratified_by_id, OLD.ratify_by, OLD.reason, OLD.review_at, OLD.since, OLD.state, OLD.stopped_by_id, OLD.version) IS DISTINCT FROM (NEW.code, NEW.id, NEW.ratified_by_id, NEW.ratify_by, NEW.reason, NEW.review_at, NEW.since, NEW.state, NEW.stopped_by_id, NEW.version))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.code, NEW.id, NEW.ratified_by_id, extract(epoch FROM NEW.ratify_by), NEW.reason, extract(epoch FROM NEW.review_at), extract(epoch FROM NEW.since), NEW.state, NEW.stopped_by_id, NEW.version)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='974c8a6ca9f75614b2fb478c45dcd536c479624a', operation='UPDATE', pgid='pgtrigger_witness_1e833', table='winddown_capability', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='loadedfile',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.encoding, a.file_name, a.id, a.inserted, a.kind, extract(epoch FROM a.loaded_at), a.loaded_by_id, a.rows, a.sha256, a.sum_minor)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='8591ef98e666310c236c7e0d3bb023828d66f6ae', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_4fd68', referencing='REFERENCING NEW TABLE AS after ', table='winddown_loadedfile', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='loadedfile',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.encoding, OLD.file_name, OLD.id, OLD.inserted, OLD.kind, OLD.loaded_at, OLD.loaded_by_id, OLD.rows, OLD.sha256, OLD.sum_minor) IS DISTINCT FROM (NEW.encoding, NEW.file_name, NEW.id, NEW.inserted, NEW.kind, NEW.loaded_at, NEW.loaded_by_id, NEW.rows, NEW.sha256, NEW.sum_minor))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.encoding, NEW.file_name, NEW.id, NEW.inserted, NEW.kind, extract(epoch FROM NEW.loaded_at), NEW.loaded_by_id, NEW.rows, NEW.sha256, NEW.sum_minor)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='0496f01eff5e985fffd1a17b9fd0f582efcad4de', operation='UPDATE', pgid='pgtrigger_witness_7a5bc', table='winddown_loadedfile', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='milestone',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.at), a.ends_capability, extract(epoch FROM a.fired_at), a.id, a.kind, extract(epoch FROM a.late_by), a.workflow)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='68065da1751e1245605b550da197c58c4bc2aa3b', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_23ad8', referencing='REFERENCING NEW TABLE AS after ', table='winddown_milestone', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='milestone',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.at, OLD.ends_capability, OLD.fired_at, OLD.id, OLD.kind, OLD.late_by, OLD.workflow) IS DISTINCT FROM (NEW.at, NEW.ends_capability, NEW.fired_at, NEW.id, NEW.kind, NEW.late_by, NEW.workflow))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.at), NEW.ends_capability, extract(epoch FROM NEW.fired_at), NEW.id, NEW.kind, extract(epoch FROM NEW.late_by), NEW.workflow)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='edec7d522c6bca6d199cc8ef2d4e7dea3e071d73', operation='UPDATE', pgid='pgtrigger_witness_c5ece', table='winddown_milestone', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='plan',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.content, a.digest, a.id, extract(epoch FROM a.planned_at), a.run_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='97dc447be9e9e9a60a601dbecdbb7dd9eec652fe', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_0c456', referencing='REFERENCING NEW TABLE AS after ', table='winddown_plan', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='plan',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.content, OLD.digest, OLD.id, OLD.planned_at, OLD.run_id) IS DISTINCT FROM (NEW.content, NEW.digest, NEW.id, NEW.planned_at, NEW.run_id))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.content, NEW.digest, NEW.id, extract(epoch FROM NEW.planned_at), NEW.run_id)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='8aa0803b57ec5361a8691a650ddd704411954c29', operation='UPDATE', pgid='pgtrigger_witness_7ba6c', table='winddown_plan', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='programme',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.announced_at), extract(epoch FROM a.aware_at), a.contact_phone, a.currency, a.id, extract(epoch FROM a.launched_at), a.name, a.safeguarded_minor, a.state, a.time_zone)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='3ffd1b14606831b098409250243b1a102e0c4a60', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_c5ece', referencing='REFERENCING NEW TABLE AS after ', table='winddown_programme', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='programme',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.announced_at, OLD.aware_at, OLD.contact_phone, OLD.currency, OLD.id, OLD.launched_at, OLD.name, OLD.safeguarded_minor, OLD.state, OLD.time_zone) IS DISTINCT FROM (NEW.announced_at, NEW.aware_at, NEW.contact_phone, NEW.currency, NEW.id, NEW.launched_at, NEW.name, NEW.safeguarded_minor, NEW.state, NEW.time_zone))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.announced_at), extract(epoch FROM NEW.aware_at), NEW.contact_phone, NEW.currency, NEW.id, extract(epoch FROM NEW.launched_at), NEW.name, NEW.safeguarded_minor, NEW.state, NEW.time_zone)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='d1742c1732b143456d397aace4af6f917d979046', operation='UPDATE', pgid='pgtrigger_witness_c3d83', table='winddown_programme', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='publicnotice',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.contact, a.exclusion_statement, a.how_it_is_paid, a.how_to_claim, a.id, a.instrument, a.issuer_name, extract(epoch FROM a.published_at), a.statement, a.window_first_day, a.window_last_day)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='09383529d0f2d031234a495b23b59fbcbd8563f4', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_c5b4a', referencing='REFERENCING NEW TABLE AS after ', table='winddown_publicnotice', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='publicnotice',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.contact, OLD.exclusion_statement, OLD.how_it_is_paid, OLD.how_to_claim, OLD.id, OLD.instrument, OLD.issuer_name, OLD.published_at, OLD.statement, OLD.window_first_day, OLD.window_last_day) IS DISTINCT FROM (NEW.contact, NEW.exclusion_statement, NEW.how_it_is_paid, NEW.how_to_claim, NEW.id, NEW.instrument, NEW.issuer_name, NEW.published_at, NEW.statement, NEW.window_first_day, NEW.window_last_day))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.contact, NEW.exclusion_statement, NEW.how_it_is_paid, NEW.how_to_claim, NEW.id, NEW.instrument, NEW.issuer_name, extract(epoch FROM NEW.published_at), NEW.statement, NEW.window_first_day, NEW.window_last_day)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='c47a21b9a316a927cf0b185021effda16aad9999', operation='UPDATE', pgid='pgtrigger_witness_da04b', table='winddown_publicnotice', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='publishedfigure',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.as_of), a.exact, a.id, a.key, a.source, a.value)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='64a222bd7c3f6a26e195ac96a39975e31bd6d571', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_00d38', referencing='REFERENCING NEW TABLE AS after ', table='winddown_publishedfigure', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='publishedfigure',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.as_of, OLD.exact, OLD.id, OLD.key, OLD.source, OLD.value) IS DISTINCT FROM (NEW.as_of, NEW.exact, NEW.id, NEW.key, NEW.source, NEW.value))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.as_of), NEW.exact, NEW.id, NEW.key, NEW.source, NEW.value)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='d7271b7c1052a66cfd6c6eaa6c0834fef2682bee', operation='UPDATE', pgid='pgtrigger_witness_bc7cf', table='winddown_publishedfigure', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='run',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.as_of), extract(epoch FROM a.ended_at), a.failure_share_max, a.maker_id, a.params, a.plan_digest, a.rate_rows_s_max, a.reason, extract(epoch FROM a.requested_at), extract(epoch FROM a.started_at), a.state, a.step, a.workflow)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='eadd402ff9bccd6acaacceabac826d27a0fc1870', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_5143d', referencing='REFERENCING NEW TABLE AS after ', table='winddown_run', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='run',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.as_of, OLD.ended_at, OLD.failure_share_max, OLD.maker_id, OLD.params, OLD.plan_digest, OLD.rate_rows_s_max, OLD.reason, OLD.requested_at, OLD.started_at, OLD.state, OLD.step, OLD.workflow) IS DISTINCT FROM (NEW.as_of, NEW.ended_at, NEW.failure_share_max, NEW.maker_id, NEW.params, NEW.plan_digest, NEW.rate_rows_s_max, NEW.reason, NEW.requested_at, NEW.started_at, NEW.state, NEW.step, NEW.workflow))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.as_of), extract(epoch FROM NEW.ended_at), NEW.failure_share_max, NEW.maker_id, NEW.params, NEW.plan_digest, NEW.rate_rows_s_max, NEW.reason, extract(epoch FROM NEW.requested_at), extract(epoch FROM NEW.started_at), NEW.state, NEW.step, NEW.workflow)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='f67aa12f4967b279c18eb01c323bde9661bca5a7', operation='UPDATE OF "workflow", "params", "state", "maker_id", "reason", "requested_at", "as_of", "plan_digest", "step", "rate_rows_s_max", "failure_share_max", "started_at", "ended_at"', pgid='pgtrigger_witness_b073e', table='winddown_run', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='signature',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.approval_id, extract(epoch FROM a.at), a.digest, a.id, a.part, a.reason, a.signer_id, a.staff_number, a.stage, a.subject)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='5bfbc7cdfc17817176b5828a6a83819d9d7a9f1f', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_a40af', referencing='REFERENCING NEW TABLE AS after ', table='winddown_signature', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='signature',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.approval_id, OLD.at, OLD.digest, OLD.id, OLD.part, OLD.reason, OLD.signer_id, OLD.staff_number, OLD.stage, OLD.subject) IS DISTINCT FROM (NEW.approval_id, NEW.at, NEW.digest, NEW.id, NEW.part, NEW.reason, NEW.signer_id, NEW.staff_number, NEW.stage, NEW.subject))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.approval_id, extract(epoch FROM NEW.at), NEW.digest, NEW.id, NEW.part, NEW.reason, NEW.signer_id, NEW.staff_number, NEW.stage, NEW.subject)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='5aed9a48ae1e09ff5a7d9ad5c2abd3cf36698a55', operation='UPDATE', pgid='pgtrigger_witness_f4d21', table='winddown_signature', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='steptotal',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.ended_at), a.id, a.rows_expected, a.run_id, extract(epoch FROM a.started_at), a.step)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='f88951d1f8a91a9b3fd9478bbef41ad21f73fd24', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_e11be', referencing='REFERENCING NEW TABLE AS after ', table='winddown_steptotal', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='steptotal',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.ended_at, OLD.id, OLD.rows_expected, OLD.run_id, OLD.started_at, OLD.step) IS DISTINCT FROM (NEW.ended_at, NEW.id, NEW.rows_expected, NEW.run_id, NEW.started_at, NEW.step))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.ended_at), NEW.id, NEW.rows_expected, NEW.run_id, extract(epoch FROM NEW.started_at), NEW.step)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='25dd40c44c71a5d3e59138ad09c03a76eb36a179', operation='UPDATE', pgid='pgtrigger_witness_a3b4f', table='winddown_steptotal', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='rowdigest',
            index=django.contrib.postgres.indexes.BrinIndex(autosummarize=True, fields=['xact_id'], name='row_digest_by_xact'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rowdigest',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);", hash='525c18e8d94831430c6e3da27969cddfe7c43e63', level='STATEMENT', operation='UPDATE OR DELETE OR TRUNCATE', pgid='pgtrigger_append_only_f7f96', table='winddown_rowdigest', when='BEFORE')),
        ),
    ]
