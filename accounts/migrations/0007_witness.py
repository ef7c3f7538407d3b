"""The writings of fences and recovery cases are noted as digests."""

import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('winddown', '0006_witness'),
        ('accounts', '0006_access_added_message'),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name='credentialfence',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.id, extract(epoch FROM a.lifted_at), extract(epoch FROM a.not_before), a.run_id, a.state)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='9049e93e1b4d0d76cef57e9ee14a2b9c379ff070', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_ce4f2', referencing='REFERENCING NEW TABLE AS after ', table='accounts_credentialfence', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='credentialfence',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.id, OLD.lifted_at, OLD.not_before, OLD.run_id, OLD.state) IS DISTINCT FROM (NEW.id, NEW.lifted_at, NEW.not_before, NEW.run_id, NEW.state))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.id, extract(epoch FROM NEW.lifted_at), extract(epoch FROM NEW.not_before), NEW.run_id, NEW.state)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='1e0fabc71ebc47eaed8067a298330df3e9ed9901', operation='UPDATE', pgid='pgtrigger_witness_6a902', table='accounts_credentialfence', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='proofstep',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.case_id, a.id, a.kind, a.note, extract(epoch FROM a.recorded_at), a.recorded_by_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='ce7c89142196daa99ce7d97e1475f6d5a4080793', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_50073', referencing='REFERENCING NEW TABLE AS after ', table='accounts_proofstep', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='proofstep',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.case_id, OLD.id, OLD.kind, OLD.note, OLD.recorded_at, OLD.recorded_by_id) IS DISTINCT FROM (NEW.case_id, NEW.id, NEW.kind, NEW.note, NEW.recorded_at, NEW.recorded_by_id))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.case_id, NEW.id, NEW.kind, NEW.note, extract(epoch FROM NEW.recorded_at), NEW.recorded_by_id)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='1a56e993734e118438fa49f373d462c8b1494519', operation='UPDATE', pgid='pgtrigger_witness_ccb0d', table='accounts_proofstep', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='recoverycase',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.account_id, extract(epoch FROM a.completed_at), a.contact_channel, a.contact_fingerprint, a.contact_mask, encode(sha256(a.contact_sealed), 'hex'), extract(epoch FROM a.decided_at), a.id, a.key, a.language, a.network, extract(epoch FROM a.opened_at), a.reference, a.rejection, a.second_factor_lost, a.state)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='09ba2362222b9c065dab9a4158923eca37626a5d', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_8ce04', referencing='REFERENCING NEW TABLE AS after ', table='accounts_recoverycase', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='recoverycase',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.account_id, OLD.completed_at, OLD.contact_channel, OLD.contact_fingerprint, OLD.contact_mask, OLD.contact_sealed, OLD.decided_at, OLD.id, OLD.key, OLD.language, OLD.network, OLD.opened_at, OLD.reference, OLD.rejection, OLD.second_factor_lost, OLD.state) IS DISTINCT FROM (NEW.account_id, NEW.completed_at, NEW.contact_channel, NEW.contact_fingerprint, NEW.contact_mask, NEW.contact_sealed, NEW.decided_at, NEW.id, NEW.key, NEW.language, NEW.network, NEW.opened_at, NEW.reference, NEW.rejection, NEW.second_factor_lost, NEW.state))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.account_id, extract(epoch FROM NEW.completed_at), NEW.contact_channel, NEW.contact_fingerprint, NEW.contact_mask, encode(sha256(NEW.contact_sealed), 'hex'), extract(epoch FROM NEW.decided_at), NEW.id, NEW.key, NEW.language, NEW.network, extract(epoch FROM NEW.opened_at), NEW.reference, NEW.rejection, NEW.second_factor_lost, NEW.state)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='aab339dca14255b9606fe23ba13c6e88239bf8ef', operation='UPDATE', pgid='pgtrigger_witness_ee2b7', table='accounts_recoverycase', when='AFTER')),
        ),
    ]
