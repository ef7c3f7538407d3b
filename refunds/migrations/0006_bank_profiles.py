"""Bank profiles and bank accounts; the limits of the refund follow them."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('refunds', '0005_kept_rows'),
    ]

    operations = [
        migrations.CreateModel(
            name='BankAccount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=20, unique=True)),
                ('remitter_code', models.CharField(max_length=10)),
                ('remitter_name', models.CharField(max_length=40)),
                ('bank_code', models.CharField(max_length=4)),
                ('branch_code', models.CharField(max_length=3)),
                ('account_type', models.CharField(max_length=1)),
                ('account_number', models.CharField(max_length=7)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='BankProfile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=20, unique=True)),
                ('lines_max', models.IntegerField(help_text='How many transfers one file holds at most.')),
                ('file_sum_max_minor', models.BigIntegerField(help_text='What they come to at most.')),
                ('charset', models.CharField(choices=[('jis_x_0201', 'Jis X 0201'), ('shift_jis', 'Shift Jis'), ('utf_8', 'Utf 8')], max_length=12)),
                ('name_truncation', models.SmallIntegerField(help_text="How many characters of a payee's name the bank takes.")),
                ('cut_off', models.CharField(help_text='Until when on the day before, as HH:MM.', max_length=5)),
                ('closed_days', models.JSONField(default=list, help_text='Days on which this bank alone is closed, as ISO dates.')),
                ('account_types', models.JSONField(help_text="The types of payees' accounts that it takes.")),
                ('source', models.TextField()),
            ],
            options={
                'default_permissions': (),
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='refundterms',
            name='witness_new',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='refundterms',
            name='witness',
        ),
        migrations.RemoveConstraint(
            model_name='refundterms',
            name='terms_within_reason',
        ),
        migrations.AddField(
            model_name='refundterms',
            name='file_sum_max_minor',
            field=models.BigIntegerField(default=999999999999),
        ),
        migrations.AddField(
            model_name='refundterms',
            name='pays_from',
            field=models.CharField(blank=True, help_text='The bank account of the set-up file, if it names one.', max_length=20),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='refundterms',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.account_number, a.account_type, extract(epoch FROM a.adopted_at), a.auto_approve_max_minor, a.bank_code, a.bank_name, a.branch_code, a.branch_name, a.cooling_off_hours, a.file_records_max, a.file_sum_max_minor, a.holders_per_account_max, a.id, a.pays_from, a.remitter_code, a.remitter_name, a.returns_before_postal_order, a.source, a.two_approvers_above_minor)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='1d15ac9f6131df276d7f72430537b451b26d23c2', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_65af5', referencing='REFERENCING NEW TABLE AS after ', table='refunds_refundterms', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='refundterms',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.account_number, OLD.account_type, OLD.adopted_at, OLD.auto_approve_max_minor, OLD.bank_code, OLD.bank_name, OLD.branch_code, OLD.branch_name, OLD.cooling_off_hours, OLD.file_records_max, OLD.file_sum_max_minor, OLD.holders_per_account_max, OLD.id, OLD.pays_from, OLD.remitter_code, OLD.remitter_name, OLD.returns_before_postal_order, OLD.source, OLD.two_approvers_above_minor) IS DISTINCT FROM (NEW.account_number, NEW.account_type, NEW.adopted_at, NEW.auto_approve_max_minor, NEW.bank_code, NEW.bank_name, NEW.branch_code, NEW.branch_name, NEW.cooling_off_hours, NEW.file_records_max, NEW.file_sum_max_minor, NEW.holders_per_account_max, NEW.id, NEW.pays_from, NEW.remitter_code, NEW.remitter_name, NEW.returns_before_postal_order, NEW.source, NEW.two_approvers_above_minor))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.account_number, NEW.account_type, extract(epoch FROM NEW.adopted_at), NEW.auto_approve_max_minor, NEW.bank_code, NEW.bank_name, NEW.branch_code, NEW.branch_name, NEW.cooling_off_hours, NEW.file_records_max, NEW.file_sum_max_minor, NEW.holders_per_account_max, NEW.id, NEW.pays_from, NEW.remitter_code, NEW.remitter_name, NEW.returns_before_postal_order, NEW.source, NEW.two_approvers_above_minor)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='c4c5c4e7d626578204cd444a4f7d10c8297ce9f4', operation='UPDATE', pgid='pgtrigger_witness_d22ea', table='refunds_refundterms', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='refundterms',
            constraint=models.CheckConstraint(condition=models.Q(('auto_approve_max_minor__gte', 0), ('cooling_off_hours__gte', 0), ('file_records_max__range', (1, 999999)), ('file_sum_max_minor__gte', 1), ('holders_per_account_max__gte', 1), ('returns_before_postal_order__gte', 1), ('two_approvers_above_minor__gte', 0)), name='terms_within_reason'),
        ),
        migrations.AddConstraint(
            model_name='bankprofile',
            constraint=models.CheckConstraint(condition=models.Q(('file_sum_max_minor__gte', 1), ('lines_max__range', (1, 999999))), name='bank_profile_within_reason'),
        ),
        migrations.AddField(
            model_name='bankaccount',
            name='profile',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='accounts', to='refunds.bankprofile'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bankprofile',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.account_types, a.charset, a.closed_days, a.code, a.cut_off, a.file_sum_max_minor, a.id, a.lines_max, a.name_truncation, a.source)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='a5b8d62a98ea0c4b9661bd62cc84a51c28673d3b', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_706e7', referencing='REFERENCING NEW TABLE AS after ', table='refunds_bankprofile', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bankprofile',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.account_types, OLD.charset, OLD.closed_days, OLD.code, OLD.cut_off, OLD.file_sum_max_minor, OLD.id, OLD.lines_max, OLD.name_truncation, OLD.source) IS DISTINCT FROM (NEW.account_types, NEW.charset, NEW.closed_days, NEW.code, NEW.cut_off, NEW.file_sum_max_minor, NEW.id, NEW.lines_max, NEW.name_truncation, NEW.source))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.account_types, NEW.charset, NEW.closed_days, NEW.code, NEW.cut_off, NEW.file_sum_max_minor, NEW.id, NEW.lines_max, NEW.name_truncation, NEW.source)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='923bc90453a0d24e00ae577bb0537253d8b448e6', operation='UPDATE', pgid='pgtrigger_witness_97bc0', table='refunds_bankprofile', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bankprofile',
            trigger=pgtrigger.compiler.Trigger(name='row_is_kept', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);", hash='c8165a3d90151cbb49c66c4e1ef37c9d72528645', level='STATEMENT', operation='DELETE OR TRUNCATE OR UPDATE OF "id"', pgid='pgtrigger_row_is_kept_98276', table='refunds_bankprofile', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bankprofile',
            trigger=pgtrigger.compiler.Trigger(name='columns_are_fixed', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.code) IS DISTINCT FROM (NEW.code) AND (true))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: code cannot change any more', TG_TABLE_NAME, OLD.id);", hash='42e860459c5a13fc152ee8406831881f567c866b', operation='UPDATE OF "code"', pgid='pgtrigger_columns_are_fixed_83f7e', table='refunds_bankprofile', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bankaccount',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.account_number, a.account_type, a.bank_code, a.branch_code, a.code, a.id, a.profile_id, a.remitter_code, a.remitter_name)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='dcd836ef3640d34a0f64351cce5145644fcc25c9', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_655af', referencing='REFERENCING NEW TABLE AS after ', table='refunds_bankaccount', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bankaccount',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.account_number, OLD.account_type, OLD.bank_code, OLD.branch_code, OLD.code, OLD.id, OLD.profile_id, OLD.remitter_code, OLD.remitter_name) IS DISTINCT FROM (NEW.account_number, NEW.account_type, NEW.bank_code, NEW.branch_code, NEW.code, NEW.id, NEW.profile_id, NEW.remitter_code, NEW.remitter_name))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.account_number, NEW.account_type, NEW.bank_code, NEW.branch_code, NEW.code, NEW.id, NEW.profile_id, NEW.remitter_code, NEW.remitter_name)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='0aa7a3d05133bdc364ecda96a0181fe14952517d', operation='UPDATE', pgid='pgtrigger_witness_64934', table='refunds_bankaccount', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bankaccount',
            trigger=pgtrigger.compiler.Trigger(name='row_is_kept', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);", hash='9ade026c810d9d121fa9713c563676a7adebaba2', level='STATEMENT', operation='DELETE OR TRUNCATE OR UPDATE OF "id"', pgid='pgtrigger_row_is_kept_e1dbb', table='refunds_bankaccount', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bankaccount',
            trigger=pgtrigger.compiler.Trigger(name='columns_are_fixed', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.code) IS DISTINCT FROM (NEW.code) AND (true))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: code cannot change any more', TG_TABLE_NAME, OLD.id);", hash='91467ce1fe18fdde87d0a52a139dd000d3309dcc', operation='UPDATE OF "code"', pgid='pgtrigger_columns_are_fixed_9fafe', table='refunds_bankaccount', when='BEFORE')),
        ),
    ]
