"""A list of requests to an issuer is named so; its table and column keep their names."""

import django.db.models.deletion
import winddown.guards
import pgtrigger.migrations
import pgtrigger.compiler
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("refunds", "0003_same_file_after_a_rejection")]

    operations = [
        migrations.AlterModelTable(name="asklist", table="refunds_asklist"),
        migrations.RenameModel(old_name="AskList", new_name="RequestList"),
        migrations.AlterField(
            model_name="issueraction",
            name="ask_list",
            field=models.ForeignKey(
                db_column="ask_list_id",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="actions",
                to="refunds.requestlist",
            ),
        ),
        migrations.RenameField(
            model_name="issueraction", old_name="ask_list", new_name="request_list"
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='requestlist',
            name='append_only',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='requestlist',
            name='witness_new',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='requestlist',
            name='witness',
        ),
        # A trigger that is removed leaves its function.
        migrations.RunSQL(
            [
                "DROP FUNCTION IF EXISTS pgtrigger_append_only_f662e()",
                "DROP FUNCTION IF EXISTS pgtrigger_witness_new_878c8()",
                "DROP FUNCTION IF EXISTS pgtrigger_witness_568fe()",
            ],
            migrations.RunSQL.noop,
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='requestlist',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=winddown.guards.GuardSql(func="RAISE EXCEPTION USING ERRCODE = 'WD020', MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP);", hash='84c974876ae8ad87798635b857f2a182b736aca8', level='STATEMENT', operation='UPDATE OR DELETE OR TRUNCATE', pgid='pgtrigger_append_only_d44b9', table='refunds_asklist', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='requestlist',
            trigger=pgtrigger.compiler.Trigger(name='witness_new', sql=winddown.guards.GuardSql(func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            SELECT TG_TABLE_NAME, a.id, sha256(convert_to(jsonb_build_array(a.actions_count, a.amount_minor, a.digest, a.id, a.maker_id, extract(epoch FROM a.submitted_at))::text, 'UTF8'))\n            FROM after a ORDER BY a.id;\n            RETURN NULL;\n        ", hash='cf510f994b48ab5e4f2d21f08084a45c6e3cd655', level='STATEMENT', operation='INSERT', pgid='pgtrigger_witness_new_aad51', referencing='REFERENCING NEW TABLE AS after ', table='refunds_asklist', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='requestlist',
            trigger=pgtrigger.compiler.Trigger(name='witness', sql=winddown.guards.GuardSql(condition='WHEN ((OLD.actions_count, OLD.amount_minor, OLD.digest, OLD.id, OLD.maker_id, OLD.submitted_at) IS DISTINCT FROM (NEW.actions_count, NEW.amount_minor, NEW.digest, NEW.id, NEW.maker_id, NEW.submitted_at))', func="\n            INSERT INTO winddown_rowdigest (table_name, row_id, digest)\n            VALUES (TG_TABLE_NAME, NEW.id, sha256(convert_to(jsonb_build_array(NEW.actions_count, NEW.amount_minor, NEW.digest, NEW.id, NEW.maker_id, extract(epoch FROM NEW.submitted_at))::text, 'UTF8')));\n            RETURN NULL;\n        ", hash='c4fdffb7e3dee278896b10dd1fdd820c73eceac6', operation='UPDATE', pgid='pgtrigger_witness_0a3cd', table='refunds_asklist', when='AFTER')),
        ),
    ]
