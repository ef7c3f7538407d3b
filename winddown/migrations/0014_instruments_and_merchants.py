"""The instruments that end, and the merchants that take them."""

import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('winddown', '0013_declared_sources_and_providers'),
    ]

    operations = [
        migrations.CreateModel(
            name='Merchant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('merchant_ref', models.CharField(help_text='As payments name it in their files.', max_length=64, unique=True)),
                ('name', models.CharField(max_length=100)),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('address', models.CharField(blank=True, max_length=200)),
                ('paid_out', models.BooleanField(default=False, help_text='Whether everything that it is owed has been paid.')),
            ],
            options={
                'ordering': ['merchant_ref'],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Instrument',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=16, unique=True)),
                ('kind', models.CharField(choices=[('prepaid_wallet', 'Prepaid Wallet'), ('prepaid_card', 'Prepaid Card'), ('voucher', 'Voucher')], max_length=16)),
                ('nature', models.CharField(choices=[('third_party_prepaid', 'Third Party Prepaid'), ('own_business_prepaid', 'Own Business Prepaid'), ('electronic_money', 'Electronic Money')], max_length=24)),
                ('title_en', models.CharField(max_length=100)),
                ('title_ja', models.CharField(max_length=100)),
            ],
            options={
                'ordering': ['pk'],
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(('code__regex', '^[a-z][a-z0-9_]{0,14}[a-z0-9]$')), name='instrument_code')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='instrument',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.code, a.id, a.kind, a.nature, a.title_en, a.title_ja)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='6b0e6aff7e3a493958a64b3257082383901db9fd', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_5d5b5', referencing='REFERENCING NEW TABLE AS after ', table='winddown_instrument', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='instrument',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.code, OLD.id, OLD.kind, OLD.nature, OLD.title_en, OLD.title_ja) IS DISTINCT FROM (NEW.code, NEW.id, NEW.kind, NEW.nature, NEW.title_en, NEW.title_ja))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.code, NEW.id, NEW.kind, NEW.nature, NEW.title_en, NEW.title_ja)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='d58c7d03b434d1996d4d9d7574a74403f8c487d4', operation='UPDATE', pgid='pgtrigger_witness_77b21', table='winddown_instrument', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='instrument',
            trigger=pgtrigger.compiler.Trigger(name='row_is_kept', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);", hash='343678ad111b2481a6d93f7c2c8231171b62bf62', level='STATEMENT', operation='DELETE OR TRUNCATE OR UPDATE OF "id"', pgid='pgtrigger_row_is_kept_95703', table='winddown_instrument', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='instrument',
            trigger=pgtrigger.compiler.Trigger(name='columns_are_fixed', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.code) IS DISTINCT FROM (NEW.code) AND (true))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: code cannot change any more', TG_TABLE_NAME, OLD.id);", hash='2ba7ccb0f732423a5a78a0edaab7458ba969a035', operation='UPDATE OF "code"', pgid='pgtrigger_columns_are_fixed_6df15', table='winddown_instrument', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='merchant',
            constraint=models.CheckConstraint(condition=models.Q(('address', ''), ('email', ''), _negated=True), name='merchant_can_be_told'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='merchant',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.address, a.email, a.id, a.merchant_ref, a.name, a.paid_out)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='fcc75031d7c35d7e9cec0b5f5ba94372bfc7e9ad', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_15529', referencing='REFERENCING NEW TABLE AS after ', table='winddown_merchant', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='merchant',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.address, OLD.email, OLD.id, OLD.merchant_ref, OLD.name, OLD.paid_out) IS DISTINCT FROM (NEW.address, NEW.email, NEW.id, NEW.merchant_ref, NEW.name, NEW.paid_out))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.address, NEW.email, NEW.id, NEW.merchant_ref, NEW.name, NEW.paid_out)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='6643e4935c17d016a59d445fc72daac0e18deee2', operation='UPDATE', pgid='pgtrigger_witness_0ba72', table='winddown_merchant', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='merchant',
            trigger=pgtrigger.compiler.Trigger(name='row_is_kept', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD011', MESSAGE = format('%s keeps its rows: %s refused', TG_TABLE_NAME, TG_OP);", hash='c4b3f299af79233579fa5ac529fa80a017bce980', level='STATEMENT', operation='DELETE OR TRUNCATE OR UPDATE OF "id"', pgid='pgtrigger_row_is_kept_af0f8', table='winddown_merchant', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='merchant',
            trigger=pgtrigger.compiler.Trigger(name='columns_are_fixed', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.merchant_ref) IS DISTINCT FROM (NEW.merchant_ref) AND (true))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: merchant_ref cannot change any more', TG_TABLE_NAME, OLD.id);", hash='697d865db9a0468baab81077bfff14b63f70d915', operation='UPDATE OF "merchant_ref"', pgid='pgtrigger_columns_are_fixed_14d60', table='winddown_merchant', when='BEFORE')),
        ),
    ]
