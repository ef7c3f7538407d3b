"""The writings of wallets, cards, holds and snapshots are noted as digests."""

import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('winddown', '0006_witness'),
        ('wallets', '0001_initial'),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name='fundingcard',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.account_id, a.bin, a.brand, a.card_ref, a.card_token, a.funding, a.id, a.issuer_code, a.last4, extract(epoch FROM a.registered_at))::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='2cebbbbff055e349ae237061c425abe655d4e4af', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_abf20', referencing='REFERENCING NEW TABLE AS after ', table='wallets_fundingcard', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='fundingcard',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.account_id, OLD.bin, OLD.brand, OLD.card_ref, OLD.card_token, OLD.funding, OLD.id, OLD.issuer_code, OLD.last4, OLD.registered_at) IS DISTINCT FROM (NEW.account_id, NEW.bin, NEW.brand, NEW.card_ref, NEW.card_token, NEW.funding, NEW.id, NEW.issuer_code, NEW.last4, NEW.registered_at))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.account_id, NEW.bin, NEW.brand, NEW.card_ref, NEW.card_token, NEW.funding, NEW.id, NEW.issuer_code, NEW.last4, extract(epoch FROM NEW.registered_at))::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='fe6ecd0a506da9d6f396451d8ddc7ae903d1f4ac', operation='UPDATE', pgid='pgtrigger_witness_31b02', table='wallets_fundingcard', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='hold',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.amount_minor, a.held_by_id, a.id, a.reason, extract(epoch FROM a.since), a.state, a.wallet_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='f5568ea97824585872e0e1e80e38d3b93f6815ea', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_cdd60', referencing='REFERENCING NEW TABLE AS after ', table='wallets_hold', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='hold',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.amount_minor, OLD.held_by_id, OLD.id, OLD.reason, OLD.since, OLD.state, OLD.wallet_id) IS DISTINCT FROM (NEW.amount_minor, NEW.held_by_id, NEW.id, NEW.reason, NEW.since, NEW.state, NEW.wallet_id))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.amount_minor, NEW.held_by_id, NEW.id, NEW.reason, extract(epoch FROM NEW.since), NEW.state, NEW.wallet_id)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='0315cc6a2ec2ec70523d797d4f13db66e0abd4cb', operation='UPDATE', pgid='pgtrigger_witness_5c831', table='wallets_hold', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='snapshot',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM a.as_of), a.bonus_minor, a.digest, a.held_minor, a.id, a.paid_minor, a.run_id, extract(epoch FROM a.sealed_at), a.wallets)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='e86eb9a4bf3bdcac713483db411f59463789c04e', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_6aa43', referencing='REFERENCING NEW TABLE AS after ', table='wallets_snapshot', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='snapshot',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.as_of, OLD.bonus_minor, OLD.digest, OLD.held_minor, OLD.id, OLD.paid_minor, OLD.run_id, OLD.sealed_at, OLD.wallets) IS DISTINCT FROM (NEW.as_of, NEW.bonus_minor, NEW.digest, NEW.held_minor, NEW.id, NEW.paid_minor, NEW.run_id, NEW.sealed_at, NEW.wallets))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(extract(epoch FROM NEW.as_of), NEW.bonus_minor, NEW.digest, NEW.held_minor, NEW.id, NEW.paid_minor, NEW.run_id, extract(epoch FROM NEW.sealed_at), NEW.wallets)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='30ecaf4379f1539ab473ebf69e9564766d13b72c', operation='UPDATE', pgid='pgtrigger_witness_efc50', table='wallets_snapshot', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='wallet',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.account_id, extract(epoch FROM a.opened_at), a.wallet_ref)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='b5e73579e3e83a579e59f6d3ed07174f743fa4e4', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_0c2a2', referencing='REFERENCING NEW TABLE AS after ', table='wallets_wallet', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='wallet',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.account_id, OLD.opened_at, OLD.wallet_ref) IS DISTINCT FROM (NEW.account_id, NEW.opened_at, NEW.wallet_ref))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.account_id, extract(epoch FROM NEW.opened_at), NEW.wallet_ref)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='3638c88866cd6be1a1c2271e1cb1e52d81158c0c', operation='UPDATE OF "wallet_ref", "account_id", "opened_at"', pgid='pgtrigger_witness_9757f', table='wallets_wallet', when='AFTER')),
        ),
    ]
