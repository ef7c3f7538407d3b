"""A code with which a page may begin the programme."""

import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('winddown', '0014_instruments_and_merchants'),
    ]

    operations = [
        migrations.CreateModel(
            name='SetUpCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('issued_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(('used_at', None), ('used_at__lt', models.F('expires_at')), _connector='OR'), name='set_up_code_used_in_time')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='setupcode',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.digest, extract(epoch FROM a.expires_at), a.id, extract(epoch FROM a.issued_at), extract(epoch FROM a.used_at))::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='d852e32243d586f6769084b29dfd2b3ce792d4b3', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_d9ee5', referencing='REFERENCING NEW TABLE AS after ', table='winddown_setupcode', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='setupcode',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.digest, OLD.expires_at, OLD.id, OLD.issued_at, OLD.used_at) IS DISTINCT FROM (NEW.digest, NEW.expires_at, NEW.id, NEW.issued_at, NEW.used_at))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.digest, extract(epoch FROM NEW.expires_at), NEW.id, extract(epoch FROM NEW.issued_at), extract(epoch FROM NEW.used_at))::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='fbe8d4aac29b8140571b756f1939ee727379a314', operation='UPDATE', pgid='pgtrigger_witness_e285f', table='winddown_setupcode', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='setupcode',
            trigger=pgtrigger.compiler.Trigger(name='row_is_kept', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);", hash='9d4252ac9c1e3cf115e1c1f714c2dea785ab7994', level='STATEMENT', operation='DELETE OR TRUNCATE OR UPDATE OF "id"', pgid='pgtrigger_row_is_kept_7bc16', table='winddown_setupcode', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='setupcode',
            trigger=pgtrigger.compiler.Trigger(name='columns_are_fixed', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.digest, OLD.issued_at, OLD.expires_at) IS DISTINCT FROM (NEW.digest, NEW.issued_at, NEW.expires_at) AND (true))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: digest, issued_at, expires_at cannot change any more', TG_TABLE_NAME, OLD.id);", hash='3bc82a11c3bb327ac5c9a23277b831f459c7e1d7', operation='UPDATE OF "digest", "issued_at", "expires_at"', pgid='pgtrigger_columns_are_fixed_60993', table='winddown_setupcode', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='setupcode',
            trigger=pgtrigger.compiler.Trigger(name='used_once', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.used_at) IS DISTINCT FROM (NEW.used_at) AND (OLD.used_at IS NOT NULL))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: used_at cannot change any more', TG_TABLE_NAME, OLD.id);", hash='2254e27a4dcf20936bed650de9871ceccdfc316a', operation='UPDATE OF "used_at"', pgid='pgtrigger_used_once_a7114', table='winddown_setupcode', when='BEFORE')),
        ),
    ]
