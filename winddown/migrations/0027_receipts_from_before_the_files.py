"""Receipts from before the files were kept have their digest, and new ones have a file.

0023 had another form at first, which removed evidence_sha256 and made evidence obligatory. A
database that ran it lacks the column; one that ran the present form has it. Both are alike after
the first operation.
"""

import pgtrigger.compiler
import pgtrigger.migrations
import winddown.guards
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('winddown', '0026_merchant_notices'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE winddown_filingreceipt ALTER COLUMN evidence_id DROP NOT NULL,"
            " ADD COLUMN IF NOT EXISTS evidence_sha256 varchar(64) NOT NULL DEFAULT '';"
            "ALTER TABLE winddown_filingreceipt ALTER COLUMN evidence_sha256 DROP DEFAULT",
            migrations.RunSQL.noop,
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='filingreceipt',
            name='witness_new',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='filingreceipt',
            name='witness',
        ),
        migrations.AlterField(
            model_name='filingreceipt',
            name='evidence_sha256',
            field=models.CharField(blank=True, default='', max_length=64),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='filingreceipt',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.evidence_id, a.evidence_sha256, extract(epoch FROM a.filed_at), a.filed_by_id, a.id, a.number, a.received_on, a.version_id)::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='5f3909b4d02092cc6b3a7e97f12904fc05e8eb38', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_656f5', referencing='REFERENCING NEW TABLE AS after ', table='winddown_filingreceipt', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='filingreceipt',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.evidence_id, OLD.evidence_sha256, OLD.filed_at, OLD.filed_by_id, OLD.id, OLD.number, OLD.received_on, OLD.version_id) IS DISTINCT FROM (NEW.evidence_id, NEW.evidence_sha256, NEW.filed_at, NEW.filed_by_id, NEW.id, NEW.number, NEW.received_on, NEW.version_id))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.evidence_id, NEW.evidence_sha256, extract(epoch FROM NEW.filed_at), NEW.filed_by_id, NEW.id, NEW.number, NEW.received_on, NEW.version_id)::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='3ea0a5c5331b386f7b8bd655702a8c04b7319c4d', operation='UPDATE', pgid='pgtrigger_witness_6a914', table='winddown_filingreceipt', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='filingreceipt',
            trigger=pgtrigger.compiler.Trigger(name='receipt_has_its_file', sql=winddown.guards.GuardSql(condition='WHEN (NEW.evidence_id IS NULL)', func="\n                    RAISE EXCEPTION USING ERRCODE = 'WD014',\n                        MESSAGE = format('receipt %s has no file that shows it', NEW.number);\n                ", hash='1f9e49ea1a37c7598d380cac3661402bf2553957', operation='INSERT', pgid='pgtrigger_receipt_has_its_file_69dc8', table='winddown_filingreceipt', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='filingreceipt',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('evidence__isnull', False), ('evidence_sha256', '')), models.Q(('evidence', None), ('evidence_sha256__regex', '^[0-9a-f]{64}$')), _connector='OR'), name='receipt_has_a_file_or_its_digest'),
        ),
    ]
