
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('refunds', '0023_versions_of_a_batch'),
        ('winddown', '0027_receipts_from_before_the_files'),
    ]

    operations = [
        migrations.CreateModel(
            name='PayoutWave',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('record_on', models.DateField()),
                ('cut_off_on', models.DateField()),
                ('pay_on', models.DateField(help_text='The value date of its files.')),
                ('payees_close_days', models.SmallIntegerField()),
                ('approval', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='winddown.approval')),
                ('withdrawal', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='winddown.approval')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(('cut_off_on__gte', models.F('record_on')), ('pay_on__gt', models.F('cut_off_on')), ('payees_close_days__range', (0, 30))), name='days_of_a_wave_in_order'), models.UniqueConstraint(condition=models.Q(('withdrawal', None)), fields=('pay_on',), name='one_wave_for_a_day')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payoutwave',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.approval_id, a.cut_off_on, a.id, a.pay_on, a.payees_close_days, a.record_on, a.withdrawal_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='31b4f682fba7c890c9e07e981ae1149275d3c789', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_7c20c', referencing='REFERENCING NEW TABLE AS after ', table='refunds_payoutwave', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payoutwave',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.approval_id, OLD.cut_off_on, OLD.id, OLD.pay_on, OLD.payees_close_days, OLD.record_on, OLD.withdrawal_id) IS DISTINCT FROM (NEW.approval_id, NEW.cut_off_on, NEW.id, NEW.pay_on, NEW.payees_close_days, NEW.record_on, NEW.withdrawal_id))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.approval_id, NEW.cut_off_on, NEW.id, NEW.pay_on, NEW.payees_close_days, NEW.record_on, NEW.withdrawal_id)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='f39de6180cebcccef1186ff2ddf8c65595e4dde6', operation='UPDATE', pgid='pgtrigger_witness_42f27', table='refunds_payoutwave', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payoutwave',
            trigger=pgtrigger.compiler.Trigger(name='row_is_kept', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);", hash='ab2a87f50649a82cdc96ff643ad7197a1fd866d0', level='STATEMENT', operation='DELETE OR TRUNCATE OR UPDATE OF "id"', pgid='pgtrigger_row_is_kept_e0cf6', table='refunds_payoutwave', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payoutwave',
            trigger=pgtrigger.compiler.Trigger(name='columns_are_fixed', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.record_on, OLD.cut_off_on, OLD.pay_on, OLD.payees_close_days, OLD.approval_id) IS DISTINCT FROM (NEW.record_on, NEW.cut_off_on, NEW.pay_on, NEW.payees_close_days, NEW.approval_id) AND (true))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: record_on, cut_off_on, pay_on, payees_close_days, approval_id cannot change any more', TG_TABLE_NAME, OLD.id);", hash='96b256eb497ed5c7677eb0a442a49955ca304ae9', operation='UPDATE OF "record_on", "cut_off_on", "pay_on", "payees_close_days", "approval_id"', pgid='pgtrigger_columns_are_fixed_c080f', table='refunds_payoutwave', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payoutwave',
            trigger=pgtrigger.compiler.Trigger(name='withdrawn_once', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.withdrawal_id) IS DISTINCT FROM (NEW.withdrawal_id) AND (OLD.withdrawal_id IS NOT NULL))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: withdrawal_id cannot change any more', TG_TABLE_NAME, OLD.id);", hash='657010f67a5c635d2aa84da811001c2c6b5a9dad', operation='UPDATE OF "withdrawal_id"', pgid='pgtrigger_withdrawn_once_2fb7b', table='refunds_payoutwave', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payoutwave',
            trigger=pgtrigger.compiler.Trigger(name='planned_by_two', sql=winddown.guards.GuardSql(func="\n    IF NOT EXISTS (\n        SELECT FROM winddown_signature s JOIN winddown_approval a ON a.id = s.approval_id\n        JOIN accounts_user m ON m.id = a.maker_id\n        WHERE a.id = NEW.approval_id AND a.subject LIKE 'payout_wave:new:%'\n          AND s.part = 'approved' AND s.staff_number <> m.staff_number\n    ) THEN\n        RAISE EXCEPTION USING ERRCODE = 'WD033',\n            MESSAGE = 'a payout wave is planned and withdrawn by two people';\n    END IF;\n    RETURN NEW;\n", hash='4ec73c8725d3ad51e3839b17b54980c86be8a882', operation='INSERT', pgid='pgtrigger_planned_by_two_3d86d', table='refunds_payoutwave', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payoutwave',
            trigger=pgtrigger.compiler.Trigger(name='withdrawn_by_two', sql=winddown.guards.GuardSql(func="\n    IF NOT EXISTS (\n        SELECT FROM winddown_signature s JOIN winddown_approval a ON a.id = s.approval_id\n        JOIN accounts_user m ON m.id = a.maker_id\n        WHERE a.id = NEW.withdrawal_id AND a.subject LIKE 'payout_wave:' || NEW.id || ':%'\n          AND s.part = 'approved' AND s.staff_number <> m.staff_number\n    ) THEN\n        RAISE EXCEPTION USING ERRCODE = 'WD033',\n            MESSAGE = 'a payout wave is planned and withdrawn by two people';\n    END IF;\n    RETURN NEW;\n", hash='efb993466084a9342bfe8f0a6abfe186e50c1572', operation='UPDATE OF "withdrawal_id"', pgid='pgtrigger_withdrawn_by_two_8608e', table='refunds_payoutwave', when='BEFORE')),
        ),
    ]
