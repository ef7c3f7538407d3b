"""Amounts are fixed, and only triggers write the logs."""

import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('refunds', '0004_request_list'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='entitlement',
            name='witness_new',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='entitlement',
            name='witness',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='payee',
            name='witness_new',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='payee',
            name='witness',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='payout',
            name='witness_new',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='payout',
            name='witness',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='refundapplication',
            name='witness_new',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='refundapplication',
            name='witness',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='chargebacktransition',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='c6c525c7aa494ad82547f28bd58830e95e6175cb', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_dc944', table='refunds_chargebacktransition', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='entitlement',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.amount_minor, a.returns, a.snapshot_id, a.wallet_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='93794c21c56f15832b33a882df12a8657ff5e854', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_2ef03', referencing='REFERENCING NEW TABLE AS after ', table='refunds_entitlement', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='entitlement',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.amount_minor, OLD.returns, OLD.snapshot_id, OLD.wallet_id) IS DISTINCT FROM (NEW.amount_minor, NEW.returns, NEW.snapshot_id, NEW.wallet_id))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.amount_minor, NEW.returns, NEW.snapshot_id, NEW.wallet_id)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='8e3ef01b27b1df157c666a7696dcd41128574126', operation='UPDATE OF "wallet_id", "snapshot_id", "amount_minor", "returns"', pgid='pgtrigger_witness_f0283', table='refunds_entitlement', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='entitlement',
            trigger=pgtrigger.compiler.Trigger(name='columns_are_fixed', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.wallet_id, OLD.snapshot_id, OLD.amount_minor) IS DISTINCT FROM (NEW.wallet_id, NEW.snapshot_id, NEW.amount_minor) AND (true))', func="RAISE EXCEPTION USING ERRCODE = 'WD012', MESSAGE = format('%s %s: wallet_id, snapshot_id, amount_minor cannot change any more', TG_TABLE_NAME, OLD.id);", hash='d7d735a26fd0f6d02e0a1e07de7b465c0aa6160c', operation='UPDATE OF "wallet_id", "snapshot_id", "amount_minor"', pgid='pgtrigger_columns_are_fixed_e918d', table='refunds_entitlement', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='entitlementtransition',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='b1c2cfad6098ce131013e043f98143c8bb529ffb', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_3e6fb', table='refunds_entitlementtransition', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='fraudclaimtransition',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='b1ab19b202d0b1fdb60fc70603d5ea449bd66f2c', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_ebfcc', table='refunds_fraudclaimtransition', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='issueractiontransition',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='c42371cc03edc48b2290ab52ec6ddc37eae21243', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_cec22', table='refunds_issueractiontransition', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payee',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.account_mask, encode(sha256(a.account_number_sealed), 'hex'), a.account_type, a.answer, extract(epoch FROM a.answered_at), a.bank_code, a.branch_code, extract(epoch FROM a.entered_at), a.fingerprint, a.holder_id, a.name_kana, a.name_truncated, extract(epoch FROM a.replaced_at), extract(epoch FROM a.shared_cleared_at), extract(epoch FROM a.usable_from), a.version)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='0e3731163b5aab8cb9052789c704f8dcea9b32e2', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_c12bb', referencing='REFERENCING NEW TABLE AS after ', table='refunds_payee', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payee',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.account_mask, OLD.account_number_sealed, OLD.account_type, OLD.answer, OLD.answered_at, OLD.bank_code, OLD.branch_code, OLD.entered_at, OLD.fingerprint, OLD.holder_id, OLD.name_kana, OLD.name_truncated, OLD.replaced_at, OLD.shared_cleared_at, OLD.usable_from, OLD.version) IS DISTINCT FROM (NEW.account_mask, NEW.account_number_sealed, NEW.account_type, NEW.answer, NEW.answered_at, NEW.bank_code, NEW.branch_code, NEW.entered_at, NEW.fingerprint, NEW.holder_id, NEW.name_kana, NEW.name_truncated, NEW.replaced_at, NEW.shared_cleared_at, NEW.usable_from, NEW.version))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.account_mask, encode(sha256(NEW.account_number_sealed), 'hex'), NEW.account_type, NEW.answer, extract(epoch FROM NEW.answered_at), NEW.bank_code, NEW.branch_code, extract(epoch FROM NEW.entered_at), NEW.fingerprint, NEW.holder_id, NEW.name_kana, NEW.name_truncated, extract(epoch FROM NEW.replaced_at), extract(epoch FROM NEW.shared_cleared_at), extract(epoch FROM NEW.usable_from), NEW.version)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='e585e906ca2ddd9911b3929c0ef1b60e906915b5', operation='UPDATE OF "holder_id", "version", "bank_code", "branch_code", "account_type", "account_number_sealed", "account_mask", "fingerprint", "name_kana", "name_truncated", "answer", "answered_at", "entered_at", "usable_from", "replaced_at", "shared_cleared_at"', pgid='pgtrigger_witness_63e87', table='refunds_payee', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payeetransition',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='b8836e22d5d502ec4c5898a50d34ad1ceb444955', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_0561b', table='refunds_payeetransition', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payout',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.amount_minor, a.attempt, a.batch_id, a.entitlement_id, a.holder_id, a.payee_id, a.remedy_id, extract(epoch FROM a.result_at), a.result_file_id, a.return_reason)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='62012386384d6d039bebe71e5b53284e28a7f022', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_73a8d', referencing='REFERENCING NEW TABLE AS after ', table='refunds_payout', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payout',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.amount_minor, OLD.attempt, OLD.batch_id, OLD.entitlement_id, OLD.holder_id, OLD.payee_id, OLD.remedy_id, OLD.result_at, OLD.result_file_id, OLD.return_reason) IS DISTINCT FROM (NEW.amount_minor, NEW.attempt, NEW.batch_id, NEW.entitlement_id, NEW.holder_id, NEW.payee_id, NEW.remedy_id, NEW.result_at, NEW.result_file_id, NEW.return_reason))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.amount_minor, NEW.attempt, NEW.batch_id, NEW.entitlement_id, NEW.holder_id, NEW.payee_id, NEW.remedy_id, extract(epoch FROM NEW.result_at), NEW.result_file_id, NEW.return_reason)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='e62ad9babda6826805e4dcc4ee26a530a416ad3d', operation='UPDATE OF "entitlement_id", "remedy_id", "holder_id", "payee_id", "amount_minor", "attempt", "batch_id", "result_file_id", "result_at", "return_reason"', pgid='pgtrigger_witness_ed699', table='refunds_payout', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payoutbatchtransition',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='49f07fa196f7dc96cac182ba6d149280b6472669', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_2a8a8', table='refunds_payoutbatchtransition', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payouttransition',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='1d5b91435bf145bfce9094eefa4cf587288ade0c', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_b7a69', table='refunds_payouttransition', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reconciliationbreaktransition',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='743170ac49e1d050ec7f60d493ccae285b20de86', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_a7333', table='refunds_reconciliationbreaktransition', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='refundapplication',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.applicant_id, a.body_digest, a.channel, a.confirmed_minor, extract(epoch FROM a.decided_at), a.decided_by_id, a.entitlement_id, a.late, a.late_reason, a.op_id, a.payee_id, a.rejection, a.review_reason, extract(epoch FROM a.started_at), extract(epoch FROM a.submitted_at))::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='12d5490f557e12e970aa7f5dfeb1ae4586a78c7a', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_1f3a2', referencing='REFERENCING NEW TABLE AS after ', table='refunds_refundapplication', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='refundapplication',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.applicant_id, OLD.body_digest, OLD.channel, OLD.confirmed_minor, OLD.decided_at, OLD.decided_by_id, OLD.entitlement_id, OLD.late, OLD.late_reason, OLD.op_id, OLD.payee_id, OLD.rejection, OLD.review_reason, OLD.started_at, OLD.submitted_at) IS DISTINCT FROM (NEW.applicant_id, NEW.body_digest, NEW.channel, NEW.confirmed_minor, NEW.decided_at, NEW.decided_by_id, NEW.entitlement_id, NEW.late, NEW.late_reason, NEW.op_id, NEW.payee_id, NEW.rejection, NEW.review_reason, NEW.started_at, NEW.submitted_at))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.applicant_id, NEW.body_digest, NEW.channel, NEW.confirmed_minor, extract(epoch FROM NEW.decided_at), NEW.decided_by_id, NEW.entitlement_id, NEW.late, NEW.late_reason, NEW.op_id, NEW.payee_id, NEW.rejection, NEW.review_reason, extract(epoch FROM NEW.started_at), extract(epoch FROM NEW.submitted_at))::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='7fa6d5a7d5f3298fa7f44287986d8ca0b3fa62e6', operation='UPDATE OF "entitlement_id", "applicant_id", "payee_id", "channel", "body_digest", "late", "late_reason", "op_id", "review_reason", "rejection", "started_at", "confirmed_minor", "submitted_at", "decided_at", "decided_by_id"', pgid='pgtrigger_witness_c038b', table='refunds_refundapplication', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='refundapplicationtransition',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='0251892c868a4d347a01fff836907e603c7e99a3', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_62439', table='refunds_refundapplicationtransition', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='remedytransition',
            trigger=pgtrigger.compiler.Trigger(name='written_by_triggers', sql=winddown.guards.GuardSql(func="\n            IF pg_trigger_depth() < 2 THEN\n                RAISE EXCEPTION USING ERRCODE = 'WD022',\n                    MESSAGE = format('only triggers write %s', TG_TABLE_NAME);\n            END IF;\n            RETURN NULL;\n        ", hash='98df1d6c8a0a7e71b11c38543394cdb2d27a6005', level='STATEMENT', operation='INSERT', pgid='pgtrigger_written_by_triggers_c3ea5', table='refunds_remedytransition', when='BEFORE')),
        ),
    ]
