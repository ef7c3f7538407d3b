"""Answers that were uploaded, and the lines of the one that is judged now."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('refunds', '0011_parts_of_an_entitlement'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AnswerLine',
            fields=[
                ('number', models.IntegerField(primary_key=True, serialize=False)),
                ('reference', models.CharField(max_length=35)),
                ('sequence', models.IntegerField(null=True)),
                ('payout_id', models.BigIntegerField(null=True)),
                ('payee_id', models.BigIntegerField(null=True)),
                ('fingerprint', models.CharField(db_default='', max_length=64)),
                ('name', models.CharField(db_default='', max_length=140)),
                ('amount_minor', models.BigIntegerField(db_default=0)),
                ('code', models.CharField(db_default='', max_length=24)),
                ('verdict', models.CharField(db_default='', max_length=20)),
                ('again', models.BooleanField(db_default=False)),
                ('batch_id', models.BigIntegerField(null=True)),
                ('entitlement_id', models.BigIntegerField(null=True)),
                ('remedy_id', models.BigIntegerField(null=True)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='UploadedAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sha256', models.CharField(max_length=64, unique=True)),
                ('content_sealed', models.BinaryField()),
                ('at', models.DateTimeField()),
                ('actor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='uploadedanswer',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);", hash='f8b459f78430ca7f3c1196dc4b97faf84b963e67', level='STATEMENT', operation='UPDATE OR DELETE OR TRUNCATE', pgid='pgtrigger_append_only_d3b74', table='refunds_uploadedanswer', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='uploadedanswer',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.actor_id, extract(epoch FROM a.at), encode(sha256(a.content_sealed), 'hex'), a.id, a.sha256)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='c73dcf90baa691275c9ae6dee0b3a6ccfd609e57', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_70662', referencing='REFERENCING NEW TABLE AS after ', table='refunds_uploadedanswer', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='uploadedanswer',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.actor_id, OLD.at, OLD.content_sealed, OLD.id, OLD.sha256) IS DISTINCT FROM (NEW.actor_id, NEW.at, NEW.content_sealed, NEW.id, NEW.sha256))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.actor_id, extract(epoch FROM NEW.at), encode(sha256(NEW.content_sealed), 'hex'), NEW.id, NEW.sha256)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='6ea6b622544e2f0aa5d78b386afd46dcafdc89a5', operation='UPDATE', pgid='pgtrigger_witness_ee9c4', table='refunds_uploadedanswer', when='AFTER')),
        ),
        # Its rows never outlive their transaction, so the server need not write them twice.
        migrations.RunSQL(
            "ALTER TABLE refunds_answerline SET UNLOGGED",
            "ALTER TABLE refunds_answerline SET LOGGED",
        ),
    ]
