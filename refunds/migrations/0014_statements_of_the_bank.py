"""Statements of the bank, and what a line of a report says."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('refunds', '0013_payout_views'),
    ]

    operations = [
        migrations.CreateModel(
            name='AccountStatement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.IntegerField(help_text='Counted from 1 in the file.')),
                ('account', models.CharField(help_text='The number as our limits name it.', max_length=34)),
                ('last_on', models.DateField(help_text='The last day that it is about.', null=True)),
                ('before_minor', models.BigIntegerField(null=True)),
                ('after_minor', models.BigIntegerField(null=True)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='StatementLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('identity', models.CharField(max_length=64)),
                ('part', models.IntegerField()),
                ('booked_on', models.DateField()),
                ('direction', models.CharField(choices=[('in', 'In'), ('out', 'Out')], max_length=3)),
                ('amount_minor', models.BigIntegerField()),
            ],
            options={
                'default_permissions': (),
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='bankprofile',
            name='witness_new',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='bankprofile',
            name='witness',
        ),
        migrations.AddField(
            model_name='answerline',
            name='paid_from',
            field=models.CharField(db_default='', max_length=34),
        ),
        migrations.AddField(
            model_name='answerline',
            name='said',
            field=models.CharField(db_default='', help_text='How the bank says it, where it is no final word.', max_length=8),
        ),
        migrations.AddField(
            model_name='answerline',
            name='value_mmdd',
            field=models.CharField(db_default='', max_length=4),
        ),
        migrations.AddField(
            model_name='bankprofile',
            name='format',
            field=models.CharField(choices=[('zengin', 'Zengin'), ('iso20022', 'Iso20022'), ('csv', 'Csv')], default='zengin', help_text='What its files are: an entry of the table of formats.', max_length=12),
        ),
        migrations.AlterField(
            model_name='bankfile',
            name='kind',
            field=models.CharField(choices=[('check_asked', 'Check Asked'), ('check_answered', 'Check Answered'), ('results', 'Results'), ('report', 'Report'), ('statement', 'Statement'), ('rejection', 'Rejection')], max_length=20),
        ),
        migrations.AlterField(
            model_name='reconciliationbreak',
            name='kind',
            field=models.CharField(choices=[('unknown_reference', 'Unknown Reference'), ('amount_differs', 'Amount Differs'), ('account_differs', 'Account Differs'), ('payee_differs', 'Payee Differs'), ('value_date_differs', 'Value Date Differs'), ('payer_differs', 'Payer Differs'), ('dead_batch', 'Dead Batch'), ('not_at_the_bank', 'Not At The Bank'), ('contradicts', 'Contradicts'), ('paid_twice', 'Paid Twice'), ('paid_after_all', 'Paid After All'), ('unknown_status', 'Unknown Status'), ('unknown_credit', 'Unknown Credit'), ('unknown_debit', 'Unknown Debit')], max_length=20),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bankprofile',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.account_types, a.charset, a.closed_days, a.code, a.cut_off, a.file_sum_max_minor, a.format, a.id, a.lines_max, a.name_truncation, a.source)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='bad7e49cc35a2a8a4a2c22cc191e06b34f2e744a', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_706e7', referencing='REFERENCING NEW TABLE AS after ', table='refunds_bankprofile', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bankprofile',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.account_types, OLD.charset, OLD.closed_days, OLD.code, OLD.cut_off, OLD.file_sum_max_minor, OLD.format, OLD.id, OLD.lines_max, OLD.name_truncation, OLD.source) IS DISTINCT FROM (NEW.account_types, NEW.charset, NEW.closed_days, NEW.code, NEW.cut_off, NEW.file_sum_max_minor, NEW.format, NEW.id, NEW.lines_max, NEW.name_truncation, NEW.source))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.account_types, NEW.charset, NEW.closed_days, NEW.code, NEW.cut_off, NEW.file_sum_max_minor, NEW.format, NEW.id, NEW.lines_max, NEW.name_truncation, NEW.source)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='38a6b3a45fd0c667ae9d12f9f3db0df182abc5d7', operation='UPDATE', pgid='pgtrigger_witness_97bc0', table='refunds_bankprofile', when='AFTER')),
        ),
        migrations.AddField(
            model_name='accountstatement',
            name='file',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='statements', to='refunds.bankfile'),
        ),
        migrations.AddField(
            model_name='statementline',
            name='batch',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='statement_lines', to='refunds.payoutbatch'),
        ),
        migrations.AddField(
            model_name='statementline',
            name='payout',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='statement_lines', to='refunds.payout'),
        ),
        migrations.AddField(
            model_name='statementline',
            name='statement',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='refunds.accountstatement'),
        ),
        migrations.AddConstraint(
            model_name='accountstatement',
            constraint=models.UniqueConstraint(fields=('file', 'number'), name='statement_once_in_a_file'),
        ),
        migrations.AddConstraint(
            model_name='accountstatement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('after_minor', None), ('before_minor', None)), models.Q(('after_minor__isnull', False), ('before_minor__isnull', False)), _connector='OR'), name='statement_has_both_balances_or_none'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accountstatement',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);", hash='2b582dd22a4dda5a22d77e47f028e10068f3f49e', level='STATEMENT', operation='UPDATE OR DELETE OR TRUNCATE', pgid='pgtrigger_append_only_a2190', table='refunds_accountstatement', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accountstatement',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.account, a.after_minor, a.before_minor, a.file_id, a.id, a.last_on, a.number)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='93f3ce339ef047b79cc61ce709bb52a2aec413cb', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_c98d8', referencing='REFERENCING NEW TABLE AS after ', table='refunds_accountstatement', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accountstatement',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.account, OLD.after_minor, OLD.before_minor, OLD.file_id, OLD.id, OLD.last_on, OLD.number) IS DISTINCT FROM (NEW.account, NEW.after_minor, NEW.before_minor, NEW.file_id, NEW.id, NEW.last_on, NEW.number))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.account, NEW.after_minor, NEW.before_minor, NEW.file_id, NEW.id, NEW.last_on, NEW.number)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='b9f36eb9b2da406c9b1ebf92adba7a30130b70b7', operation='UPDATE', pgid='pgtrigger_witness_8f96f', table='refunds_accountstatement', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='statementline',
            constraint=models.UniqueConstraint(fields=('identity', 'part'), name='movement_is_known_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='statementline',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);", hash='acbc428dcfa1225373c72839493482acb87fb057', level='STATEMENT', operation='UPDATE OR DELETE OR TRUNCATE', pgid='pgtrigger_append_only_77760', table='refunds_statementline', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='statementline',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.amount_minor, a.batch_id, a.booked_on, a.direction, a.id, a.identity, a.part, a.payout_id, a.statement_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='4247710355de56073a5917506f0530d4785855d5', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_eb61d', referencing='REFERENCING NEW TABLE AS after ', table='refunds_statementline', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='statementline',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.amount_minor, OLD.batch_id, OLD.booked_on, OLD.direction, OLD.id, OLD.identity, OLD.part, OLD.payout_id, OLD.statement_id) IS DISTINCT FROM (NEW.amount_minor, NEW.batch_id, NEW.booked_on, NEW.direction, NEW.id, NEW.identity, NEW.part, NEW.payout_id, NEW.statement_id))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.amount_minor, NEW.batch_id, NEW.booked_on, NEW.direction, NEW.id, NEW.identity, NEW.part, NEW.payout_id, NEW.statement_id)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='001956d997eea253a3db7aaa9cb231d558f96c3b', operation='UPDATE', pgid='pgtrigger_witness_34521', table='refunds_statementline', when='AFTER')),
        ),
    ]
