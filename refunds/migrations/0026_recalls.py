
import django.contrib.postgres.indexes
import django.db.models.deletion
import django_fsm
import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('refunds', '0025_breaks_together'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Recall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('requested', 'Requested'), ('in_process', 'In Process'), ('done', 'Done'), ('failed', 'Failed')], default='requested', max_length=40)),
                ('asked_at', models.DateTimeField()),
                ('answer', models.CharField(blank=True, help_text='What the bank said, and where.', max_length=200)),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('payout', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='recalls', to='refunds.payout')),
            ],
            options={
                'default_permissions': (),
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        migrations.CreateModel(
            name='RecallTransition',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('subject_id', models.BigIntegerField()),
                ('transition', models.CharField(max_length=60)),
                ('source', models.CharField(max_length=40)),
                ('target', models.CharField(max_length=40)),
                ('actor_id', models.BigIntegerField(null=True)),
                ('run_id', models.BigIntegerField(null=True)),
                ('reason', models.TextField()),
                ('at', models.DateTimeField()),
                ('xact_id', models.BigIntegerField()),
            ],
            options={
                'abstract': False,
                'default_permissions': (),
                'indexes': [models.Index(fields=['subject_id'], name='refunds_rec_subject_f35569_idx'), django.contrib.postgres.indexes.BrinIndex(autosummarize=True, fields=['xact_id'], name='refunds_rec_xact_id_2ef98b_brin')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='recalltransition',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);", hash='f510cdbf33b4c92ac5d6d1a970547c360ebdb18a', level='STATEMENT', operation='UPDATE OR DELETE OR TRUNCATE', pgid='pgtrigger_append_only_fcfed', table='refunds_recalltransition', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='recalltransition',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='8e3e2ce76178a3b12ca6b6e2cfb6a3bb31dfd538', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_2d2ae', table='refunds_recalltransition', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='recall',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['requested', 'in_process'])), fields=('payout',), name='one_open_recall_per_payout'),
        ),
        migrations.AddConstraint(
            model_name='recall',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'requested'), models.Q(('answer', ''), _negated=True), _connector='OR'), name='recall_has_an_answer'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='recall',
            trigger=pgtrigger.compiler.Trigger(name='machine', sql=winddown.guards.GuardSql(declare="DECLARE named text := nullif(current_setting('winddown.transition', true), ''); instant timestamptz := winddown_now(); by_actor bigint := nullif(current_setting('winddown.actor', true), ''); by_run bigint := nullif(current_setting('winddown.run', true), ''); for_reason text := coalesce(current_setting('winddown.reason', true), ''); this_xact bigint := pg_current_xact_id()::text; logged_by text := concat_ws(':', coalesce(by_actor::text, '-'), coalesce(by_run::text, '-'), extract(epoch FROM instant), for_reason); logged_rows bigint; first_id bigint; last_id bigint; digest text;", func="\n            WITH logged AS (\n                INSERT INTO refunds_recalltransition\n                    (subject_id, transition, source, target, actor_id, run_id, reason, at, xact_id)\n                SELECT a.id,\n                       CASE WHEN (named IS NULL OR named = 'fail') AND b.state = 'in_process' AND a.state = 'failed' THEN 'fail' WHEN (named IS NULL OR named = 'fail') AND b.state = 'requested' AND a.state = 'failed' THEN 'fail' WHEN (named IS NULL OR named = 'finish') AND b.state = 'in_process' AND a.state = 'done' THEN 'finish' WHEN (named IS NULL OR named = 'finish') AND b.state = 'requested' AND a.state = 'done' THEN 'finish' WHEN (named IS NULL OR named = 'take_up') AND b.state = 'requested' AND a.state = 'in_process' THEN 'take_up'\n                            ELSE winddown_refuse_edge(TG_TABLE_NAME, a.id, b.state, a.state, named) END,\n                       b.state, a.state, by_actor, by_run, for_reason, instant, this_xact\n                FROM before b JOIN after a ON a.id = b.id\n                WHERE a.state <> b.state\n                ORDER BY a.id\n                RETURNING id, subject_id, transition, source, target\n            )\n            SELECT count(*), min(id), max(id), winddown_rows_digest(string_agg(\n                concat_ws(':', subject_id, transition, source, target, logged_by), ',' ORDER BY id))\n            INTO logged_rows, first_id, last_id, digest FROM logged;\n            IF logged_rows > 0 THEN\n                PERFORM winddown_note_rows('refunds_recalltransition', first_id, last_id, logged_rows, digest);\n            END IF;\n            RETURN NULL;\n        ", hash='1d482836652ffb39d0bce369bf1ac3b0e8017667', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_machine_0682e', referencing='REFERENCING OLD TABLE AS before  NEW TABLE AS after ', table='refunds_recall', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='recall',
            trigger=pgtrigger.compiler.Trigger(name='machine_start', sql=winddown.guards.GuardSql(func="\n            IF (SELECT count(*) FROM after WHERE state NOT IN ('requested')) > 0 THEN\n                PERFORM winddown_refuse_edge(TG_TABLE_NAME, a.id, '(new)', a.state, NULL)\n                FROM after a WHERE a.state NOT IN ('requested') ORDER BY a.id LIMIT 1;\n            END IF;\n            RETURN NULL;\n        ", hash='d335d69a2ba784b11adb99d2d20495aa74e941e7', level='STATEMENT', operation='INSERT', pgid='pgtrigger_machine_start_6b2a0', referencing='REFERENCING NEW TABLE AS after ', table='refunds_recall', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='recall',
            trigger=pgtrigger.compiler.Trigger(name='machine_row', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);", hash='8cd3c5af4b36711ba17a82734d1f51d7bf68e4dc', level='STATEMENT', operation='DELETE OR TRUNCATE OR UPDATE OF "id"', pgid='pgtrigger_machine_row_2b644', table='refunds_recall', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='recall',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.answer, extract(epoch FROM a.asked_at), a.asked_by_id, a.id, a.payout_id, a.state)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='2ee0d1a5f4a783cce01f21c0bfc6d921b3c57be2', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_38764', referencing='REFERENCING NEW TABLE AS after ', table='refunds_recall', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='recall',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.answer, OLD.asked_at, OLD.asked_by_id, OLD.id, OLD.payout_id, OLD.state) IS DISTINCT FROM (NEW.answer, NEW.asked_at, NEW.asked_by_id, NEW.id, NEW.payout_id, NEW.state))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.answer, extract(epoch FROM NEW.asked_at), NEW.asked_by_id, NEW.id, NEW.payout_id, NEW.state)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='a10f57e45fd6ebf8df731d2cbc74c7efc90d2262', operation='UPDATE', pgid='pgtrigger_witness_7d301', table='refunds_recall', when='AFTER')),
        ),
    ]
