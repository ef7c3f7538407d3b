"""Amounts and owners are fixed, and only triggers write the logs."""

import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('wallets', '0002_witness'),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name='hold',
            trigger=pgtrigger.compiler.Trigger(name='columns_are_fixed', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.wallet_id, OLD.amount_minor) IS DISTINCT FROM (NEW.wallet_id, NEW.amount_minor) AND (true))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: wallet_id, amount_minor cannot change any more', TG_TABLE_NAME, OLD.id);", hash='5c6c89f3be77f160f8b38c8d059c3d864724a90a', operation='UPDATE OF "wallet_id", "amount_minor"', pgid='pgtrigger_columns_are_fixed_3b025', table='wallets_hold', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='holdtransition',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='dc3e3d0251564ca54ba59c1ec3503eee08209574', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_81e36', table='wallets_holdtransition', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payment',
            trigger=pgtrigger.compiler.Trigger(name='columns_are_fixed', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.payment_ref, OLD.wallet_id, OLD.amount_minor, OLD.paid_part_minor, OLD.bonus_part_minor, OLD.merchant_ref, OLD.prefecture, OLD.merchant_category, OLD.occurred_at, OLD.switch_version) IS DISTINCT FROM (NEW.payment_ref, NEW.wallet_id, NEW.amount_minor, NEW.paid_part_minor, NEW.bonus_part_minor, NEW.merchant_ref, NEW.prefecture, NEW.merchant_category, NEW.occurred_at, NEW.switch_version) AND (true))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: payment_ref, wallet_id, amount_minor, paid_part_minor, bonus_part_minor, merchant_ref, prefecture, merchant_category, occurred_at, switch_version cannot change any more', TG_TABLE_NAME, OLD.id);", hash='5203a12940caf4b9c546ef70becf2f2fe88d6b55', operation='UPDATE OF "payment_ref", "wallet_id", "amount_minor", "paid_part_minor", "bonus_part_minor", "merchant_ref", "prefecture", "merchant_category", "occurred_at", "switch_version"', pgid='pgtrigger_columns_are_fixed_f0e0d', table='wallets_payment', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payment',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.amount_minor, a.bonus_part_minor, a.merchant_category, a.merchant_ref, extract(epoch FROM a.occurred_at), a.paid_part_minor, a.payment_ref, a.prefecture, a.switch_version, a.wallet_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='d52154bb8e9d0e3ab2d585340e5ba512c1665113', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_5fae7', referencing='REFERENCING NEW TABLE AS after ', table='wallets_payment', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payment',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.amount_minor, OLD.bonus_part_minor, OLD.merchant_category, OLD.merchant_ref, OLD.occurred_at, OLD.paid_part_minor, OLD.payment_ref, OLD.prefecture, OLD.switch_version, OLD.wallet_id) IS DISTINCT FROM (NEW.amount_minor, NEW.bonus_part_minor, NEW.merchant_category, NEW.merchant_ref, NEW.occurred_at, NEW.paid_part_minor, NEW.payment_ref, NEW.prefecture, NEW.switch_version, NEW.wallet_id))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.amount_minor, NEW.bonus_part_minor, NEW.merchant_category, NEW.merchant_ref, extract(epoch FROM NEW.occurred_at), NEW.paid_part_minor, NEW.payment_ref, NEW.prefecture, NEW.switch_version, NEW.wallet_id)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='54a735a93ac6222a5f43f3b91c98eab0eafada36', operation='UPDATE OF "payment_ref", "wallet_id", "amount_minor", "paid_part_minor", "bonus_part_minor", "merchant_ref", "prefecture", "merchant_category", "occurred_at", "switch_version"', pgid='pgtrigger_witness_6b865', table='wallets_payment', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='paymenttransition',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='5a8913ebe327a8d352bb86da68d1dfdd7fec82dc', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_22b70', table='wallets_paymenttransition', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='topup',
            trigger=pgtrigger.compiler.Trigger(name='columns_are_fixed', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.top_up_ref, OLD.wallet_id, OLD.source, OLD.card_id, OLD.amount_minor, OLD.occurred_at) IS DISTINCT FROM (NEW.top_up_ref, NEW.wallet_id, NEW.source, NEW.card_id, NEW.amount_minor, NEW.occurred_at) AND (true))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: top_up_ref, wallet_id, source, card_id, amount_minor, occurred_at cannot change any more', TG_TABLE_NAME, OLD.id);", hash='dba7cda8d196f123adda5341b2d91bb7ea3d9ba2', operation='UPDATE OF "top_up_ref", "wallet_id", "source", "card_id", "amount_minor", "occurred_at"', pgid='pgtrigger_columns_are_fixed_cdfb9', table='wallets_topup', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='topup',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.amount_minor, a.arn, a.auth_code, a.card_id, extract(epoch FROM a.occurred_at), a.rrn, a.source, a.top_up_ref, a.wallet_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='7fa42e0591e6cf990fd68196ef681a1a05018ba0', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_8c538', referencing='REFERENCING NEW TABLE AS after ', table='wallets_topup', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='topup',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.amount_minor, OLD.arn, OLD.auth_code, OLD.card_id, OLD.occurred_at, OLD.rrn, OLD.source, OLD.top_up_ref, OLD.wallet_id) IS DISTINCT FROM (NEW.amount_minor, NEW.arn, NEW.auth_code, NEW.card_id, NEW.occurred_at, NEW.rrn, NEW.source, NEW.top_up_ref, NEW.wallet_id))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.amount_minor, NEW.arn, NEW.auth_code, NEW.card_id, extract(epoch FROM NEW.occurred_at), NEW.rrn, NEW.source, NEW.top_up_ref, NEW.wallet_id)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='b96f4094fe2cbc6a39a4a68e9657e7655b70672e', operation='UPDATE OF "top_up_ref", "wallet_id", "source", "card_id", "amount_minor", "occurred_at", "rrn", "auth_code", "arn"', pgid='pgtrigger_witness_41e1e', table='wallets_topup', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='topuptransition',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='f1911533b830d5348226a569925bb475854092a2', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_b48f7', table='wallets_topuptransition', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='wallet',
            trigger=pgtrigger.compiler.Trigger(name='columns_are_fixed', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.wallet_ref, OLD.account_id, OLD.opened_at) IS DISTINCT FROM (NEW.wallet_ref, NEW.account_id, NEW.opened_at) AND (true))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: wallet_ref, account_id, opened_at cannot change any more', TG_TABLE_NAME, OLD.id);", hash='03daaeacf875d4abfb447bd374671e85a9cce25a', operation='UPDATE OF "wallet_ref", "account_id", "opened_at"', pgid='pgtrigger_columns_are_fixed_6b5f0', table='wallets_wallet', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='wallettransition',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='1184452e171b1111a6516c0e9d7cac707f182b95', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_200cd', table='wallets_wallettransition', when='BEFORE')),
        ),
    ]
