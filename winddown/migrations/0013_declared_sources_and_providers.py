"""Funding sources and login providers are rows. A database that has switches gets those of before."""

import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.db import migrations, models


# What every programme had before it could declare its own.
SOURCES = """
    INSERT INTO winddown_fundingsource (code, kind, title_en, title_ja)
    SELECT v.code, v.kind, v.title_en, v.title_ja FROM (VALUES
        (1, 'credit_card', 'credit_card', 'credit card', 'クレジットカード'),
        (2, 'debit_card', 'debit_card', 'debit card', 'デビットカード'),
        (3, 'atm_cash', 'cash', 'cash at an ATM', 'ATMの現金'),
        (4, 'register_cash', 'cash', 'cash at a register', 'レジの現金'),
        (5, 'points', 'points', 'points', 'ポイント'),
        (6, 'bonus', 'bonus', 'bonus value', '特典')
    ) AS v (place, code, kind, title_en, title_ja)
    JOIN winddown_capability c ON c.code = 'top_up:' || v.code ORDER BY v.place
"""
PROVIDERS = """
    INSERT INTO winddown_loginprovider (code, title_en, title_ja)
    SELECT v.code, v.title, v.title FROM (VALUES
        (1, 'facebook', 'Facebook'),
        (2, 'google', 'Google'),
        (3, 'line', 'LINE'),
        (4, 'twitter', 'Twitter'),
        (5, 'yahoo', 'Yahoo! JAPAN')
    ) AS v (place, code, title)
    JOIN winddown_capability c ON c.code = 'login_external:' || v.code ORDER BY v.place
"""


class Migration(migrations.Migration):

    dependencies = [
        ('winddown', '0012_publications'),
    ]

    operations = [
        migrations.CreateModel(
            name='LoginProvider',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=16, unique=True)),
                ('title_en', models.CharField(max_length=60)),
                ('title_ja', models.CharField(max_length=60)),
            ],
            options={
                'ordering': ['pk'],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='FundingSource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=16, unique=True)),
                ('kind', models.CharField(choices=[('credit_card', 'Credit Card'), ('debit_card', 'Debit Card'), ('bank', 'Bank'), ('cash', 'Cash'), ('points', 'Points'), ('bonus', 'Bonus')], max_length=12)),
                ('title_en', models.CharField(max_length=60)),
                ('title_ja', models.CharField(max_length=60)),
            ],
            options={
                'ordering': ['pk'],
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(('code__regex', '^[a-z][a-z0-9_]{0,14}[a-z0-9]$')), name='funding_source_code'), models.CheckConstraint(condition=models.Q(('kind__in', ['credit_card', 'debit_card', 'bank', 'cash', 'points', 'bonus'])), name='funding_source_kind')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='fundingsource',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.code, a.id, a.kind, a.title_en, a.title_ja)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='619b49003296356bf8e9fe775d8d641595476178', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_9f880', referencing='REFERENCING NEW TABLE AS after ', table='winddown_fundingsource', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='fundingsource',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.code, OLD.id, OLD.kind, OLD.title_en, OLD.title_ja) IS DISTINCT FROM (NEW.code, NEW.id, NEW.kind, NEW.title_en, NEW.title_ja))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.code, NEW.id, NEW.kind, NEW.title_en, NEW.title_ja)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='9a67cc46065bf15d53f3242faef80bc2bf8ff322', operation='UPDATE', pgid='pgtrigger_witness_87256', table='winddown_fundingsource', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='fundingsource',
            trigger=pgtrigger.compiler.Trigger(name='row_is_kept', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);", hash='8045a74a486637b97bf762ddfc31587c975c9681', level='STATEMENT', operation='DELETE OR TRUNCATE OR UPDATE OF "id"', pgid='pgtrigger_row_is_kept_11206', table='winddown_fundingsource', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='fundingsource',
            trigger=pgtrigger.compiler.Trigger(name='columns_are_fixed', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.code, OLD.kind) IS DISTINCT FROM (NEW.code, NEW.kind) AND (true))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: code, kind cannot change any more', TG_TABLE_NAME, OLD.id);", hash='424f6db4f02e5f908be195d5320da1af90dc6162', operation='UPDATE OF "code", "kind"', pgid='pgtrigger_columns_are_fixed_cd94b', table='winddown_fundingsource', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='loginprovider',
            constraint=models.CheckConstraint(condition=models.Q(('code__regex', '^[a-z][a-z0-9_]{0,14}[a-z0-9]$'), models.Q(('code__in', ['password', 'passkey']), _negated=True)), name='login_provider_code'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='loginprovider',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.code, a.id, a.title_en, a.title_ja)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='b91fb7804835e80f2c8a2362abf1dc243bd4d81e', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_a7d64', referencing='REFERENCING NEW TABLE AS after ', table='winddown_loginprovider', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='loginprovider',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.code, OLD.id, OLD.title_en, OLD.title_ja) IS DISTINCT FROM (NEW.code, NEW.id, NEW.title_en, NEW.title_ja))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.code, NEW.id, NEW.title_en, NEW.title_ja)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='bd97ebbbde102e4ce6dd4b3a9d3678a6316281ff', operation='UPDATE', pgid='pgtrigger_witness_f8e9f', table='winddown_loginprovider', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='loginprovider',
            trigger=pgtrigger.compiler.Trigger(name='row_is_kept', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);", hash='d469350382765a219d1044eaac967935bab7b330', level='STATEMENT', operation='DELETE OR TRUNCATE OR UPDATE OF "id"', pgid='pgtrigger_row_is_kept_34352', table='winddown_loginprovider', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='loginprovider',
            trigger=pgtrigger.compiler.Trigger(name='columns_are_fixed', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.code) IS DISTINCT FROM (NEW.code) AND (true))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: code cannot change any more', TG_TABLE_NAME, OLD.id);", hash='8fc2733c2aca7d0ae8d44cac5b870c292b1bdbe5', operation='UPDATE OF "code"', pgid='pgtrigger_columns_are_fixed_d7624', table='winddown_loginprovider', when='BEFORE')),
        ),
        migrations.RunSQL([SOURCES, PROVIDERS], migrations.RunSQL.noop),
    ]
